package lower

import (
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// healthPath is the health endpoint that tells the truth. /readyz where etcd has it: it fails without quorum and on
// learners, and not on a space alarm. Else /health, which must be told to look past NOSPACE: one full member would
// take all out at once.
func healthPath(version topology.Value[string]) string {
	const old, ready = "/health?exclude=NOSPACE", "/readyz"
	if serves, sure := topology.ServesReady(version.V); serves && sure {
		return ready
	}
	return old
}

// quick is how soon a check that failed is repeated. From when a member hangs until it is known to, clients wait for the
// rest of an interval, this pause and as many timeouts as it takes failures: with the defaults 3.2 s on average and
// 4.2 s at the worst, where a pause of half a second cost one new client in each fourth hang its five seconds. No
// shorter: the failures in a row must outlast the election of a leader, up to two seconds in which no member can answer.
const quick = 100 * time.Millisecond

// fullCheck is the check that HAProxy runs, which can do whatever the spec asks.
func (l *lowering) fullCheck() topology.Check {
	h := l.LoadBalancer.HealthCheck
	c := topology.Check{
		Interval: h.Interval, Timeout: h.Timeout, Fall: h.Fall, Rise: h.Rise,
		Fast: topology.DefaultAt(min(quick, h.Interval.V), h.Interval.Span),
		Down: topology.DefaultAt(min(time.Second, h.Interval.V), h.Interval.Span),
		Span: h.Span,
	}
	if h.Via.Known() {
		c.Span = h.Via.Span
	}
	kind := func(k topology.CheckKind) { c.Kind = topology.DefaultAt(k, c.Span) }
	switch l.Via() {
	case "tcp":
		kind(topology.CheckTCP)
		c.Port = l.Etcd.ClientPort
		return c
	case "metrics":
		kind(httpKind(l.Etcd.MetricsScheme.V))
		c.Port = l.Etcd.MetricsPort
	case "client":
		kind(httpKind(l.Etcd.Scheme.V))
		c.Port = l.Etcd.ClientPort
		if l.Etcd.ClientHTTPPort.Known() { // with it, the client port answers HTTP with 415
			c.Port = l.Etcd.ClientHTTPPort
		}
	}
	c.Method = topology.DefaultAt("GET", c.Span) // etcd answers anything else with 405
	c.Path = h.Path
	if !h.Path.Known() {
		c.Path = topology.DefaultAt(healthPath(l.Etcd.Version), c.Span)
	}
	if c.Kind.V == topology.CheckHTTPS {
		c.Cert, c.Key, c.CA = h.Certificate.Cert, h.Certificate.Key, h.Certificate.CA
		c.Verify = topology.DefaultAt(true, c.Span)
	}
	return c
}

func httpKind(scheme string) topology.CheckKind {
	if scheme == "https" {
		return topology.CheckHTTPS
	}
	return topology.CheckHTTP
}
