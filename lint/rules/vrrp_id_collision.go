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
	pairs(g, collide, func(first, second router) {
		out = append(out, diag.Diagnostic{
			Span:     second.RouterID.Span,
			Severity: diag.Error,
			Message: fmt.Sprintf("%s has the virtual_router_id %d of %s, whose addresses are others, so one of the two loses its "+
				"addresses; need an id of its own", called("vrrp_instance", second.Name), second.RouterID.V, called("vrrp_instance", first.Name)),
			Hint:    "choose a number from 1 to 255 that no other virtual router of the network has",
			Subject: "vrrp " + second.Name.V,
			Related: []diag.Related{{Span: first.RouterID.Span, Message: "the other's"}},
		})
	})
	return out
}

// collide reports whether two instances of one id are different virtual routers that hear each other.
func collide(a, b router) bool {
	family, ok := familyOf(a)
	other, okToo := familyOf(b)
	return ok && okToo && family == other && hear(a, b) && !shareAddress(a, b)
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
		return overlap(a.tells, b.tells) || b.Source.Known() && a.tells[b.Source.V] || a.Source.Known() && b.tells[a.Source.V]
	case a.source == b.source:
		return a.Interface.Known() && b.Interface.Known() && a.Interface.V == b.Interface.V
	}
	return network(a, b) || network(b, a)
}

// network reports whether a's network holds b's first address.
func network(a, b router) bool {
	to := b.Addresses[0].V.Addr()
	return slices.ContainsFunc(a.Addresses, func(p prefixFact) bool { return !p.V.IsSingleIP() && p.V.Masked().Contains(to) })
}
