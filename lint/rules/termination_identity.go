package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var terminationIdentity = Rule{
	ID:       "termination-identity",
	Title:    "all clients reach etcd as the load balancer",
	Severity: "error or warning",
	Why: "The proxy ends the clients' TLS and presents a certificate of its own to etcd. etcd sees one user for all of them: roles by " +
		"certificate mean nothing, and with a certificate of root every client may write everything. Whoever reaches the proxy " +
		"without a certificate is let in, too, unless the proxy demands one.",
	Fix: "Pass TLS through (TCP mode, no `ssl` in bind and server lines): clients then authenticate to etcd themselves. Where the " +
		"proxy has to terminate, demand client certificates on its listener and give its own certificate few rights.",
	References: []string{
		"etcd-io/etcd#6258", "Quentin-M/etcd-cloud-operator#30",
		"https://etcd.io/docs/v3.6/op-guide/authentication/rbac/",
	},
	Check: checkTerminationIdentity,
}

// passed spells TLS from client to member.
var passed = remedies{
	"nginx": "remove proxy_ssl and ssl from listen: clients then present their own",
	"":      "remove ssl and crt from the server lines and ssl from the listener: clients then present their own",
}

func checkTerminationIdentity(g *topology.Group) diag.List {
	var out diag.List
	severity, harm := diag.Warning, "roles by certificate mean nothing"
	for _, t := range g.Sources {
		if t.Etcd.Auth.V {
			severity, harm = diag.Error, "etcd's roles by certificate, which are in use, mean nothing"
		}
	}
	for _, b := range g.EtcdPools() {
		if !b.TLS.V || !b.Cert.Known() || b.Cert.V == "" {
			continue
		}
		out = append(out, diag.Diagnostic{
			Span:     b.Cert.Span,
			Severity: severity,
			Message: fmt.Sprintf("%s presents a certificate of its own to etcd, so every client is the load balancer to etcd and %s; "+
				"need TLS passed through", b.Called(), harm),
			Hint:    passed.of(b.Source, b.Proxy),
			Subject: b.Subject(),
		})
	}
	return out
}
