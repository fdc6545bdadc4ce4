// Package lower takes every decision about etcd, once: which port, which timeout, which health endpoint, who may reach
// what, what to alert on. Targets only spell what it decides.
package lower

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Topology is what a cluster's configuration means. Diagnostics are about what an enabled target cannot do as asked.
func Topology(c *schema.Cluster) (*topology.Topology, diag.List) {
	l := lowering{Cluster: c, ipv6: usesIPv6(c), t: &topology.Topology{
		Format:       "spec",
		Span:         c.Span,
		Name:         c.Name,
		Etcd:         c.Etcd,
		BalancerPort: c.LoadBalancer.Port,
		Clients:      c.Clients,
		Nodes:        c.Nodes,
		Monitoring:   c.Monitoring,
		Targets:      slices.Sorted(maps.Keys(c.Targets)),
	}}
	l.dialed()
	l.certificate()
	l.required()
	if options, ok := c.Targets["haproxy"]; ok {
		l.haproxy(options)
	}
	if options, ok := c.Targets["nginx"]; ok {
		l.nginx(options)
	}
	if options, ok := c.Targets["keepalived"]; ok {
		l.keepalived(options)
	}
	for _, name := range schema.Clouds {
		if options := c.Targets[name].Get("aws"); options != nil {
			l.aws(options, name)
		}
		if options := c.Targets[name].Get("azure"); options != nil {
			l.azure(options)
		}
		if options := c.Targets[name].Get("gcp"); options != nil {
			l.gcp(options, name)
		}
	}
	if options := c.Targets["terraform"].Get("dnsFailover"); options != nil {
		l.failover(options)
	}
	for _, name := range schema.Firewalls {
		if options, ok := c.Targets[name]; ok {
			l.firewalls(name, options)
		}
	}
	if options, ok := c.Targets["prometheus"]; ok {
		l.t.Alerts = alerts(l.t, options)
		l.t.Scrapes = scrapes(l.t, options)
		l.refusedScrapes(options)
		l.refusedProbes(options)
	}
	if _, ok := c.Targets["grafana"]; ok {
		l.t.Panels = panels(l.t, c.Targets["prometheus"])
	}
	if options, ok := c.Targets["kubernetes"]; ok {
		l.kubernetes(options)
	}
	if options, ok := c.Targets["etcd"]; ok {
		l.flags(options.Span)
	}
	return l.t, l.diags
}

type lowering struct {
	*schema.Cluster
	ipv6  bool // in use anywhere
	t     *topology.Topology
	diags diag.List
}

var (
	any4      = netip.IPv4Unspecified()
	any6      = netip.IPv6Unspecified()
	loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	loopback6 = netip.IPv6Loopback()
)

// dialed collects every name and address of the load balancer.
func (l *lowering) dialed() {
	lb := l.LoadBalancer
	var out []topology.Value[string]
	if lb.Host.Known() {
		out = append(out, lb.Host)
	}
	for _, a := range []topology.Value[netip.Addr]{lb.VIP, lb.VIP6} {
		if a.Known() {
			out = append(out, topology.SetAt(a.V.String(), a.Span))
			l.t.Virtual = append(l.t.Virtual, a)
		}
	}
	out = append(out, lb.Aliases...)
	if lb.Local() {
		for _, a := range l.loopbacks() {
			out = append(out, topology.SetAt(a.String(), lb.Placement.Span))
		}
	}
	seen := map[string]bool{}
	for _, d := range out {
		if !seen[d.V] {
			seen[d.V] = true
			l.t.Dialed = append(l.t.Dialed, d)
		}
	}
}

// certificate is the load balancer's part of the members' server certificates: as declared, else what those dial who
// are shown them.
func (l *lowering) certificate() {
	if l.Etcd.Scheme.V != "https" {
		return
	}
	c := topology.Certificate{Role: topology.ServerCert, Declared: true, Names: l.AltNames, Addrs: l.AltIPs, Span: l.Span}
	names, addrs := split(l.shownTo())
	if !c.Names.Known() {
		c.Names = topology.DefaultAt(names, l.Span)
	}
	if !c.Addrs.Known() {
		c.Addrs = topology.DefaultAt(addrs, l.Span)
	}
	l.t.Certificates = []topology.Certificate{c}
}

