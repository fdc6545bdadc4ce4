package rules

import (
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var firewallSource = Rule{
	ID:       "firewall-source",
	Title:    "the firewall admits an address that no packet comes from",
	Severity: "error",
	Why: "HAProxy and NGINX dial members from the own address of the machine they run on, not from the virtual address that clients " +
		"dial. A cloud load balancer may keep the client's address. Members that admit the virtual address alone refuse all of them.",
	Fix: "Admit the own address of each machine of the load balancer; behind a cloud load balancer that keeps the client's address, the " +
		"clients' networks.",
	References: []string{
		"https://docs.haproxy.org/2.6/configuration.html#4.2-source",
		"https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#client-ip-preservation",
	},
	Check:    checkFirewallSource,
	Unjudged: firewallSourceUnjudged,
}

func checkFirewallSource(g *topology.Group) diag.List {
	var out diag.List
	port := g.ClientPort()
	for _, w := range memberWalls(g) {
		refused := w.refusesAll(port)
		if refused < 0 && w.Rest != topology.Drop || w.source.Format == "spec" || w.Observe.V {
			continue
		}
		rules := w.Rules
		if refused >= 0 {
			rules = rules[:refused]
		}
		for _, r := range rules {
			if !accepts(r, port) || !w.about(r, port) || r.Limited {
				continue
			}
			if why, hint := elsewhere(g, w, rules, r); why != "" {
				out = append(out, w.finding(diag.Error, r.Span, hint,
					"the firewall admits the load balancer by %s, but %s, so members refuse all that it sends; need those addresses admitted",
					sourceOf(r), why))
			}
		}
	}
	return out
}

// elsewhere says whence the load balancer's connections really come, and what to admit; "" where the source of a rule may
// be right, or the other rules admit where they do come from.
func elsewhere(g *topology.Group, w wall, rules []topology.FirewallRule, r topology.FirewallRule) (why, hint string) {
	if !dialed(g, r) {
		return "", ""
	}
	nodes := nodeAddresses(g)
	for _, b := range g.EtcdPools() {
		if b.Proxy.Cloud() && b.KeepsSource.V && !admitsAny(rules, clientAddresses(g), g.ClientPort()) {
			return "a cloud load balancer keeps the address of the client", "admit the clients' networks"
		}
	}
	if slices.ContainsFunc(nodes, func(a netip.Addr) bool { return a.String() == sourceOf(r) }) {
		return "", ""
	}
	nodes = slices.DeleteFunc(nodes, func(a netip.Addr) bool { return topology.FamilyOf(a) != w.Family })
	switch {
	case admitsAny(rules, nodes, g.ClientPort()), choosesSource(g):
		return "", ""
	case len(nodes) > 0 || virtual(g)[sourceOf(r)] && runsItself(g) && !admitsMore(g, rules, r):
		return "a proxy dials members from its machine's own address", "admit the own address of each load balancer machine"
	}
	return "", ""
}

// choosesSource reports whether a proxy is told which address to dial from.
func choosesSource(g *topology.Group) bool {
	return slices.ContainsFunc(g.EtcdPools(), func(b topology.EtcdPool) bool { return !b.Proxy.Cloud() && unread(b.KeepsSource) })
}

// dialed reports whether a rule admits exactly what clients dial: as somebody says it, or as a virtual address on which a
// listener of etcd is bound.
func dialed(g *topology.Group, r topology.FirewallRule) bool {
	source := topology.Host(sourceOf(r))
	return (r.FromName.Known() || r.From.Known() && r.From.V.IsSingleIP()) && (clouds(g)[source] || virtual(g)[source] && g.Balancers()[source] ||
		slices.ContainsFunc(g.Dialed(), func(v topology.Value[string]) bool { return v.V == source }))
}

// clouds are the addresses of etcd's load balancers in clouds.
func clouds(g *topology.Group) map[string]bool {
	out := map[string]bool{}
	for _, l := range g.EtcdListeners() {
		for _, b := range l.Binds {
			if l.Proxy.Cloud() && b.Addr.Known() {
				out[topology.Host(b.Addr.V.String())] = true
			}
		}
	}
	return out
}

// virtual are the addresses that move between machines, so that none of them is a machine's own.
func virtual(g *topology.Group) map[string]bool {
	out := map[string]bool{}
	for _, t := range g.Sources {
		for _, v := range t.Virtual {
			out[topology.Host(v.V.String())] = true
		}
		for _, r := range t.VRRP {
			for _, a := range r.Addresses {
				if a.Known() {
					out[topology.Host(a.V.Addr().String())] = true
				}
			}
		}
	}
	return out
}

// runsItself reports whether no cloud is known to be the load balancer.
func runsItself(g *topology.Group) bool {
	return !slices.ContainsFunc(g.EtcdPools(), func(b topology.EtcdPool) bool { return b.Proxy.Cloud() })
}

// admitsMore reports whether rules admit others than members to the client port, who may be machines of the load balancer.
func admitsMore(g *topology.Group, rules []topology.FirewallRule, but topology.FirewallRule) bool {
	members := g.MemberHosts()
	return slices.ContainsFunc(rules, func(r topology.FirewallRule) bool {
		return r.Span != but.Span && accepts(r, g.ClientPort()) && (!r.From.Known() || !whole(r.From.V, members) && !r.From.V.Addr().IsLoopback())
	})
}

// admitsAny reports whether rules admit, or may admit, one of some addresses to a port.
func admitsAny(rules []topology.FirewallRule, addresses []netip.Addr, port int) bool {
	return slices.ContainsFunc(rules, func(r topology.FirewallRule) bool {
		return accepts(r, port) && (mystery(r) ||
			slices.ContainsFunc(addresses, func(a netip.Addr) bool { return r.From.Known() && r.From.V.Contains(a) }))
	})
}

// nodeAddresses are the own addresses of the load balancer's machines.
func nodeAddresses(g *topology.Group) []netip.Addr {
	var out []netip.Addr
	for _, t := range g.Sources {
		for _, n := range t.Nodes {
			for _, a := range n.Addresses() {
				out = append(out, a.V)
			}
		}
	}
	return out
}

// clientAddresses are one address of each client, or network of clients.
func clientAddresses(g *topology.Group) []netip.Addr {
	var out []netip.Addr
	for _, t := range g.Sources {
		for _, n := range t.Clients.Networks {
			if n.Known() {
				out = append(out, n.V.Addr())
			}
		}
	}
	return out
}

func firewallSourceUnjudged(g *topology.Group) string {
	if len(g.Balancers()) > 0 || len(g.Dialed()) > 0 {
		return ""
	}
	for _, w := range memberWalls(g) {
		if i := w.refusesAll(g.ClientPort()); i >= 0 && w.concerns(g.ClientPort()) && !w.Cloud &&
			slices.ContainsFunc(w.Rules[:i], func(r topology.FirewallRule) bool { return accepts(r, g.ClientPort()) && r.From.Known() }) {
			return "nothing says where the load balancer is: lint the spec, or pass --endpoint"
		}
	}
	return ""
}
