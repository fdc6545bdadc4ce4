package lower

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// The ranges that a health check of Google takes.
const (
	gcpIntervalMin, gcpIntervalMax = time.Second, 300 * time.Second
	gcpCountMin                    = 1
)

const gcpBalancer = "GCP's internal passthrough load balancer"

// gcp decides the internal passthrough load balancer: packets reach members as clients sent them, with their source,
// destination and port.
func (l *lowering) gcp(options *topology.Tree, target string) {
	lb := l.LoadBalancer
	l.cannotTerminate(gcpBalancer)
	l.gcpRefusals(options)
	pool := l.pool(l.gcpCheck(options))
	pool.Balance, pool.Connect = topology.Value[string]{}, topology.Value[time.Duration]{}
	pool.KeepsSource = topology.DefaultAt(true, options.Span)
	pool.KeepsDestination = topology.DefaultAt(true, options.Span)
	pool.CutOnDown = l.gcpTracking(options)
	for i := range pool.Servers { // instances, whose addresses nobody writes down
		pool.Servers[i].Host = topology.Value[string]{}
	}
	listener := l.listener(topology.DefaultAt(topology.Never, options.Span))
	listener.Binds = []topology.Bind{{Port: lb.Port}}
	if lb.VIP.Known() && lb.VIP.V.Is4() {
		listener.Binds[0].Addr = lb.VIP
	}
	l.t.Proxies = append(l.t.Proxies, topology.Proxy{
		Target: target, Platform: "gcp",
		Internal:  topology.DefaultAt(true, options.Span),
		Listeners: []topology.Listener{listener},
		Pools:     []topology.Pool{pool},
		Span:      options.Span,
	})
	l.gcpFirewalls(options, target, pool.Check.Port.V)
}

// gcpTracking says whether clients leave a member that is down: the provider cannot say so before 7.32.
func (l *lowering) gcpTracking(options *topology.Tree) topology.Value[bool] {
	provider := topology.Get[int](options, "provider") // of Terraform
	if provider.V == 6 {
		l.unsupported(provider.Span, "provider 6 cannot tell GCP to end connections to a member that is down, so clients stay on it until they give up; need provider 7",
			"write provider: 7")
	}
	return topology.SetAt(provider.V != 6, options.Span)
}

// gcpCheck is the check that Google's probes make.
func (l *lowering) gcpCheck(options *topology.Tree) topology.Check {
	check := l.plainCheck(options.Span)
	check.Interval = l.clamp(check.Interval, gcpIntervalMin, gcpIntervalMax, "the check's interval", gcpBalancer)
	check.Timeout = l.clamp(check.Timeout, time.Second, check.Interval.V, "the check's timeout", gcpBalancer)
	check.Fall = l.clampTo(check.Fall, gcpCountMin, "fall", gcpBalancer)
	check.Rise = l.clampTo(check.Rise, gcpCountMin, "rise", gcpBalancer)
	check.Sources = topology.GoogleProbes
	return check
}

// maxCount is how many answers in a row the clouds' checks wait for at the most.
const maxCount = 10

// clampTo puts a count between a cloud's least one and maxCount, and says so where the spec sets it.
func (l *lowering) clampTo(v topology.Value[int], low int, what, by string) topology.Value[int] {
	c := v
	c.V = min(max(v.V, low), maxCount)
	if c.V != v.V && v.State == topology.Set {
		l.unsupported(v.Span, fmt.Sprintf("the check's %s is %d, but %s takes %d to %d; written as %d", what, v.V, by, low, maxCount, c.V),
			"set a number that "+by+" takes, or leave it out")
	}
	return c
}

