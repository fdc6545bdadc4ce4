package lower

import (
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
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
	out := append(l.azureAdmissions(options), l.gcpAdmissions(options)...)
	aws := l.Targets["terraform"].Get("aws")
	if aws == nil {
		return out
	}
	serve := []int{l.Etcd.ClientPort.V, l.checkPort()}
	for _, a := range l.t.Cloud {
		out = append(out, admission{prefix(a), serve})
	}
	if topology.Get[string](aws, "targetType").V == "instance" {
		out = append(out, each(l.Clients.Networks, l.Etcd.ClientPort.V)...)
	}
	if len(l.t.Cloud) == 0 {
		l.diags = append(l.diags, diag.Diagnostic{
			Span: options.At(l.Span), Severity: diag.Error, Rule: "unsupported",
			Message: "target " + target + " does not know the addresses of the AWS load balancer, so members would refuse its checks and connections; " +
				"need targets.terraform.aws.addresses",
			Hint: `give the load balancer an address of its own in each zone: addresses: "eu-west-1a": "…"`,
		})
	}
	return out
}

// awsGroups are the security groups of the load balancer and the members. A group takes both families; its references
// to other groups stand with IPv4.
func (l *lowering) awsGroups(options *topology.Tree) {
	e := l.Etcd
	group := func(name string, ports ...int) topology.FirewallRule {
		return topology.FirewallRule{
			Verdict: topology.Accept, Protocol: "tcp", Ports: portRanges(ports),
			FromName: topology.DefaultAt(name, options.Span), Span: options.Span,
		}
	}
	l.group(options, topology.Balancer, nil, each(l.Clients.Networks, l.LoadBalancer.Port.V))
	admitted := l.direct()
	if topology.Get[string](options, "targetType").V == "instance" { // which keeps the clients' addresses
		admitted = append(admitted, each(l.Clients.Networks, e.ClientPort.V)...)
	}
	l.group(options, topology.Members, []topology.FirewallRule{
		group(topology.Balancer, e.ClientPort.V, l.awsCheckPort()),
		group(topology.Members, e.ClientPort.V, e.PeerPort.V),
	}, append(admitted, l.scraping()...))
}

// awsCheckPort is where the load balancer's own check asks.
func (l *lowering) awsCheckPort() int {
	for _, p := range l.t.Proxies {
		if p.Platform == "aws" {
			return p.Pools[0].Check.Port.V
		}
	}
	return 0
}

func (l *lowering) group(options *topology.Tree, role string, references []topology.FirewallRule, admitted []admission) {
	for _, family := range []topology.Family{topology.IPv4, topology.IPv6} {
		f := topology.Firewall{Target: "terraform", Role: role, Family: family, Cloud: true, Rules: rules(admitted, family), Span: options.Span}
		if family == topology.IPv4 {
			f.Rules = append(slices.Clone(references), f.Rules...)
		}
		if len(f.Rules) > 0 {
			l.t.Firewalls = append(l.t.Firewalls, f)
		}
	}
}
