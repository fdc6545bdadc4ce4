package rules

import (
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var alpnH2 = Rule{
	ID:       "alpn-h2",
	Title:    "TLS without an offer of HTTP/2",
	Severity: "error or warning",
	Why: "etcd's clients speak gRPC, hence HTTP/2, which is agreed on by ALPN in the TLS handshake. Where the proxy ends TLS and does " +
		"not offer h2, or does not offer it to members, clients time out while all checks are green.",
	Fix: "Add `alpn h2,http/1.1` to the bind line and `alpn h2` to the server lines, with `check-alpn http/1.1` for the check. " +
		"NGINX's stream module offers nothing to members: pass TLS through, or use grpc_pass.",
	References: []string{
		"grpc/grpc-go#434", "kubernetes/kubernetes#67341",
		"https://docs.haproxy.org/2.6/configuration.html#5.1-alpn",
		"https://docs.aws.amazon.com/elasticloadbalancing/latest/network/create-tls-listener.html",
	},
	Check: checkALPNH2,
}

func checkALPNH2(g *topology.Group) diag.List {
	var out diag.List
	for _, l := range g.EtcdListeners() {
		ends := l.TLS.V && slices.ContainsFunc(leadsTo(g, l), func(b *topology.Pool) bool { return servesClients(g, b) && !speaksHTTP1(g, b) })
		if ends && l.HTTP2.Known() && !l.HTTP2.V && !speaksOnly(l.Mode, l.HTTP2) {
			out = append(out, noOffer(l.HTTP2, l.Mode, l.Called(), "clients", offers["clients"].of(l.Source, l.Proxy), l.Subject()))
		}
	}
	for _, b := range g.EtcdPools() {
		if b.TLS.V && servesClients(g, b.Pool) && b.HTTP2.Known() && !b.HTTP2.V && !speaksOnly(b.Mode, b.HTTP2) {
			out = append(out, noOffer(b.HTTP2, b.Mode, b.Called(), "members", offers["members"].of(b.Source, b.Proxy), b.Subject()))
		}
	}
	return out
}

// speaksOnly reports whether HTTP/1.1 is what a proxy in HTTP mode is told to speak, which http-proxy judges.
func speaksOnly(mode topology.Value[topology.Mode], h2 topology.Value[bool]) bool {
	return mode.V == topology.HTTP && h2.State == topology.Set
}

func noOffer(h2 topology.Value[bool], mode topology.Value[topology.Mode], who, whom, hint, subject string) diag.Diagnostic {
	d := diag.Diagnostic{
		Span:     h2.Span,
		Severity: diag.Error,
		Message:  fmt.Sprintf("%s speaks TLS to %s and offers no HTTP/2, without which etcd's clients time out; need h2 offered by ALPN", who, whom),
		Hint:     hint,
		Subject:  subject,
	}
	if (mode.V == topology.HTTP || !mode.Known()) && h2.State == topology.Defaulted {
		d.Severity = diag.Warning
		d.Message = fmt.Sprintf("%s speaks TLS to %s and does not say that it offers HTTP/2, which older versions then do not and etcd's "+
			"clients need; need h2 offered by ALPN", who, whom)
	}
	return d
}
