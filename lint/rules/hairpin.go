package rules

import (
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var hairpin = Rule{
	ID:       "hairpin",
	Title:    "a member cannot reach itself through the load balancer",
	Severity: "error or warning",
	Why: "Where a load balancer keeps the client's address, a client on a member that is sent to that very member gets its own packets " +
		"back and drops them: one connection in three hangs, at random (AWS with instance targets, Azure), or it always meets its own " +
		"member, even a sick one (Google). kube-apiserver on control plane nodes that run etcd is the usual victim.",
	Fix: "On AWS register addresses (`target_type = \"ip\"`) with `preserve_client_ip = false`; instance targets with " +
		"`preserve_client_ip = false` do as well. Elsewhere let clients on members dial their own member.",
	References: []string{
		"kubernetes/kubernetes#66796", "kubernetes-sigs/cluster-api-provider-aws#3088", "openshift/installer#2085", "Azure/aks-engine#2948",
		"https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-troubleshooting.html",
	},
	Check:    checkHairpin,
	Unjudged: hairpinUnjudged,
}

// around spells how a client on a member gets around.
var around = remedies{
	"aws":  `set preserve_client_ip = false, or target_type = "ip"`,
	"spec": `on AWS set targetType: "ip"; elsewhere let clients on members dial their own member`,
	"":     "let clients on members dial their own member",
}

func checkHairpin(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range clientPools(g) {
		if !b.KeepsSource.Known() || !b.KeepsSource.V || onPeerPort(g, b) {
			continue
		}
		d := diag.Diagnostic{Span: b.KeepsSource.Span, Severity: diag.Error, Subject: b.Subject()}
		who := clientOnMember(g, b)
		switch {
		case who.Known():
			d.Message = fmt.Sprintf("%s keeps the client's address, but %s, so a member cannot reach itself; "+
				"need the client's address replaced, or a client that dials its own member", b.Called(), who.V)
			if who.Span.Line > 0 && who.Span != d.Span {
				d.Related = []diag.Related{{Span: who.Span, Message: "a client on a member"}}
			}
		case openToMembers(g, b):
			d.Severity = diag.Warning
			d.Message = fmt.Sprintf("%s keeps the client's address, as it does for instances where nothing is written, so a client on a "+
				"member cannot reach that member; need preserve_client_ip = false, or written down that there is none", b.Called())
		default:
			continue
		}
		d.Hint = around.of(b.Source, b.Proxy)
		out = append(out, d)
	}
	return out
}

const both = " is both a client and a member"

// clientOnMember is what shows that a client of the load balancer runs on a member: its address among the clients', or a
// firewall of the load balancer that admits the members.
func clientOnMember(g *topology.Group, b topology.EtcdPool) topology.Value[string] {
	members := g.MemberHosts()
	for _, s := range b.Servers {
		if s.Host.Known() {
			members[topology.Host(s.Host.V)] = true
		}
	}
	for _, t := range g.Sources {
		for _, a := range t.Clients.KubeAPIServers {
			if a.Known() && members[topology.Host(a.V.String())] {
				return topology.SetAt(a.V.String()+both, a.Span)
			}
		}
		for _, n := range t.Clients.Networks {
			if n.Known() && n.V.IsSingleIP() && members[topology.Host(n.V.Addr().String())] {
				return topology.SetAt(n.V.Addr().String()+both, n.Span)
			}
		}
	}
	for _, t := range g.Sources {
		for _, d := range t.Dialers {
			if d.Address.Known() && members[topology.Host(d.Address.V)] && dials(g, d) {
				return topology.SetAt(d.Address.V+both, d.Address.Span)
			}
		}
	}
	for _, f := range b.Source.Firewalls {
		for _, r := range f.Rules {
			if f.Role == topology.Balancer && r.Verdict == topology.Accept && !r.Limited && r.FromName.V == topology.Members {
				return topology.SetAt("the load balancer's security group admits the members", r.Span)
			}
		}
	}
	return topology.Value[string]{}
}

// dials reports whether a client dials the load balancer.
func dials(g *topology.Group, d topology.Dialer) bool {
	balancers := g.Balancers()
	return slices.ContainsFunc(d.Endpoints, func(v topology.Value[string]) bool {
		u, ok := topology.ParseURL(v)
		return ok && balancers[topology.Host(u.Host)]
	})
}

// openToMembers reports whether nobody decided that the client's address is kept, and nothing says who the clients are:
// no security group stands before the load balancer, and no spec names their networks.
func openToMembers(g *topology.Group, b topology.EtcdPool) bool {
	for _, t := range g.Sources {
		if len(t.Clients.Networks) > 0 {
			return false
		}
	}
	open := b.Proxy.Firewalled
	return b.KeepsSource.State == topology.Defaulted && open.Known() && !open.V
}

func hairpinUnjudged(g *topology.Group) string {
	for _, b := range g.EtcdPools() {
		switch {
		case b.Proxy.Cloud() && unread(b.KeepsSource):
			return variable("preserve_client_ip")
		case b.KeepsSource.V && g.Spec() == nil && !clientOnMember(g, b).Known() && !openToMembers(g, b):
			return "nothing says where the clients are: lint the spec, too"
		}
	}
	return ""
}
