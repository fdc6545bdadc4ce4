package terraform

import (
	"slices"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// What a Google health check does where nothing is written.
const (
	googleInterval = 5 * time.Second
	googleTimeout  = 5 * time.Second
	googleCount    = 2
)

// googleChecks are the kinds of health checks; those of the old sort hold the arguments of their protocol themselves.
var (
	googleChecks = []string{"google_compute_region_health_check", "google_compute_health_check"}
	oldChecks    = []string{"google_compute_http_health_check", "google_compute_https_health_check"}
)

// googleProtocols are the blocks of a health check, with what they are and the port that they ask by default.
var googleProtocols = []struct {
	block string
	kind  topology.CheckKind
	port  int
}{
	{"tcp_health_check", topology.CheckTCP, 80},
	{"ssl_health_check", topology.CheckTLS, 443},
	{"http_health_check", topology.CheckHTTP, 80},
	{"https_health_check", topology.CheckHTTPS, 443},
	{"http2_health_check", topology.CheckHTTPS, 443},
}

// check is the health check of a backend service.
func (r *googleReader) check(service node) topology.Check {
	v, written := service.get("health_checks")
	if items, ok := v.items(); !written || ok && len(items) == 0 {
		return topology.Check{Kind: topology.DefaultAt(topology.CheckNone, service.span()), Span: service.span()}
	}
	n, ok := r.folder.first(service.targetOf("health_checks", allChecks))
	switch {
	case !ok:
		return topology.Check{Span: r.folder.span(v.at)}
	case slices.Contains(oldChecks, n.resource.kind):
		return oldCheck(n)
	}
	return googleCheck(n)
}

func googleCheck(n node) topology.Check {
	out := checkTimes(n)
	for _, p := range googleProtocols {
		b, ok := n.block(p.block)
		if !ok {
			continue
		}
		out.Kind = topology.SetAt(p.kind, b.span())
		out.Port = googleCheckPort(b, p.port)
		if p.kind == topology.CheckHTTP || p.kind == topology.CheckHTTPS {
			out.Method = topology.DefaultAt("GET", b.span())
			out.Path = readOr(b, "request_path", value.text, "/")
		}
	}
	return out
}

// googleCheckPort is the port that is asked; unknown where it is the one that serves, or has a name.
func googleCheckPort(b node, fallback int) topology.Value[int] {
	which := readOr(b, "port_specification", value.text, "USE_FIXED_PORT")
	if _, named := b.get("port_name"); named || which.V != "USE_FIXED_PORT" {
		return topology.UnknownAt[int](b.span())
	}
	return readOr(b, "port", value.whole, fallback)
}

func oldCheck(n node) topology.Check {
	out := checkTimes(n)
	kind, port := topology.CheckHTTP, 80
	if n.resource.kind == oldChecks[1] {
		kind, port = topology.CheckHTTPS, 443
	}
	out.Kind = topology.SetAt(kind, n.span())
	out.Port = readOr(n, "port", value.whole, port)
	out.Method = topology.DefaultAt("GET", n.span())
	out.Path = readOr(n, "request_path", value.text, "/")
	return out
}

func checkTimes(n node) topology.Check {
	return topology.Check{
		Interval: readOr(n, "check_interval_sec", value.seconds, googleInterval),
		Timeout:  readOr(n, "timeout_sec", value.seconds, googleTimeout),
		Fall:     readOr(n, "unhealthy_threshold", value.whole, googleCount),
		Rise:     readOr(n, "healthy_threshold", value.whole, googleCount),
		Sources:  topology.GoogleProbes,
		Span:     n.span(),
	}
}
