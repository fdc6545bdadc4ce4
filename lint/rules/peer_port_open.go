package rules

import (
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var peerPortOpen = Rule{
	ID:       "peer-port-open",
	Title:    "the peer port is open to more than the members",
	Severity: "error or warning",
	Why: "Raft has no users and no permissions: whoever completes a connection on the peer port with a certificate of the peer CA, or " +
		"with none where peers speak http, writes to the log. A whole subnet holds clients and the load balancer as well.",
	Fix:        "Admit each member's own address to the peer port, or on a cloud the members' own security group, and nobody else.",
	References: []string{"https://etcd.io/docs/v3.6/op-guide/security/", "etcd-io/etcd#8797"},
	Check:      checkPeerPortOpen,
}

func checkPeerPortOpen(g *topology.Group) diag.List {
	var out diag.List
	for _, w := range memberWalls(g) {
		for i, r := range w.Rules {
			if !accepts(r, g.PeerPort()) || r.Limited || !r.Wide && (!r.From.Known() || r.From.V.Bits() == 0 || r.FromName.Known()) {
				continue
			}
			if !w.about(r, g.PeerPort()) || refusedBefore(w.Rules[:i], r, g.PeerPort()) {
				continue
			}
			if d, ok := w.tooWide(g, r); ok {
				out = append(out, d)
			}
		}
	}
	return out
}

// tooWide judges a rule that admits a known source to the peer port.
func (w wall) tooWide(g *topology.Group, r topology.FirewallRule) (diag.Diagnostic, bool) {
	const hint = "admit each member's own address to the peer port"
	if r.Wide {
		return w.finding(diag.Warning, w.place(r), hint, "a firewall rule lets all of %s reach the peer port %d, so whatever else runs "+
			"there can write to Raft; need members only", r.FromName.V, g.PeerPort()), true
	}
	network, members := r.From.V, g.MemberHosts()
	stranger, what, at := outsider(g, network)
	switch {
	case network.IsSingleIP() && g.Balancers()[sourceOf(r)]:
		return diag.Diagnostic{}, false // peer-via-lb
	case network.IsSingleIP() && stranger == "":
		if !foreign(g, network.Addr()) {
			return diag.Diagnostic{}, false
		}
		return w.finding(diag.Warning, w.place(r), hint, "a firewall rule lets %s, which is no member, reach the peer port %d, so it can "+
			"write to Raft; need members only", sourceOf(r), g.PeerPort()), true
	case stranger != "":
		d := w.finding(diag.Error, w.place(r), hint,
			"a firewall rule lets all of %s, %s %s with it, reach the peer port %d, so strangers can write to Raft; need members only",
			sourceOf(r), what, stranger, g.PeerPort())
		if network.IsSingleIP() {
			d.Message = w.finding(diag.Error, w.place(r), hint, "a firewall rule lets %s %s reach the peer port %d, so a stranger can "+
				"write to Raft; need members only", what, stranger, g.PeerPort()).Message
		}
		if at.Line > 0 {
			d.Related = []diag.Related{{Span: at, Message: "no member"}}
		}
		return d, true
	case whole(network, members), len(members) == 0 && small(network):
		return diag.Diagnostic{}, false
	}
	return w.finding(diag.Warning, w.place(r), hint,
		"a firewall rule lets all of %s reach the peer port %d, so whatever else runs there can write to Raft; need members only",
		network, g.PeerPort()), true
}

// foreign reports whether an address is no member's, where a spec says all that members have in its family.
func foreign(g *topology.Group, a netip.Addr) bool {
	spec := g.Spec()
	if spec == nil || a.IsLoopback() || g.MemberHosts()[topology.Host(a.String())] {
		return false
	}
	return !slices.ContainsFunc(spec.Etcd.Members, func(m topology.Member) bool {
		return !slices.ContainsFunc(m.Addresses(), func(v topology.Value[netip.Addr]) bool {
			return topology.FamilyOf(v.V) == topology.FamilyOf(a)
		})
	})
}

// small reports whether a network may be the members' alone.
func small(network netip.Prefix) bool { return network.Addr().BitLen()-network.Bits() <= 4 }

// outsider is an address in a network that is known to be no member's, with whose it is.
func outsider(g *topology.Group, network netip.Prefix) (address, what string, at diag.Span) {
	members := g.MemberHosts()
	inside := func(a netip.Addr) bool { return network.Contains(a) && !members[topology.Host(a.String())] }
	for _, v := range balancerAddresses(g) {
		if inside(v.V) {
			return v.V.String(), "the load balancer", v.Span
		}
	}
	for _, t := range g.Sources {
		for _, v := range t.Clients.KubeAPIServers {
			if v.Known() && inside(v.V) {
				return v.V.String(), "the client", v.Span
			}
		}
		for _, v := range t.Clients.Networks {
			// A network of clients within the rule's holds clients; one around it may keep them elsewhere.
			if v.Known() && network.Bits() <= v.V.Bits() && inside(v.V.Addr()) && !whole(v.V, members) {
				if v.V.IsSingleIP() {
					return v.V.Addr().String(), "the client", v.Span
				}
				return v.V.String(), "the clients", v.Span
			}
		}
	}
	return "", "", diag.Span{}
}

// balancerAddresses are the addresses that are known to be the load balancer's and no member's, with where they stand.
func balancerAddresses(g *topology.Group) []topology.Value[netip.Addr] {
	balancers := g.Balancers()
	var out []topology.Value[netip.Addr]
	for _, v := range g.Dialed() {
		if a, err := netip.ParseAddr(v.V); err == nil && balancers[v.V] {
			out = append(out, topology.SetAt(a, v.Span))
		}
	}
	for _, t := range g.Sources {
		for _, n := range t.Nodes {
			for _, a := range n.Addresses() {
				if balancers[topology.Host(a.V.String())] {
					out = append(out, a)
				}
			}
		}
	}
	return out
}
