package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var httpProxy = Rule{
	ID:       "http-proxy",
	Title:    "a proxy for HTTP/1.1 before etcd",
	Severity: "error",
	Why: "etcd v3 is gRPC, which needs HTTP/2 from end to end. A proxy in HTTP mode that speaks HTTP/1.1 to either side fails every " +
		"request, watches first. A TCP proxy does not look, and costs less.",
	Fix: "Use TCP: `mode tcp` in HAProxy, a network load balancer on AWS, protocol TCP elsewhere. Where HTTP has to be, speak HTTP/2 " +
		"to both sides: `alpn h2` or `proto h2` in HAProxy, `http2` and `grpc_pass` in NGINX, protocol_version \"GRPC\" in an AWS target group.",
	References: []string{
		"kubernetes/kubernetes#41237", "kubernetes/kubernetes#48455", "kubernetes/kubernetes#67341",
		"https://docs.haproxy.org/2.6/configuration.html#5.2-proto",
		"https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html",
	},
	Check: checkHTTPProxy,
}

func checkHTTPProxy(g *topology.Group) diag.List {
	var out diag.List
	said := map[*topology.Pool]bool{}
	for _, b := range g.EtcdPools() {
		// With TLS to servers, what is offered there is the business of alpn-h2.
		if speaksHTTP1(g, b.Pool) {
			said[b.Pool] = true
			at := b.HTTP2.Span
			if b.Mode.State == topology.Set && (!b.Proxy.Cloud() || b.HTTP2.State != topology.Set) {
				at = b.Mode.Span
			}
			out = append(out, fault(at, b.Called(), "members", b.Subject(), raw.of(b.Source, b.Proxy)))
		}
	}
	for _, l := range g.EtcdListeners() {
		if l.Mode.V != topology.HTTP || l.TLS.V && l.HTTP2.State == topology.Defaulted || !l.HTTP2.Known() || l.HTTP2.V {
			continue
		}
		pools := leadsTo(g, l)
		if len(pools) == 0 && l.HTTP2.State == topology.Set && onClientPort(g, l) { // to whatever
			out = append(out, fault(l.HTTP2.Span, l.Called(), "clients", l.Subject(), raw.of(l.Source, l.Proxy)))
		}
		for _, b := range pools {
			if servesClients(g, b) && !said[b] {
				out = append(out, fault(l.HTTP2.Span, l.Called(), "clients", l.Subject(), raw.of(l.Source, l.Proxy)))
				break
			}
		}
	}
	return out
}

// raw spells a proxy that does not look into what it passes on, or that speaks HTTP/2.
var raw = remedies{
	"haproxy": "write mode tcp, or alpn h2 (proto h2 without TLS) on the bind and server lines",
	"nginx":   "move it to a stream block, or listen with http2 and pass on with grpc_pass",
	"aws":     "use a network load balancer, or protocol_version = \"GRPC\" behind a listener of protocol HTTPS", "aws-classic": "use a network load balancer",
	"": "use protocol TCP",
}

func fault(at diag.Span, who, whom, subject, hint string) diag.Diagnostic {
	return diag.Diagnostic{
		Span:     at,
		Severity: diag.Error,
		Message:  fmt.Sprintf("%s speaks HTTP/1.1 to %s, but etcd's clients need HTTP/2 from end to end, so every request fails; need TCP", who, whom),
		Hint:     hint,
		Subject:  subject,
	}
}
