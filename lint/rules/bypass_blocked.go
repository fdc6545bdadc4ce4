package rules

import (
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var bypassBlocked = Rule{
	ID:       "bypass-blocked",
	Title:    "nobody can reach members when the load balancer is down",
	Severity: "warning",
	Why: "When the load balancer fails, clients are pointed at the members' own addresses. Where the firewall admits nobody but the load " +
		"balancer, that takes a change of the firewall on every member first, in the middle of an outage.",
	Fix: "Admit those who would bypass the load balancer, kube-apiservers or an operators' network, to the client port: in a spec " +
		"`clients.direct`. Client certificates still decide who may read.",
	References: []string{
		"https://etcd.io/docs/v3.6/op-guide/gateway/",
		"https://kubernetes.io/docs/tasks/administer-cluster/configure-upgrade-etcd/",
	},
	Check: checkBypassBlocked,
}

func checkBypassBlocked(g *topology.Group) diag.List {
	var out diag.List
	port := g.ClientPort()
	for _, w := range memberWalls(g) {
		i := w.refusesAll(port)
		if i < 0 || w.Observe.V || !w.concerns(port) || !onlyBalancer(g, w.Rules[:i], port) || w.otherFamily(g, port) || w.half(g) {
			continue
		}
		out = append(out, w.finding(diag.Warning, w.Rules[i].Span, "admit whoever bypasses the load balancer to the client port (in the spec: clients: direct: [...])",
			"the firewall leaves nobody but the load balancer a way to the client port %d, so nothing reaches etcd when the load balancer "+
				"is down; need a network that may go directly", port))
	}
	return out
}

// half reports whether these are IPv6 rules of machines whose IPv4 rules are not known: the way may lead there.
func (w wall) half(g *topology.Group) bool {
	return w.Family == topology.IPv6 && !slices.ContainsFunc(memberWalls(g), func(o wall) bool {
		return o.Family == topology.IPv4 && o.Role == w.Role
	})
}

// otherFamily reports whether the same machines admit others than the load balancer by the other IP version.
func (w wall) otherFamily(g *topology.Group, port int) bool {
	return slices.ContainsFunc(memberWalls(g), func(o wall) bool {
		if o.Family == w.Family || o.Role != w.Role {
			return false
		}
		i := o.refusesAll(port)
		return i >= 0 && slices.ContainsFunc(o.Rules[:i], func(r topology.FirewallRule) bool { return accepts(r, port) }) &&
			!onlyBalancer(g, o.Rules[:i], port)
	})
}

// onlyBalancer reports whether rules admit the load balancer to the client port, and certainly nobody else but the members
// and the machine itself.
func onlyBalancer(g *topology.Group, rules []topology.FirewallRule, port int) bool {
	members, found := g.MemberHosts(), false
	balancers := g.Balancers()
	for _, r := range rules {
		switch {
		case !accepts(r, port):
		case r.FromName.V == topology.Balancer, r.FromName.Known() && balancers[topology.Host(r.FromName.V)]:
			found = true
		case !r.From.Known():
			return false
		case whole(r.From.V, balancers):
			found = true
		case !r.From.V.Addr().IsLoopback() && !whole(r.From.V, members):
			return false
		}
	}
	return found && !clientsOnMembers(g)
}

// clientsOnMembers reports whether a client runs on a member, where it needs no load balancer.
func clientsOnMembers(g *topology.Group) bool {
	members := g.MemberHosts()
	return slices.ContainsFunc(clientAddresses(g), func(a netip.Addr) bool { return members[topology.Host(a.String())] })
}
