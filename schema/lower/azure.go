package lower

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// The ranges that Azure's load balancer takes.
const (
	azureIdleMin, azureIdleMax         = 4 * time.Minute, 100 * time.Minute
	azureIntervalMin, azureIntervalMax = 5 * time.Second, 24 * 24 * time.Hour // longer ones no spec may have
)

const azureBalancer = "Azure's load balancer"

// azure decides the Standard internal load balancer: members see the clients' addresses, and their own as destination.
func (l *lowering) azure(options *topology.Tree) {
	lb := l.LoadBalancer
	l.cannotTerminate(azureBalancer)
	l.azureRefusals()
	pool := l.pool(l.azureCheck(options))
	pool.Balance, pool.Connect = topology.Value[string]{}, topology.Value[time.Duration]{}
	pool.KeepsSource = topology.DefaultAt(true, options.Span)
	known := l.azurePlaced()
	for i := range pool.Servers {
		if !known { // the module then takes all addresses as a variable without default
			pool.Servers[i].Host = topology.Value[string]{}
		}
	}
	listener := l.listener(l.azureIdle(lb.Idle))
	listener.Name = topology.DefaultAt(l.poolName(), lb.Span)
	listener.Routes[0].Reset = topology.DefaultAt(true, options.Span)
	listener.Binds = []topology.Bind{{Port: lb.Port}}
	if lb.VIP.Known() && lb.VIP.V.Is4() {
		listener.Binds[0].Addr = lb.VIP
	}
	l.t.Proxies = append(l.t.Proxies, topology.Proxy{
		Target: "terraform", Platform: "azure",
		Internal:  topology.DefaultAt(true, options.Span),
		Listeners: []topology.Listener{listener},
		Pools:     []topology.Pool{pool},
		Span:      options.Span,
	})
	l.azureFirewalls(options, pool.Check.Port.V, known)
}

// azurePlaced reports whether the spec says where every member is.
func (l *lowering) azurePlaced() bool {
	return !slices.ContainsFunc(l.Etcd.Members, func(m topology.Member) bool { return !m.Address.Known() })
}

// azureIdle is in whole minutes.
func (l *lowering) azureIdle(v topology.Value[time.Duration]) topology.Value[time.Duration] {
	c := v
	c.V = max(min(v.V, azureIdleMax).Round(time.Minute), azureIdleMin)
	if c.V != v.V && v.State == topology.Set {
		l.unsupported(v.Span, fmt.Sprintf("the idle timeout is %s, but %s takes %s to %s in whole minutes; written as %s", topology.Short(v.V),
			azureBalancer, topology.Short(azureIdleMin), topology.Short(azureIdleMax), topology.Short(c.V)),
			"set a value that "+azureBalancer+" takes, or leave it out")
	}
	return c
}

// azureCheck is the check that Azure's probes make: one number of probes both lets in and keeps out, and how long they
// wait nobody can say.
func (l *lowering) azureCheck(options *topology.Tree) topology.Check {
	check := l.plainCheck(options.Span)
	check.Interval = l.clamp(check.Interval, azureIntervalMin, azureIntervalMax, "the check's interval", azureBalancer)
	if check.Timeout.State == topology.Set {
		l.unsupported(check.Timeout.Span, fmt.Sprintf("the check's timeout is %s, but %s has none to set", topology.Short(check.Timeout.V), azureBalancer),
			"leave it out where no other load balancer needs it")
	}
	check.Timeout = topology.Value[time.Duration]{}
	if rise := check.Rise; rise.V != check.Fall.V && rise.State == topology.Set {
		l.unsupported(rise.Span, fmt.Sprintf("the check's rise is %d and its fall %d, but %s has one number for both; written as %d",
			rise.V, check.Fall.V, azureBalancer, check.Fall.V), "set both to the same number, or leave rise out")
	}
	check.Rise = topology.DefaultAt(check.Fall.V, check.Fall.Span)
	check.Sources, check.SourceTag = topology.AzureProbes, topology.AzureTag
	return check
}