// usesIPv6 reports whether any address or network of the spec is IPv6.
func usesIPv6(c *schema.Cluster) bool {
	address := func(a topology.Value[netip.Addr]) bool { return a.Known() && a.V.Is6() }
	network := func(p topology.Value[netip.Prefix]) bool { return p.V.Addr().Is6() }
	return address(c.LoadBalancer.VIP) || address(c.LoadBalancer.VIP6) ||
		slices.ContainsFunc(c.Etcd.Members, func(m topology.Member) bool { return address(m.Address) || address(m.Address6) }) ||
		slices.ContainsFunc(c.Nodes, func(n topology.Node) bool { return address(n.Address) || address(n.Address6) }) ||
		slices.ContainsFunc(c.Clients.Networks, network) ||
		slices.ContainsFunc(c.Clients.Direct, network) ||
		slices.ContainsFunc(c.Monitoring, network)
}

func (l *lowering) loopbacks() []netip.Addr {
	if l.ipv6 {
		return []netip.Addr{loopback4, loopback6}
	}
	return []netip.Addr{loopback4}
}

// everywhere is all addresses: IPv4 always, since some client may, and IPv6 where the spec uses it.
func (l *lowering) everywhere() []netip.Addr {
	if l.ipv6 {
		return []netip.Addr{any4, any6}
	}
	return []netip.Addr{any4}
}

// binds are a listener's addresses.
func (l *lowering) binds(port topology.Value[int]) []topology.Bind {
	lb := l.LoadBalancer
	switch {
	case len(lb.Listen) > 0:
		out := make([]topology.Bind, len(lb.Listen))
		for i, a := range lb.Listen {
			out[i] = topology.Bind{Addr: a, Port: port}
		}
		return out
	case lb.Local():
		return bindTo(l.loopbacks(), port)
	}
	return bindTo(l.everywhere(), port)
}

func bindTo(addrs []netip.Addr, port topology.Value[int]) []topology.Bind {
	out := make([]topology.Bind, len(addrs))
	for i, a := range addrs {
		out[i] = topology.Bind{Addr: topology.DefaultAt(a, port.Span), Port: port}
	}
	return out
}

// servers are the members a proxy sends clients to: learners never.
func (l *lowering) servers() []topology.Server {
	out := make([]topology.Server, 0, len(l.Etcd.Members))
	for _, m := range l.Etcd.Members {
		if m.Learner.V {
			continue
		}
		s := topology.Server{
			Name:    m.Name,
			Port:    l.Etcd.ClientPort,
			Drain:   m.Drain,
			Checked: topology.DefaultAt(true, m.Span),
			Backup:  topology.DefaultAt(false, m.Span),
			Span:    m.Span,
		}
		if m.Address.Known() {
			s.Host = topology.SetAt(m.Address.V.String(), m.Address.Span)
		}
		out = append(out, s)
	}
	return out
}

// usable counts the servers that get new connections.
func usable(servers []topology.Server) int {
	n := 0
	for _, s := range servers {
		if !s.Drain.V {
			n++
		}
	}
	return n
}

// refusedScrapes reports that the members' firewall opens no port for the scrapes: it admits monitoring to the metrics
// port alone, since on the others it would reach the data.
func (l *lowering) refusedScrapes(options *topology.Tree) {
	i := slices.IndexFunc(schema.Firewalls, func(name string) bool { return l.Targets[name] != nil })
	_, scraped := etcdScrape(l.t, options)
	if port, _ := etcdMetricsPort(l.t); i >= 0 && scraped && !l.Etcd.MetricsPort.Known() {
		l.unsupported(options.At(l.Span), fmt.Sprintf("target prometheus scrapes members at port %d, which the rules of target %s "+
			"do not open to monitoring; need a port for metrics alone", port, schema.Firewalls[i]), "start etcd with --listen-metrics-urls and set cluster.metrics.port")
	}
}

// clamp puts a duration between bounds. What the spec sets is then reported, a default adapted silently.
func (l *lowering) clamp(v topology.Value[time.Duration], low, high time.Duration, what, by string) topology.Value[time.Duration] {
	c := v
	c.V = min(max(v.V, low), high).Round(time.Second)
	c.V = max(c.V, low)
	if c.V != v.V && v.State == topology.Set {
		l.unsupported(v.Span, what+" is "+topology.Short(v.V)+", but "+by+" takes "+topology.Short(low)+" to "+topology.Short(high)+
			" in whole seconds; written as "+topology.Short(c.V), "set a value that "+by+" takes, or leave it out")
	}
	return c
}

// unsupported says what a target cannot do as asked: once, where two write the same load balancer.
func (l *lowering) unsupported(at diag.Span, message, hint string) {
	said := func(d diag.Diagnostic) bool { return d.Span == at && d.Message == message }
	if !slices.ContainsFunc(l.diags, said) {
		l.diags.Warn(at, "unsupported", message, hint)
	}
}
