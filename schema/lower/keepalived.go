package lower

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// healthURI is where a proxy tells its own machine that it is well.
const healthURI = "/healthz"

// keepalived decides which node has the addresses that move. No node is the master by right: one that comes back leaves
// them where they are, since each move cuts every client off.
func (l *lowering) keepalived(options *topology.Tree) {
	family, _ := l.RouterFamily()
	at := options.At(l.Span)
	priorities := l.priorities()
	check := l.routerCheck(options)
	for i, n := range l.Nodes {
		own, _ := addressIn(n, family)
		l.t.VRRP = append(l.t.VRRP, topology.VRRP{
			Node:      n.Name.V,
			Name:      topology.DefaultAt(l.poolName(), at),
			Interface: n.Interface,
			State:     topology.DefaultAt("BACKUP", at),
			RouterID:  topology.Get[int](options, "virtualRouterID"),
			Priority:  priorities[i],
			NoPreempt: topology.DefaultAt(true, at),
			Unicast:   topology.DefaultAt(true, at), // clouds drop multicast
			Source:    own,
			Peers:     l.peers(n, family),
			Password:  topology.DefaultAt("", at), // VRRP 3 has none
			Addresses: l.moving(family),
			Check:     check,
			Span:      n.Span,
		})
	}
}

// priorities are the nodes' own, and below 100 in order of their names for those without.
func (l *lowering) priorities() []topology.Value[int] {
	taken := map[int]bool{}
	for _, n := range l.Nodes {
		taken[n.Priority.V] = true
	}
	out := make([]topology.Value[int], len(l.Nodes))
	next := 100
	for i, n := range l.Nodes {
		out[i] = n.Priority
		if n.Priority.Known() {
			continue
		}
		for taken[next] {
			if next--; next < 1 {
				next = 254
			}
		}
		taken[next] = true
		out[i] = topology.DefaultAt(next, n.Span)
	}
	return out
}

func addressIn(n topology.Node, family topology.Family) (topology.Value[netip.Addr], bool) {
	addrs := n.Addresses()
	i := slices.IndexFunc(addrs, func(a topology.Value[netip.Addr]) bool { return topology.FamilyOf(a.V) == family })
	if i < 0 {
		return topology.Value[netip.Addr]{}, false
	}
	return addrs[i], true
}

// peers are the other nodes.
func (l *lowering) peers(of topology.Node, family topology.Family) []topology.Value[netip.Addr] {
	var out []topology.Value[netip.Addr]
	for _, n := range l.Nodes {
		if a, ok := addressIn(n, family); ok && n.Name.V != of.Name.V {
			out = append(out, a)
		}
	}
	return out
}

// moving are the addresses that move, together: those of the announcements' own family first.
func (l *lowering) moving(family topology.Family) []topology.Value[netip.Prefix] {
	var first, second []topology.Value[netip.Prefix]
	for _, vip := range l.t.Virtual {
		if topology.FamilyOf(vip.V) == family {
			first = append(first, prefix(vip))
		} else {
			second = append(second, prefix(vip))
		}
	}
	return append(first, second...)
}

// routerCheck asks the proxy on the node itself. HAProxy knows whether any member is up, NGINX only that it is there.
func (l *lowering) routerCheck(options *topology.Tree) topology.VRRPCheck {
	at := options.At(l.Span)
	c := topology.VRRPCheck{
		Proxy:    l.Asked(),
		Interval: topology.DefaultAt(time.Second, at),
		Timeout:  topology.DefaultAt(time.Second, at),
		Fall:     topology.DefaultAt(2, at),
		Rise:     topology.DefaultAt(2, at),
		Span:     at,
	}
	if health := listenerOf(proxyOf(l.t, c.Proxy), true); health != nil {
		c.URL = topology.DefaultAt(fmt.Sprintf("http://%s:%d%s", loopback4, health.Binds[0].Port.V, healthURI), at)
	}
	return c
}

// healthListener is where NGINX tells its own machine that it is well. What it knows of members it cannot tell.
func (l *lowering) healthListener() (topology.Listener, bool) {
	port := l.HealthPort()
	return topology.Listener{
		Mode:    topology.DefaultAt(topology.TCP, port.Span),
		Metrics: true,
		Binds:   bindTo([]netip.Addr{loopback4}, port),
		Span:    port.Span,
	}, port.Known()
}