// azureRefusals says what the load balancer cannot do as asked. Its frontend and the members behind it speak IPv4.
func (l *lowering) azureRefusals() {
	lb := l.LoadBalancer
	for _, m := range l.Etcd.Members {
		if m.Address.Known() && m.Address.V.Is6() {
			l.diags.Error(m.Address.Span, "unsupported", fmt.Sprintf("member %q has address %s, but the load balancer of target azure sends clients "+
				"to IPv4 addresses alone; need one as address", m.Name.V, m.Address.V), "make the IPv4 address the member's address and this one its address6")
		}
	}
	if lb.VIP.Known() && lb.VIP.V.Is6() {
		l.diags.Error(lb.VIP.Span, "unsupported", fmt.Sprintf("vip %s is IPv6, but the load balancer of target azure has an IPv4 address; need an IPv4 vip",
			lb.VIP.V), "write an unused IPv4 address of the subnet")
	}
	if lb.VIP6.Known() {
		l.unsupported(lb.VIP6.Span, fmt.Sprintf("vip6 is %s, but the load balancer of target azure has an IPv4 address alone, so nothing answers there",
			lb.VIP6.V), "leave vip6 out, or serve IPv6 clients by another target")
	}
	for _, n := range l.Clients.Networks {
		if n.V.Addr().Is6() {
			l.unsupported(n.Span, fmt.Sprintf("clients in %s cannot reach the load balancer of target azure, which has an IPv4 address alone", n.V),
				"add their IPv4 network, or admit them to members by clients.direct")
			break
		}
	}
}

// azureFirewalls are the members' security rules in the order of their priorities: probes, whoever the spec names, the
// members themselves, and nobody else, since Azure's own rules let the whole network in.
func (l *lowering) azureFirewalls(options *topology.Tree, checkPort int, placed bool) {
	e, at := l.Etcd, options.Span
	clients := slices.DeleteFunc(each(l.Clients.Networks, e.ClientPort.V), func(a admission) bool { return a.from.V.Addr().Is6() })
	named := byPorts(slices.Concat(clients, l.direct(), l.scraping()))
	guarded := portRanges([]int{e.ClientPort.V, e.PeerPort.V, e.MetricsPort.V, e.ClientHTTPPort.V})
	for _, family := range []topology.Family{topology.IPv4, topology.IPv6} {
		f := topology.Firewall{
			Target: "terraform", Platform: "azure", Name: topology.DefaultAt(l.poolName()+"-members", at), Family: family, Cloud: true,
			Rules: []topology.FirewallRule{
				{Verdict: topology.Accept, Loopback: true, Span: at},
				{Verdict: topology.Accept, Established: true, Span: at},
			},
			Span: at,
		}
		if family == topology.IPv4 {
			f.Rules = append(f.Rules, topology.FirewallRule{
				Verdict: topology.Accept, Protocol: "tcp", Ports: portRanges([]int{checkPort}), FromName: topology.DefaultAt(topology.AzureTag, at), Span: at,
			})
		}
		f.Rules = slices.Concat(f.Rules, rules(named, family), l.azurePeers(family, placed))
		if family == topology.IPv6 && len(f.Rules) == 2 {
			continue
		}
		f.Rules = append(f.Rules, topology.FirewallRule{
			Verdict: topology.Drop, Protocol: "tcp", Ports: guarded, From: topology.DefaultAt(anybody(family), at), Span: at,
		})
		l.t.Firewalls = append(l.t.Firewalls, f)
	}
}

// byPorts brings admissions to the same ports together: a security rule holds them all.
func byPorts(all []admission) []admission {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b admission) int { return cmp.Compare(a.ports[0], b.ports[0]) })
	return all
}

// azurePeers let members reach each other, a rule for each: in a rule for all, one that comes or goes would change the
// others'. Their order is that of their priorities.
func (l *lowering) azurePeers(family topology.Family, placed bool) []topology.FirewallRule {
	names := make([]string, len(l.Etcd.Members))
	for i, m := range l.Etcd.Members {
		names[i] = m.Name.V
	}
	slots := topology.Slots(names, topology.AzureSlots)
	members := slices.SortedFunc(slices.Values(l.Etcd.Members), func(a, b topology.Member) int {
		return cmp.Compare(slots[a.Name.V], slots[b.Name.V])
	})
	var out []topology.FirewallRule
	for _, m := range members {
		r := topology.FirewallRule{
			Verdict: topology.Accept, Protocol: "tcp", Ports: portRanges([]int{l.Etcd.ClientPort.V, l.Etcd.PeerPort.V}), Span: m.Span,
		}
		switch {
		case family == topology.IPv4 && placed:
			r.From = prefix(m.Address)
		case family == topology.IPv6 && m.Address6.Known():
			r.From = prefix(m.Address6)
		case family == topology.IPv6:
			continue
		}
		out = append(out, r)
	}
	return out
}

// azureAdmissions is what members' own firewalls must let through: probes to where they ask, and the clients themselves.
func (l *lowering) azureAdmissions(options *topology.Tree) []admission {
	for _, p := range l.t.Proxies {
		if p.Platform == "azure" {
			probes := []topology.Value[netip.Prefix]{topology.DefaultAt(topology.AzureProbes[0], options.Span)}
			return append(each(probes, p.Pools[0].Check.Port.V), each(l.Clients.Networks, l.Etcd.ClientPort.V)...)
		}
	}
	return nil
}
