package rules

import (
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var firewallV4Only = Rule{
	ID:       "firewall-v4-only",
	Title:    "IPv4 is filtered, IPv6 is not",
	Severity: "warning",
	Why: "iptables knows nothing of IPv6, which the kernel turns on by itself. etcd listens on all addresses of both families where it is " +
		"told to listen on 0.0.0.0, so every neighbour reaches it by its link-local address, past all rules.",
	Fix:        "Load the same rules with ip6tables, or write them for nft in a table of the family inet.",
	References: []string{"https://wiki.nftables.org/wiki-nftables/index.php/Nftables_families"},
	Check:      checkFirewallV4Only,
	Unjudged:   firewallV4OnlyUnjudged,
}

func checkFirewallV4Only(g *topology.Group) diag.List {
	var out diag.List
	for _, w := range walls(g) {
		if !w.Complete || w.Family != topology.IPv4 || filtersIPv6(g, w) {
			continue
		}
		for _, port := range []int{g.ClientPort(), g.PeerPort()} {
			i := w.refusesAll(port)
			if i < 0 || !w.concerns(port) {
				continue
			}
			out = append(out, w.finding(diag.Warning, w.Rules[i].Span, "load the same rules with ip6tables, or use a table inet of nft",
				"port %d is refused over IPv4 only, so over IPv6 anybody reaches it; need the same rules for IPv6", port))
			break
		}
	}
	return out
}

// filtersIPv6 reports whether a firewall for IPv6 is known that may be the same machine's.
func filtersIPv6(g *topology.Group, w wall) bool {
	return slices.ContainsFunc(walls(g), func(other wall) bool {
		return other.Family == topology.IPv6 && !other.Cloud && (other.source == w.source || other.Role == w.Role)
	})
}

func firewallV4OnlyUnjudged(g *topology.Group) string {
	for _, w := range walls(g) {
		if w.Complete || w.Cloud || w.Family != topology.IPv4 || w.source.Format == "spec" || filtersIPv6(g, w) {
			continue
		}
		for _, port := range []int{g.ClientPort(), g.PeerPort()} {
			if w.refusesAll(port) >= 0 && w.concerns(port) {
				return "no IPv6 dump given: lint the machine's folder, or both dumps"
			}
		}
	}
	return ""
}
