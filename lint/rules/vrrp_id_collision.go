package rules

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var vrrpIDCollision = Rule{
	ID:       "vrrp-id-collision",
	Title:    "two virtual routers have one id",
	Severity: "error",
	Why: "Machines tell virtual routers apart by the router id alone. Two with one id in one network hear each other's " +
		"advertisements: the one with the lower priority gives its addresses up, and nobody has them.",
	Fix: "Give each virtual router of a network a virtual_router_id of its own. IPv4 and IPv6 may share one: they are told apart.",
	References: []string{
		"openshift/machine-config-operator#3342", "acassen/keepalived#2649",
		"https://www.rfc-editor.org/rfc/rfc5798#section-5.2.3",
	},
	Check: checkVRRPIDCollision,
}

func checkVRRPIDCollision(g *topology.Group) diag.List {
	var out diag.List
	all := routers(g)
	for i, v := range all {
		before := slices.IndexFunc(all[:i], func(w router) bool { return collide(w, v) })
		if before < 0 {
			continue
		}
		first := all[before]
		out = append(out, diag.Diagnostic{
			Span:     v.RouterID.Span,
			Severity: diag.Error,
			Message: fmt.Sprintf("%s has the virtual_router_id %d of %s, whose addresses are others, so one of the two loses its "+
				"addresses; need an id of its own", called("vrrp_instance", v.Name), v.RouterID.V, called("vrrp_instance", first.Name)),
			Hint:    "choose a number from 1 to 255 that no other virtual router of the network has",
			Subject: "vrrp " + v.Name.V,
			Related: []diag.Related{{Span: first.RouterID.Span, Message: "the other's"}},
		})
	}
	return out
}

// collide reports whether two instances are different virtual routers that hear each other and have one id.
func collide(a, b router) bool {
	if !a.RouterID.Known() || !b.RouterID.Known() || a.RouterID.V != b.RouterID.V || !hear(a, b) {
		return false
	}
	family, ok := familyOf(a)
	other, okToo := familyOf(b)
	return ok && okToo && family == other && !shareAddress(a, b)
}

// prefixFact is one address that moves.
type prefixFact = topology.Value[netip.Prefix]

// familyOf is the family of an instance, which its first address decides, and false where not all of them are known.
func familyOf(v router) (topology.Family, bool) {
	if len(v.Addresses) == 0 || slices.ContainsFunc(v.Addresses, func(p prefixFact) bool { return !p.Known() }) {
		return 0, false
	}
	return topology.FamilyOf(v.Addresses[0].V.Addr()), true
}

// hear reports whether it is known that advertisements of both reach some machine: by a common peer, or in one network.
func hear(a, b router) bool {
	switch {
	case !a.Unicast.Known() || !b.Unicast.Known() || a.Unicast.V != b.Unicast.V:
		return false
	case a.Unicast.V:
		return peersOf(a, b) || peersOf(b, a)
	case a.source == b.source:
		return a.Interface.Known() && b.Interface.Known() && a.Interface.V == b.Interface.V
	}
	return network(a, b) || network(b, a)
}

// peersOf reports whether a tells b or one of b's peers.
func peersOf(a, b router) bool {
	return slices.ContainsFunc(a.Peers, func(p topology.Value[netip.Addr]) bool {
		return p.Known() && (b.Source.Known() && b.Source.V == p.V ||
			slices.ContainsFunc(b.Peers, func(q topology.Value[netip.Addr]) bool { return q.Known() && q.V == p.V }))
	})
}

// network reports whether a's network holds an address of b's.
func network(a, b router) bool {
	return slices.ContainsFunc(a.Addresses, func(p prefixFact) bool {
		return p.Known() && !p.V.IsSingleIP() && slices.ContainsFunc(b.Addresses, func(q prefixFact) bool {
			return q.Known() && p.V.Masked().Contains(q.V.Addr())
		})
	})
}
