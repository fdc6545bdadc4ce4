package rules

import (
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var certClientAuth = Rule{
	ID:       "cert-client-auth",
	Title:    "a member's certificate cannot be used by a client",
	Severity: "warning",
	Why: "etcd's JSON gateway is a client of its own server and presents the server certificate to it. With client certificates " +
		"demanded, a certificate without the usage clientAuth is refused: the gateway is dead, and the log fills with \"tls: bad " +
		"certificate\" or \"certificate specifies an incompatible key usage\".",
	Fix: "Issue the members' server certificates with both usages, serverAuth and clientAuth, or start etcd with --client-cert-file " +
		"and --client-key-file for the gateway.",
	References: []string{
		"etcd-io/etcd#9785", "etcd-io/etcd#9398", "etcd-io/etcd#8603",
		"https://etcd.io/docs/v3.6/op-guide/security/#notes-for-tls-authentication",
	},
	Check: checkCertClientAuth,
}

func checkCertClientAuth(g *topology.Group) diag.List {
	var out diag.List
	all := g.EtcdCertificates()
	for _, c := range all {
		if g.CertRole(c) != topology.ServerCert || !c.ClientAuth.Known() || c.ClientAuth.V || presentsAnother(g, c, all) {
			continue
		}
		out = append(out, diag.Diagnostic{
			Span:     c.Span,
			Severity: diag.Warning,
			Message: fmt.Sprintf("%s may not be used by clients, but etcd's own gateway presents it to etcd, which refuses it; "+
				"need the usage clientAuth", called("server certificate", c.Name)),
			Hint: "issue it anew with the usages serverAuth and clientAuth",
		})
	}
	return out
}

// presentsAnother reports whether the members that present a certificate, or some where that is not certain, have
// another one for themselves as clients.
func presentsAnother(g *topology.Group, c *topology.Certificate, all []*topology.Certificate) bool {
	members := g.Owners(c, all)
	if len(members) == 0 {
		members = g.Members()
	}
	return slices.ContainsFunc(members, func(m topology.GroupMember) bool {
		return slices.ContainsFunc(m.Started, func(f topology.Flags) bool { return f.ClientCert.V != "" })
	})
}
