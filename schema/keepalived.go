package schema

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// HealthPort is where NGINX answers keepalived's check, unknown where nobody asks it.
func (c *Cluster) HealthPort() topology.Value[int] {
	port := topology.Get[int](c.Targets["nginx"], "healthPort")
	if _, asked := c.Targets["keepalived"]; !asked && port.State != topology.Set {
		return topology.Value[int]{}
	}
	return port
}

// Asked is the target whose proxy decides which node may have the addresses that move, "" where that is none.
func (c *Cluster) Asked() string {
	proxies := []string{"haproxy", "nginx"}
	if proxy := topology.Get[string](c.Targets["keepalived"], "proxy"); proxy.Known() {
		proxies = []string{proxy.V}
	}
	i := slices.IndexFunc(proxies, func(name string) bool { return c.Targets[name] != nil })
	if i < 0 {
		return ""
	}
	return proxies[i]
}

// RouterFamily is the family in which the nodes tell each other who has the addresses: one of an address that moves, in
// which each node has an address of its own.
func (c *Cluster) RouterFamily() (topology.Family, bool) {
	for _, vip := range c.virtual() {
		if c.without(topology.FamilyOf(vip.V)) == nil {
			return topology.FamilyOf(vip.V), true
		}
	}
	return 0, false
}

// virtual are the addresses that move.
func (c *Cluster) virtual() []topology.Value[netip.Addr] {
	var out []topology.Value[netip.Addr]
	for _, vip := range []topology.Value[netip.Addr]{c.LoadBalancer.VIP, c.LoadBalancer.VIP6} {
		if vip.Known() {
			out = append(out, vip)
		}
	}
	return out
}

// without is the first node that has no address in a family, or nil.
func (c *Cluster) without(family topology.Family) *topology.Node {
	for i, n := range c.Nodes {
		has := false
		for _, a := range n.Addresses() {
			has = has || topology.FamilyOf(a.V) == family
		}
		if !has {
			return &c.Nodes[i]
		}
	}
	return nil
}

// maxNodes is the number of priorities that VRRP has for machines that do not own the address.
const maxNodes = 254

// keepalived checks what machines need so that an address can move between them.
func (k checker) keepalived() {
	t, ok := k.Targets["keepalived"]
	if !ok {
		return
	}
	if k.LoadBalancer.Local() {
		k.both(t.Span, k.LoadBalancer.Placement.Span, `target keepalived stands beside placement "local", where each machine has `+
			"a proxy of its own and no address moves; need one of the two", "")
		return
	}
	if asked := topology.Get[string](t, "proxy"); k.Asked() == "" && asked.Known() {
		k.fail(asked.Span, fmt.Sprintf("target keepalived keeps the address where %s answers, but %[1]s is no target; need it", asked.V), "")
	} else if k.Asked() == "" {
		k.fail(t.Span, "target keepalived keeps the address where a proxy answers, but neither haproxy nor nginx is a target; need one", "")
	}
	switch n := len(k.Nodes); {
	case n < 2:
		k.fail(t.Span, fmt.Sprintf("target keepalived moves the address between machines, but loadBalancer.nodes lists %d; need two", n),
			`add loadBalancer: nodes: "lb-2": {address: "…", interface: "eth0"}`)
	case n > maxNodes:
		k.fail(t.Span, fmt.Sprintf("loadBalancer.nodes lists %d machines, but VRRP tells only %d apart; need fewer", n, maxNodes), "")
	}
	for _, n := range k.Nodes {
		if !n.Interface.Known() {
			k.fail(n.Span, fmt.Sprintf("node %q has no interface, which target keepalived cannot do without; need one", n.Name.V),
				`add interface: "eth0"`)
		}
	}
	k.movable(t)
}

// movable checks the addresses that move.
func (k checker) movable(t *topology.Tree) {
	virtual := k.virtual()
	if len(virtual) == 0 {
		k.fail(t.Span, "target keepalived has no address to move; need loadBalancer.vip", `add loadBalancer: vip: "…"`)
		return
	}
	for _, vip := range virtual {
		for _, n := range k.Nodes {
			for _, a := range n.Addresses() {
				if a.V == vip.V {
					k.both(vip.Span, a.Span, fmt.Sprintf("the address %s is to move between machines, but it is node %q's own; need another one",
						vip.V, n.Name.V), "")
				}
			}
		}
	}
	if _, ok := k.RouterFamily(); !ok && len(k.Nodes) > 0 {
		n := k.without(topology.FamilyOf(virtual[0].V))
		k.both(n.Span, virtual[0].Span, fmt.Sprintf("node %q has no IPv%d address, so it cannot tell the others that it has %s; "+
			"need one of the address's family on each node", n.Name.V, topology.FamilyOf(virtual[0].V), virtual[0].V), "")
	}
}

// The sizes of a network that machines share, where nothing says how large theirs is.
const (
	networkBits4 = 24
	networkBits6 = 64
)

func (c *Cluster) networks() []netip.Prefix {
	var out []netip.Prefix
	for _, n := range c.Nodes {
		for _, a := range n.Addresses() {
			bits := networkBits6
			if a.V.Is4() {
				bits = networkBits4
			}
			if p := netip.PrefixFrom(a.V, bits).Masked(); !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}

// checkRouters reports virtual routers of two clusters that take each other for one.
func checkRouters(clusters []*Cluster, l *diag.List) {
	type key struct {
		id      int
		network netip.Prefix
	}
	type router struct {
		cluster string
		id      topology.Value[int]
	}
	routers := map[key]router{}
	for _, c := range clusters {
		id := topology.Get[int](c.Targets["keepalived"], "virtualRouterID")
		if !id.Known() {
			continue
		}
		var other router
		for _, network := range c.networks() {
			if r, taken := routers[key{id.V, network}]; taken {
				other = r
				continue
			}
			routers[key{id.V, network}] = router{c.Name.V, id}
		}
		if other.cluster != "" {
			*l = append(*l, diag.Diagnostic{
				Span: id.Span, Severity: diag.Error, Rule: "spec",
				Message: fmt.Sprintf("clusters %q and %q both have the virtualRouterID %d, and machines in one network, where each takes the "+
					"other's announcements for its own; need an id of its own", c.Name.V, other.cluster, id.V),
				Related: []diag.Related{{Span: other.id.Span, Message: "the other one"}},
			})
		}
	}
}
