package lower

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// The ranges that an AWS network load balancer takes.
const (
	awsIdleMin, awsIdleMax         = 60 * time.Second, 6000 * time.Second
	awsIntervalMin, awsIntervalMax = 5 * time.Second, 300 * time.Second
	awsTimeoutMin, awsTimeoutMax   = 2 * time.Second, 120 * time.Second
	awsCountMin                    = 2
)

const awsBalancer = "an AWS network load balancer"

// aws decides the network load balancer with its security groups.
func (l *lowering) aws(options *topology.Tree, target string) {
	lb := l.LoadBalancer
	l.awsAddresses(options)
	l.cannotTerminate(awsBalancer)
	listener := l.listener(l.clamp(lb.Idle, awsIdleMin, awsIdleMax, "the idle timeout", awsBalancer))
	listener.Binds = []topology.Bind{{Addr: topology.Value[netip.Addr]{}, Port: lb.Port}}
	pool := l.pool(l.awsCheck(options))
	pool.Balance, pool.Connect = topology.Value[string]{}, topology.Value[time.Duration]{}
	targets := topology.Get[string](options, "targetType")
	pool.KeepsSource = topology.SetAt(targets.V == "instance", targets.Span)
	pool.CutOnDown = topology.SetAt(true, options.Span)
	pool.CutOnRemoval = topology.SetAt(true, options.Span)
	if targets.V == "instance" || slices.ContainsFunc(pool.Servers, unplaced) {
		for i := range pool.Servers { // which then are told beside the spec, each one
			pool.Servers[i].Host = topology.Value[string]{}
		}
	}
	l.awsFamily(pool.Servers)
	l.t.Proxies = append(l.t.Proxies, topology.Proxy{
		Target: target, Platform: "aws",
		Internal:  topology.DefaultAt(true, options.Span),
		CrossZone: topology.Get[bool](options, "crossZone"),
		Listeners: []topology.Listener{listener},
		Pools:     []topology.Pool{pool},
		Span:      options.Span,
	})
	l.awsGroups(options, target, pool.Check.Port.V)
}

// awsAddresses are the load balancer's own.
func (l *lowering) awsAddresses(options *topology.Tree) {
	addresses := options.Get("addresses")
	for _, zone := range addresses.Keys() {
		a := addresses.Fields[zone]
		addr, err := netip.ParseAddr(a.Leaf.(string))
		known := func(v topology.Value[netip.Addr]) bool { return v.V == addr }
		if err == nil && !slices.ContainsFunc(l.t.Cloud, known) {
			l.t.Cloud = append(l.t.Cloud, topology.SetAt(addr, a.Span))
		}
	}
}

// awsCheck is the check that the load balancer's nodes make.
func (l *lowering) awsCheck(options *topology.Tree) topology.Check {
	check := l.plainCheck(options.Span)
	check.Interval = l.clamp(check.Interval, awsIntervalMin, awsIntervalMax, "the check's interval", awsBalancer)
	check.Timeout = l.clamp(check.Timeout, awsTimeoutMin, min(awsTimeoutMax, check.Interval.V-time.Second), // which it must not reach
		"the check's timeout", awsBalancer)
	check.Fall = l.clampTo(check.Fall, awsCountMin, "fall", awsBalancer)
	check.Rise = l.clampTo(check.Rise, awsCountMin, "rise", awsBalancer)
	return check
}

// unplaced reports whether the spec does not say where a server that takes clients is.
func unplaced(s topology.Server) bool { return !s.Drain.V && !s.Host.Known() }

// awsFamily refuses members of two families: a target group holds addresses of one.
func (l *lowering) awsFamily(servers []topology.Server) {
	var first topology.Server
	for _, s := range servers {
		addr, err := netip.ParseAddr(s.Host.V)
		switch {
		case s.Drain.V || err != nil:
		case !first.Host.Known():
			first = s
		case topology.FamilyOf(addr) != topology.FamilyOf(netip.MustParseAddr(first.Host.V)):
			l.diags.Error(s.Host.Span, "unsupported",
				fmt.Sprintf("member %q has address %s and member %q has %s, but a target group of AWS holds IPv4 or IPv6 addresses, not both; "+
					"need addresses of one family", s.Name.V, s.Host.V, first.Name.V, first.Host.V),
				"give every member an address of the same family")
		}
	}
}

// awsGroups are the security groups of the load balancer and the members. A group takes both families; its references
// to other groups stand with IPv4.
func (l *lowering) awsGroups(options *topology.Tree, target string, checkPort int) {
	e := l.Etcd
	group := func(name string, ports ...int) topology.FirewallRule {
		return topology.FirewallRule{
			Verdict: topology.Accept, Protocol: "tcp", Ports: portRanges(ports),
			FromName: topology.DefaultAt(name, options.Span), Span: options.Span,
		}
	}
	l.group(options, target, topology.Balancer, nil, each(l.Clients.Networks, l.LoadBalancer.Port.V))
	admitted := l.direct()
	if topology.Get[string](options, "targetType").V == "instance" { // which keeps the clients' addresses
		admitted = append(admitted, each(l.Clients.Networks, e.ClientPort.V)...)
	}
	l.group(options, target, topology.Members, []topology.FirewallRule{
		group(topology.Balancer, e.ClientPort.V, checkPort),
		group(topology.Members, e.ClientPort.V, e.PeerPort.V),
	}, append(admitted, l.scraping()...))
}

func (l *lowering) group(options *topology.Tree, target, role string, references []topology.FirewallRule, admitted []admission) {
	for _, family := range []topology.Family{topology.IPv4, topology.IPv6} {
		f := topology.Firewall{
			Target: target, Platform: "aws", Role: role, Family: family, Cloud: true, Rules: rules(admitted, family), Span: options.Span,
		}
		if family == topology.IPv4 {
			f.Rules = append(slices.Clone(references), f.Rules...)
		}
		if len(f.Rules) > 0 {
			l.t.Firewalls = append(l.t.Firewalls, f)
		}
	}
}

// awsAdmissions is what the firewall that another target writes on members must let through: the load balancer's own
// addresses, and the clients themselves where it keeps theirs.
func (l *lowering) awsAdmissions(target string, options *topology.Tree) []admission {
	var out []admission
	serve := []int{l.Etcd.ClientPort.V, l.checkPort()}
	for _, a := range l.t.Cloud {
		out = append(out, admission{prefix(a), serve})
	}
	for _, cloud := range schema.Clouds {
		aws := l.Targets[cloud].Get("aws")
		if topology.Get[string](aws, "targetType").V == "instance" {
			out = append(out, each(l.Clients.Networks, l.Etcd.ClientPort.V)...)
		}
		if aws == nil || len(aws.Get("addresses").Keys()) > 0 {
			continue
		}
		l.diags = append(l.diags, diag.Diagnostic{
			Span: options.At(l.Span), Severity: diag.Error, Rule: "unsupported",
			Message: "target " + target + " does not know the addresses of the AWS load balancer, so members would refuse its checks and connections; " +
				"need targets." + cloud + ".aws.addresses",
			Hint: `give the load balancer an address of its own in each zone: addresses: "eu-west-1a": "…"`,
		})
	}
	return out
}
