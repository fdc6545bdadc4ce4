package rules

import (
	"fmt"
	"net/url"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var peerViaLB = Rule{
	ID:       "peer-via-lb",
	Title:    "the peer port is behind a load balancer",
	Severity: "error",
	Why: "Members must know which member they talk to. Behind a load balancer a message for one reaches another, which rejects it: " +
		"elections fail, members flap, and the peer certificate does not match the address the connection comes from. It also " +
		"opens Raft to whoever reaches the load balancer.",
	Fix: "Remove the peer port (2380) from the load balancer, and give members each other's own addresses in " +
		"initial-advertise-peer-urls and initial-cluster. Admit only members to the peer port.",
	References: []string{
		"etcd-io/etcd#7687", "etcd-io/etcd#8797", "etcd-io/etcd#12562", "etcd-io/etcd#13207",
		"https://etcd.io/docs/v3.6/op-guide/security/#notes-for-tls-authentication",
	},
	Check:    checkPeerViaLB,
	Unjudged: peerViaLBUnjudged,
}

func checkPeerViaLB(g *topology.Group) diag.List {
	out := append(peerPools(g), peerListeners(g)...)
	out = append(out, peerURLs(g)...)
	return append(out, peerFirewalls(g)...)
}

const (
	peerHarm = "so Raft messages reach the wrong member"
	peerHint = "remove it: members talk to each other directly"
)

// peerPools finds pools with a server on the peer port.
func peerPools(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range g.EtcdPools() {
		var d *diag.Diagnostic
		for _, s := range b.Servers {
			if !s.Port.Known() || s.Port.V != g.PeerPort() {
				continue
			}
			if d != nil {
				d.Related = append(d.Related, diag.Related{Span: s.Port.Span, Message: "and here"})
				continue
			}
			d = &diag.Diagnostic{
				Span:     s.Port.Span,
				Severity: diag.Error,
				Message: fmt.Sprintf("%s sends to the peer port %d, %s; need the client port %d only",
					b.Called(), s.Port.V, peerHarm, g.ClientPort()),
				Hint:    peerHint,
				Subject: b.Subject(),
				Firm:    b.Proof == topology.Proven,
			}
		}
		if d != nil {
			out = append(out, *d)
		}
	}
	return out
}

// peerListeners finds listeners on the peer port, wherever they lead.
func peerListeners(g *topology.Group) diag.List {
	var out diag.List
	for _, l := range g.EtcdListeners() {
		for _, b := range l.Binds {
			if !b.Port.Known() || b.Port.V != g.PeerPort() {
				continue
			}
			out = append(out, diag.Diagnostic{
				Span:     b.Port.Span,
				Severity: diag.Error,
				Message: fmt.Sprintf("%s accepts connections on the peer port %d, %s; need the client port %d only",
					l.Called(), b.Port.V, peerHarm, g.ClientPort()),
				Hint:    peerHint,
				Subject: l.Subject(),
				Firm:    l.Proof == topology.Proven,
			})
			break
		}
	}
	return out
}

// peerURLs finds members that tell the others to reach them by way of the load balancer.
func peerURLs(g *topology.Group) diag.List {
	var out diag.List
	balancers := g.Balancers()
	for _, t := range g.Sources {
		for _, m := range t.Etcd.Members {
			for _, v := range m.PeerURLs {
				u, err := url.Parse(v.V)
				if !v.Known() || err != nil || !balancers[topology.Host(u.Hostname())] {
					continue
				}
				out = append(out, diag.Diagnostic{
					Span:     v.Span,
					Severity: diag.Error,
					Message: fmt.Sprintf("%s advertises the load balancer %s to its peers, %s; need the member's own address",
						called("member", m.Name), u.Hostname(), peerHarm),
					Hint:    "advertise an address that only this member has",
					Subject: "member " + m.Name.V,
					Firm:    true,
				})
			}
		}
	}
	return out
}

// peerFirewalls finds rules that admit exactly the load balancer to the peer port.
func peerFirewalls(g *topology.Group) diag.List {
	var out diag.List
	balancers := g.Balancers()
	for _, t := range g.Sources {
		for _, f := range t.Firewalls {
			if f.Role != topology.Nodes && f.Role != topology.Balancer {
				out = append(out, admitted(g, t, f, balancers)...)
			}
		}
	}
	return out
}

func admitted(g *topology.Group, t *topology.Topology, f topology.Firewall, balancers map[string]bool) diag.List {
	var out diag.List
	for i, r := range f.Rules {
		if r.Verdict != topology.Accept || r.Loopback || r.Established || r.Limited || !r.Covers(g.PeerPort()) {
			continue
		}
		from := ""
		switch {
		case r.From.Known() && r.From.V.IsSingleIP() && balancers[topology.Host(r.From.V.Addr().String())]:
			from = r.From.V.Addr().String()
		case r.FromName.Known() && (balancers[topology.Host(r.FromName.V)] || r.FromName.V == topology.Balancer):
			from = r.FromName.V
		default:
			continue
		}
		if refusedBefore(f.Rules[:i], r, g.PeerPort()) {
			continue
		}
		who := "the load balancer"
		if from != topology.Balancer {
			who += " " + from
		}
		out = append(out, diag.Diagnostic{
			Span:     wall{&f, t}.place(r),
			Severity: diag.Error,
			Message: fmt.Sprintf("a firewall rule lets %s reach the peer port %d, which only members may use; "+
				"need the client port %d and the port of the health check only", who, g.PeerPort(), g.ClientPort()),
			Hint:    fmt.Sprintf("take port %d out of the rule", g.PeerPort()),
			Subject: t.Format + " firewall " + f.Name.V,
			Firm:    g.Spec() != nil || topology.NamesEtcd(from) || topology.NamesEtcd(f.Name.V),
		})
	}
	return out
}

// refusedBefore reports whether an earlier rule refuses all that rule r would accept on a port.
func refusedBefore(earlier []topology.FirewallRule, r topology.FirewallRule, port int) bool {
	for i := range earlier { // of many, so that none is copied
		e := &earlier[i]
		refuses := e.Verdict == topology.Drop || e.Verdict == topology.Reject
		if !refuses || e.Limited || e.Loopback || e.Established || !e.Covers(port) || !e.From.Known() {
			continue
		}
		if e.From.V.Bits() == 0 || r.From.Known() && e.From.V.Contains(r.From.V.Addr()) {
			return true
		}
	}
	return false
}

func peerViaLBUnjudged(g *topology.Group) string {
	for _, b := range g.EtcdPools() {
		for _, s := range b.Servers {
			if !s.Port.Known() {
				return "a port is not in the files: a variable, a placeholder or set elsewhere"
			}
		}
	}
	return ""
}
