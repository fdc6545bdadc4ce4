package lower

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// What the probes' series say of the way that a probe took.
const (
	via         = "via"
	viaBalancer = "balancer"
	viaMembers  = "members"
)

// probeJob is the job label of all probes of a cluster.
func probeJob(t *topology.Topology) string { return "blackbox-etcd-" + t.Name.V }

// probes decides what a blackbox exporter asks, where the spec has one: etcd's health on the client port, as a client
// with a certificate, through the load balancer and at each member that clients may meet.
func probes(t *topology.Topology, options *topology.Tree) []topology.Scrape {
	o := options.Get("probe")
	if o == nil || !probeable(t) {
		return nil
	}
	exporter := topology.Get[string](o, "exporter")
	exporter.V = net.JoinHostPort(exporter.V, strconv.Itoa(topology.Get[int](o, "port").V))
	job := func(way string, targets []string) topology.Scrape {
		s := topology.Scrape{
			Job:      topology.DefaultAt(probeJob(t), o.Span),
			Scheme:   topology.DefaultAt("http", o.Span), // of the exporter
			Path:     topology.DefaultAt("/probe", o.Span),
			Labels:   map[string]string{"cluster": t.Name.V, via: way},
			Exporter: exporter,
			Module:   topology.DefaultAt("etcd-"+t.Name.V, o.Span),
			Span:     o.Span,
		}
		for _, u := range targets {
			s.Targets = append(s.Targets, topology.DefaultAt(probed(t, u), o.Span))
		}
		return s
	}
	return []topology.Scrape{job(viaBalancer, []string{t.BalancerURL()}), job(viaMembers, t.Etcd.DirectURLs())}
}

// probed is what is asked of a URL: no member is to seem down because another one has no space left. With a port of its
// own for HTTP the client port answers none: then TLS alone is probed, of a host and port.
func probed(t *topology.Topology, of string) string {
	if t.Etcd.ClientHTTPPort.Known() {
		return strings.TrimPrefix(of, t.Etcd.Scheme.V+"://")
	}
	return of + "/health?exclude=NOSPACE"
}

// probeable reports whether a probe has what clients need, and an answer to hope for.
func probeable(t *topology.Topology) bool {
	if t.Etcd.Scheme.V != "https" {
		return !t.Etcd.ClientHTTPPort.Known()
	}
	anonymous := t.Etcd.ClientCertAuth.Known() && !t.Etcd.ClientCertAuth.V
	c := t.Clients.Certificate
	return c.CA.Known() && (c.Cert.Known() || anonymous)
}

// refusedProbes reports probes that cannot be written, or that a firewall of the spec refuses.
func (l *lowering) refusedProbes(options *topology.Tree) {
	o := options.Get("probe")
	switch {
	case o == nil:
	case !probeable(l.t) && l.Etcd.Scheme.V != "https":
		l.unsupported(o.Span, "the client port answers no HTTP, since cluster.ports.clientHTTP has it, and speaks no TLS, so nothing "+
			"can be probed; need one of the two", "drop probe from targets.prometheus")
	case !probeable(l.t):
		l.unsupported(o.Span, "etcd wants a client certificate, and none is named, so nothing is probed; need clients.certificate, "+
			"with paths on the exporter's machine", "set clients.certificate")
	case len(l.t.Firewalls) > 0:
		for _, n := range l.Monitoring {
			if !within(n.V, l.Clients.Networks) || !within(n.V, l.Clients.Direct) {
				l.unsupported(n.Span, fmt.Sprintf("the firewall refuses probes from %s, so they all fail; need it in clients.networks, for the "+
					"load balancer, and clients.direct, for the members", n.V), "add it to both, or drop probe from targets.prometheus")
			}
		}
	}
}

func within(n netip.Prefix, all []topology.Value[netip.Prefix]) bool {
	return slices.ContainsFunc(all, func(o topology.Value[netip.Prefix]) bool {
		return o.V.Bits() <= n.Bits() && o.V.Contains(n.Addr())
	})
}

// expiresSoon is when somebody must issue certificates anew, in seconds: two weeks.
const expiresSoon = "1209600"

// probeAlerts compare the two ways to etcd: what fails on one of them alone is the way's fault.
func probeAlerts(t *topology.Topology) []alert {
	cluster := "etcd cluster " + t.Name.V
	series := func(name string, more ...matcher) promql {
		return metric(name, append(more, is("job", probeJob(t)))...)
	}
	failing := func(way string) promql { return series("probe_success", is(via, way)).op("==", count(0)) }
	well := func(way string) promql { return call("max", series("probe_success", is(via, way))).op("==", count(1)) }
	out := []alert{{
		name: "EtcdUnreachable", severity: critical, wait: 2 * time.Minute,
		expr:    call("max", series("probe_success")).op("==", count(0)),
		summary: cluster + ": no probe gets an answer",
		detail: "Neither through the load balancer nor at any member a client gets a healthy answer: etcd is down or without " +
			"quorum, its certificates are not valid, or the exporter is cut off.",
	}, {
		name: "EtcdLBProbeFailing", severity: critical, wait: 2 * time.Minute,
		expr:    failing(viaBalancer).op("and on ()", well(viaMembers)),
		summary: cluster + ": clients of the load balancer get no answer, members answer",
		detail: "The probe of {{ $labels.instance }} fails while a member answers when it is asked directly: the load balancer " +
			"is down, sends clients to a bad member, or is not in the members' certificates.",
	}, {
		name: "EtcdMemberProbeFailing", severity: warning, wait: 5 * time.Minute,
		expr:    failing(viaMembers).op("and on ()", well(viaBalancer)),
		summary: cluster + ": the member at {{ $labels.instance }} gives clients no answer",
		detail: "The probe of {{ $labels.instance }} fails while the load balancer serves: the member is down, refuses its " +
			"clients, or is behind a firewall. While it lasts, the way past the load balancer is narrower.",
	}, {
		name: "EtcdProbeMissing", severity: warning, wait: 10 * time.Minute,
		expr:    call("absent", series("probe_success")),
		summary: cluster + ": nothing probes it",
		detail:  "The blackbox exporter reports nothing of this cluster: it is down, or not scraped. The other alerts on probes are blind.",
	}}
	if t.Etcd.Scheme.V != "https" {
		return out
	}
	return append(out, alert{
		name: "EtcdCertificateExpiring", severity: warning, wait: 30 * time.Minute,
		expr:    series("probe_ssl_earliest_cert_expiry").op("-", promql{line: "time()", layout: "time()"}).op("<", scalar(expiresSoon)),
		summary: cluster + ": the certificate at {{ $labels.instance }} expires within two weeks",
		detail: "The certificate that {{ $labels.instance }} serves, or one that it is signed by, expires within two weeks. Then every " +
			"new connection to it fails.",
	})
}
