package rules

import (
	"fmt"
	"net/netip"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var checkVerifyhost = Rule{
	ID:       "check-verifyhost",
	Title:    "verifyhost with an address",
	Severity: "error",
	Why: "HAProxy compares verifyhost with the DNS names of a certificate only, never with the addresses in it: with an address the " +
		"handshake fails although the certificate is right, and the member is down for good.",
	Fix: "Name a DNS name that the member's certificate holds, or leave verifyhost out: the CA is verified all the same.",
	References: []string{
		"https://docs.haproxy.org/2.6/configuration.html#5.2-verifyhost",
	},
	Check: checkCheckVerifyhost,
}

func checkCheckVerifyhost(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range g.EtcdPools() {
		for _, s := range b.Servers {
			if _, err := netip.ParseAddr(topology.Host(s.VerifyHost.V)); !s.VerifyHost.Known() || err != nil {
				continue
			}
			out = append(out, diag.Diagnostic{
				Span:     s.VerifyHost.Span,
				Severity: diag.Error,
				Message: fmt.Sprintf("%s of %s must have a certificate for %s, but haproxy looks for it among DNS names only and never "+
					"finds an address, so no handshake succeeds; need a DNS name that the certificate holds", called("server", s.Name), b.Called(), s.VerifyHost.V),
				Hint:    "name the member's DNS name, or remove verifyhost: the CA is verified all the same",
				Subject: b.Subject(),
			})
		}
	}
	return out
}
