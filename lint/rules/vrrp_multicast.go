package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var vrrpMulticast = Rule{
	ID:       "vrrp-multicast",
	Title:    "VRRP advertises by multicast",
	Severity: "warning",
	Why: "Clouds, and many virtual networks, drop multicast. No machine then hears another, each takes the address for itself, and " +
		"which of them a client reaches is chance.",
	Fix: "Name this machine's own address in unicast_src_ip and the other machines in unicast_peer. Admit protocol 112 between them.",
	References: []string{
		"acassen/keepalived#97", "acassen/keepalived#950", "acassen/keepalived#1367", "acassen/keepalived#2370",
		"https://www.keepalived.org/manpage.html",
	},
	Check:    checkVRRPMulticast,
	Unjudged: vrrpMulticastUnjudged,
}

func checkVRRPMulticast(g *topology.Group) diag.List {
	var out diag.List
	for _, v := range routers(g) {
		if !v.Unicast.Known() || v.Unicast.V {
			continue
		}
		out = append(out, diag.Diagnostic{
			Span:     v.Span,
			Severity: diag.Warning,
			Message: fmt.Sprintf("%s has no unicast_peer, so it advertises by multicast, which clouds drop: every machine takes the "+
				"address; need the other machines as unicast peers", called("vrrp_instance", v.Name)),
			Hint:    "add unicast_src_ip <own address> and unicast_peer { <the others'> }",
			Subject: "vrrp " + v.Name.V,
		})
	}
	return out
}

func vrrpMulticastUnjudged(g *topology.Group) string {
	for _, v := range routers(g) {
		if !v.Unicast.Known() {
			return "whether a vrrp_instance has peers is not in the files: a placeholder, an include, or one machine's only"
		}
	}
	return ""
}
