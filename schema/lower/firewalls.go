package lower

import (
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// prefix is one machine as a network.
func prefix(a topology.Value[netip.Addr]) topology.Value[netip.Prefix] {
	return topology.SetAt(netip.PrefixFrom(a.V, a.V.BitLen()), a.Span)
}

// admission lets a source reach ports.
type admission struct {
	from  topology.Value[netip.Prefix]
	ports []int
}

// rules are the admissions of one family, in order, each source and port once.
func rules(all []admission, family topology.Family) []topology.FirewallRule {
	var out []topology.FirewallRule
	for _, a := range all {
		if topology.FamilyOf(a.from.V.Addr()) != family || len(a.ports) == 0 {
			continue
		}
		r := topology.FirewallRule{Verdict: topology.Accept, Protocol: "tcp", From: a.from, Ports: portRanges(a.ports), Span: a.from.Span}
		known := slices.ContainsFunc(out, func(o topology.FirewallRule) bool {
			return o.From.V == r.From.V && slices.Equal(o.Ports, r.Ports)
		})
		if !known {
			out = append(out, r)
		}
	}
	return out
}

// portRanges are single ports, sorted, each once; 0 is none.
func portRanges(ports []int) []topology.PortRange {
	ports = slices.Compact(slices.Sorted(slices.Values(ports)))
	var out []topology.PortRange
	for _, p := range ports {
		if p != 0 {
			out = append(out, topology.Port(p))
		}
	}
	return out
}

// checkPort is where checks ask, when that is not the client port, else 0.
func (l *lowering) checkPort() int {
	if c := l.fullCheck(); c.Port.V != l.Etcd.ClientPort.V {
		return c.Port.V
	}
	return 0
}

// memberAdmissions is who may reach members: the machines of the load balancer, the members themselves, whoever may
// bypass the load balancer, and monitoring.
func (l *lowering) memberAdmissions() []admission {
	e := l.Etcd
	serve := []int{e.ClientPort.V, l.checkPort()}
	var out []admission
	for _, n := range l.Nodes {
		for _, a := range n.Addresses() {
			out = append(out, admission{prefix(a), serve})
		}
	}
	for _, m := range e.Members {
		for _, a := range m.Addresses() {
			out = append(out, admission{prefix(a), []int{e.ClientPort.V, e.PeerPort.V}})
		}
	}
	if l.LoadBalancer.Local() { // the proxies run where the clients are
		out = append(out, each(l.Clients.Networks, serve...)...)
	}
	return slices.Concat(out, l.direct(), l.scraping())
}

// direct is who may reach members without the load balancer.
func (l *lowering) direct() []admission { return each(l.Clients.Direct, l.Etcd.ClientPort.V) }

// scraping is who may read members' metrics.
func (l *lowering) scraping() []admission {
	if !l.Etcd.MetricsPort.Known() {
		return nil
	}
	return each(l.Monitoring, l.Etcd.MetricsPort.V)
}

// each lets every network reach the same ports.
func each(networks []topology.Value[netip.Prefix], ports ...int) []admission {
	out := make([]admission, len(networks))
	for i, n := range networks {
		out[i] = admission{n, ports}
	}
	return out
}

// firewalls decides the rules of members and, where the spec lists them, of the load balancer's machines: alike for each
// target that writes them.
func (l *lowering) firewalls(target string, options *topology.Tree) {
	e := l.Etcd
	guarded := portRanges([]int{e.ClientPort.V, e.PeerPort.V, e.MetricsPort.V, e.ClientHTTPPort.V})
	l.firewall(target, options, topology.Members, guarded, slices.Concat(l.memberAdmissions(), l.cloudAdmissions(target, options)))
	if len(l.Nodes) == 0 {
		return
	}
	port := l.LoadBalancer.Port.V
	metrics := topology.Get[int](l.Targets["haproxy"], "metricsPort").V
	nodes := each(l.Clients.Networks, port)
	if metrics != 0 {
		nodes = append(nodes, each(l.Monitoring, metrics)...)
	}
	l.firewall(target, options, topology.Nodes, portRanges([]int{port, metrics}), nodes)
}

// chains begin the names of what each kind of machine gets.
var chains = map[string]string{topology.Members: "etcd-", topology.Nodes: "etlb-"}

// firewall adds the rules of a role in both families: an IPv6 one always, even when it only refuses.
func (l *lowering) firewall(target string, options *topology.Tree, role string, guarded []topology.PortRange, admitted []admission) {
	mode := topology.Get[string](options, "mode")
	at := options.At(l.Span)
	for _, family := range []topology.Family{topology.IPv4, topology.IPv6} {
		f := topology.Firewall{
			Target: target, Role: role, Family: family, Guarded: guarded,
			Name:    topology.DefaultAt(chains[role]+l.Name.V, at),
			Observe: topology.DefaultAt(mode.V == "observe", mode.Span),
			Rules:   make([]topology.FirewallRule, 0, len(l.Nodes)+len(admitted)+3),
			Span:    at,
		}
		if role == topology.Nodes && len(l.Nodes) > 1 {
			f.Rules = append(f.Rules, l.vrrp(family)...)
		}
		f.Rules = append(f.Rules,
			topology.FirewallRule{Verdict: topology.Accept, Loopback: true, Span: at},
			topology.FirewallRule{Verdict: topology.Accept, Established: true, Span: at})
		f.Rules = append(f.Rules, rules(admitted, family)...)
		f.Rules = append(f.Rules, topology.FirewallRule{
			Verdict: topology.Reject, Protocol: "tcp", From: topology.DefaultAt(anybody(family), at), Span: at,
		})
		l.t.Firewalls = append(l.t.Firewalls, f)
	}
}

// anybody is every source of a family.
func anybody(family topology.Family) netip.Prefix {
	if family == topology.IPv6 {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}

// vrrp admits the announcements between the load balancer's machines.
func (l *lowering) vrrp(family topology.Family) []topology.FirewallRule {
	var out []topology.FirewallRule
	for _, n := range l.Nodes {
		for _, a := range n.Addresses() {
			if topology.FamilyOf(a.V) == family {
				out = append(out, topology.FirewallRule{Verdict: topology.Accept, Protocol: "vrrp", From: prefix(a), Span: a.Span})
			}
		}
	}
	return out
}

// cloudAdmissions is what members behind a cloud's load balancer must admit beside: its own addresses, and the
// clients' where it keeps them.
func (l *lowering) cloudAdmissions(target string, options *topology.Tree) []admission {
	return slices.Concat(l.azureAdmissions(options), l.gcpAdmissions(options), l.awsAdmissions(target, options))
}