// gcpRefusals says what the load balancer cannot do as asked.
func (l *lowering) gcpRefusals(options *topology.Tree) {
	lb, client := l.LoadBalancer, l.Etcd.ClientPort
	if lb.Port.V != client.V {
		at := lb.Port.Span
		if lb.Port.State != topology.Set {
			at = client.Span
		}
		l.diags.Error(at, "unsupported", fmt.Sprintf("clients dial port %d and members listen on port %d, but %s keeps the port; need the same on both",
			lb.Port.V, client.V, gcpBalancer), fmt.Sprintf("set loadBalancer.port to %d", client.V))
	}
	if lb.VIP.Known() && lb.VIP.V.Is6() {
		l.diags.Error(lb.VIP.Span, "unsupported", fmt.Sprintf("vip %s is IPv6, but the load balancer of target %s has an IPv4 address; need an IPv4 vip",
			lb.VIP.V, "gcp"), "write an unused IPv4 address of the subnetwork")
	}
	if lb.VIP6.Known() {
		l.unsupported(lb.VIP6.Span, fmt.Sprintf("vip6 is %s, but the load balancer of target gcp has an IPv4 address alone, so nothing answers there", lb.VIP6.V),
			"leave vip6 out, or serve IPv6 clients by another target")
	}
	for _, n := range l.Clients.Networks {
		if n.V.Addr().Is6() {
			l.unsupported(n.Span, fmt.Sprintf("clients in %s cannot reach the load balancer of target gcp, which has an IPv4 address alone", n.V),
				"add their IPv4 network, or admit them to members by clients.direct")
			break
		}
	}
	if lb.Idle.State == topology.Set {
		l.unsupported(lb.Idle.Span, "the idle timeout is "+topology.Short(lb.Idle.V)+", but "+gcpBalancer+" closes no connection for being quiet",
			"leave it out where no other load balancer needs it")
	}
	if l.dialsLoopback() {
		l.unsupported(options.Span, fmt.Sprintf("members listen on 0.0.0.0:%d for %s, so a proxy on a member's own machine finds the port taken on loopback",
			client.V, gcpBalancer), "run no local proxy on members, or give it a loadBalancer.port of its own")
	}
	if _, ok := l.Targets["etcd"]; !ok {
		l.unsupported(options.Span, gcpBalancer+" sends members packets to its own address, which etcd takes only when it listens on 0.0.0.0; "+
			"need that in --listen-client-urls"+l.metricsToo(), "add target etcd, which writes it, or see to it yourself and suppress this")
	}
}

// metricsToo names the other flag that a check on the metrics port needs.
func (l *lowering) metricsToo() string {
	if l.Etcd.MetricsPort.Known() {
		return " and --listen-metrics-urls"
	}
	return ""
}

// gcpFirewalls let the probes, the clients, whoever may bypass the load balancer, and monitoring reach members, and these
// each other. They are told by their network tag.
func (l *lowering) gcpFirewalls(options *topology.Tree, target string, checkPort int) {
	e := l.Etcd
	tag := topology.DefaultAt(l.poolName(), options.Span)
	among := topology.FirewallRule{
		Verdict: topology.Accept, Protocol: "tcp", Ports: portRanges([]int{e.ClientPort.V, e.PeerPort.V}), FromName: tag, Span: options.Span,
	}
	probes := each(l.gcpProbes(options), checkPort)
	clients := slices.DeleteFunc(each(l.Clients.Networks, e.ClientPort.V), func(a admission) bool { return a.from.V.Addr().Is6() })
	others := slices.Concat(l.direct(), l.scraping())
	for _, family := range []topology.Family{topology.IPv4, topology.IPv6} {
		admitted := rules(slices.Concat(probes, clients, others), family)
		if family == topology.IPv4 {
			admitted = append([]topology.FirewallRule{among}, admitted...)
		}
		if len(admitted) == 0 {
			continue
		}
		l.t.Firewalls = append(l.t.Firewalls, topology.Firewall{
			Target: target, Platform: "gcp", Name: tag, Family: family, Cloud: true, Rest: topology.Drop,
			Rules: append([]topology.FirewallRule{
				{Verdict: topology.Accept, Loopback: true, Span: options.Span},
				{Verdict: topology.Accept, Established: true, Span: options.Span},
			}, admitted...),
			Span: options.Span,
		})
	}
}

func (l *lowering) gcpProbes(options *topology.Tree) []topology.Value[netip.Prefix] {
	out := make([]topology.Value[netip.Prefix], len(topology.GoogleProbes))
	for i, p := range topology.GoogleProbes {
		out[i] = topology.DefaultAt(p, options.Span)
	}
	return out
}

// gcpAdmissions is what members' own firewalls must let through: probes to where they ask, and the clients themselves.
func (l *lowering) gcpAdmissions(options *topology.Tree) []admission {
	for _, p := range l.t.Proxies {
		if p.Platform == "gcp" {
			return append(each(l.gcpProbes(options), p.Pools[0].Check.Port.V), each(l.Clients.Networks, l.Etcd.ClientPort.V)...)
		}
	}
	return nil
}

// passedThrough reports whether members get packets that are sent to a load balancer's address, not to theirs.
func (l *lowering) passedThrough() bool {
	return slices.ContainsFunc(l.t.Proxies, func(p topology.Proxy) bool {
		return len(p.Pools) > 0 && p.Pools[0].KeepsDestination.V
	})
}

// everyIPv4 is where a member behind such a load balancer listens: on all of its IPv4 addresses, loopback among them.
func everyIPv4(own []netip.Addr) []netip.Addr {
	out := []netip.Addr{any4}
	for _, a := range own {
		if !a.Is4() {
			out = append(out, a)
		}
	}
	return out
}
