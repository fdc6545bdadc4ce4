package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var tlsVerifyNone = Rule{
	ID:       "tls-verify-none",
	Title:    "a proxy speaks TLS to members and verifies nothing",
	Severity: "error",
	Why: "Whoever answers on a member's address is believed: it reads and changes all of the cluster's data, with TLS on both sides. " +
		"A check that verifies nothing is passed by anything that speaks TLS.",
	Fix: "Verify against etcd's CA: in HAProxy `verify required ca-file /etc/etcd/pki/ca.crt` in the server lines, in NGINX " +
		"`proxy_ssl_verify on` with `proxy_ssl_trusted_certificate`. Or pass TLS through, which needs no certificate at all.",
	References: []string{
		"etcd-io/etcd#6258",
		"https://docs.haproxy.org/2.6/configuration.html#5.2-verify",
		"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_ssl_verify",
	},
	Check: checkTLSVerifyNone,
}

// verified spells how members' certificates are verified.
var verified = remedies{
	"nginx": "set proxy_ssl_verify on and proxy_ssl_trusted_certificate (grpc_ssl_verify with grpc_pass)",
	"":      "set verify required and ca-file",
}

func checkTLSVerifyNone(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range g.EtcdPools() {
		what, verify := "speaks TLS to members", b.Verify
		if !b.TLS.V || !verify.Known() || verify.V {
			what, verify = "checks members over TLS", b.Check.Verify
			secure := b.Check.Kind.V == topology.CheckHTTPS || b.Check.Kind.V == topology.CheckTLS
			if !secure || !verify.Known() || verify.V {
				continue
			}
		}
		out = append(out, diag.Diagnostic{
			Span:     verify.Span,
			Severity: diag.Error,
			Message: fmt.Sprintf("%s %s without verifying their certificates, so whoever answers is taken for a member; "+
				"need them verified against etcd's CA", b.Called(), what),
			Hint:    verified.of(b.Source, b.Proxy),
			Subject: b.Subject(),
		})
	}
	return out
}
