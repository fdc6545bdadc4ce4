package rules

import (
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// refusal is the rule by which a member's firewall refuses a port to an address that it admits to the client port; nil
// where that is not certain.
func refusal(g *topology.Group, from netip.Addr, port int) *topology.FirewallRule {
	for _, t := range g.Sources {
		for i := range t.Firewalls {
			f := &t.Firewalls[i]
			if f.Role == topology.Nodes || f.Role == topology.Balancer || f.Family != topology.FamilyOf(from) || f.Observe.V {
				continue
			}
			admits := decides(f, from, g.ClientPort())
			if admits == nil || admits.Verdict != topology.Accept || !admits.From.V.IsSingleIP() {
				continue // whose firewall it is does not show
			}
			if r := decides(f, from, port); r != nil && (r.Verdict == topology.Drop || r.Verdict == topology.Reject) {
				return r
			}
		}
	}
	return nil
}

// decides is the first rule that certainly decides about a new TCP connection; nil where none does, or where one before
// it might.
func decides(f *topology.Firewall, from netip.Addr, port int) *topology.FirewallRule {
	guarded := func(p topology.PortRange) bool { return p.First <= port && port <= p.Last }
	if len(f.Guarded) > 0 && !slices.ContainsFunc(f.Guarded, guarded) {
		return nil // never meets the rules
	}
	for i := range f.Rules {
		r := &f.Rules[i]
		switch {
		case r.Verdict == topology.Log || r.Loopback || r.Established || !r.Covers(port):
		case !r.From.Known() || r.Limited:
			return nil
		case r.From.V.Contains(from):
			return r
		}
	}
	return nil
}
