package topology

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// EtcdPool is a pool that is etcd's, with where it stands.
type EtcdPool struct {
	*Pool
	Source *Topology
	Proxy  *Proxy
	Proof  Proof
}

// Subject names the pool for diagnostics: alike in a spec and in the file built from it.
func (b EtcdPool) Subject() string { return b.Proxy.Platform + " pool " + b.Name.V }

// Called names the pool in a sentence, in the words of the program that has it.
func (b EtcdPool) Called() string { return called(b.Source, b.Proxy, b.Name, b.Span, 1) }

// EtcdListener is a listener that is etcd's, with where it stands.
type EtcdListener struct {
	*Listener
	Source *Topology
	Proxy  *Proxy
	Proof  Proof
	Routes []Route // those to etcd's pools, or to what is not at hand
}

// Subject names the listener for diagnostics: alike in a spec and in the file built from it. Its pools name it, since
// not every format has names for listeners.
func (l EtcdListener) Subject() string {
	name := l.Name.V
	if all := l.Listener.Routes; len(all) > 0 {
		name = all[0].Pool.V
	}
	return l.Proxy.Platform + " listener " + name
}

// Called names the listener in a sentence, in the words of the program that has it.
func (l EtcdListener) Called() string { return called(l.Source, l.Proxy, l.Name, l.Span, 0) }

// words are what programs call a listener and a pool.
var words = map[string][2]string{
	"haproxy":     {"frontend", "backend"},
	"nginx":       {"server", "upstream"},
	"nginx-plus":  {"server", "upstream"},
	"aws":         {"listener", "target group"},
	"aws-classic": {"listener", "backend"},
	"azure":       {"load balancing rule", "backend pool"},
	"gcp":         {"forwarding rule", "backend service"},
	"gcp-proxy":   {"forwarding rule", "backend service"},
	"gcp-pool":    {"forwarding rule", "target pool"},
	"":            {"listener", "pool"},
}

// clouds are the platforms that are a cloud's own load balancer.
var clouds = map[string]bool{"aws": true, "aws-classic": true, "azure": true, "gcp": true, "gcp-proxy": true, "gcp-pool": true}

// Cloud reports whether the proxy is a cloud's own load balancer.
func (p *Proxy) Cloud() bool { return clouds[p.Platform] }

// Program is what runs a proxy that is no cloud's, in the words of its commands.
func (p *Proxy) Program() string { return strings.TrimSuffix(p.Platform, "-plus") }

func called(t *Topology, p *Proxy, name Value[string], at diag.Span, which int) string {
	if t.Format == "spec" {
		return "the " + p.Platform + " " + words[""][which]
	}
	w, ok := words[p.Platform]
	if !ok {
		w = words[""]
	}
	word := w[which]
	if p.Platform == "haproxy" && p.both(at) {
		word = "listen section"
	}
	if name.V == "" {
		return "a " + word
	}
	return word + ` "` + name.V + `"`
}

// both reports whether a listener and a pool are one thing, which stands at a place. Each stand in the order of the file.
func (p *Proxy) both(at diag.Span) bool {
	order := func(a, b diag.Span) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	}
	_, listens := slices.BinarySearchFunc(p.Listeners, at, func(l Listener, at diag.Span) int { return order(l.Span, at) })
	_, pools := slices.BinarySearchFunc(p.Pools, at, func(b Pool, at diag.Span) int { return order(b.Span, at) })
	return listens && pools
}

// EtcdPools are the pools of the group that are etcd's, in order of the sources.
func (g *Group) EtcdPools() []EtcdPool {
	if g.pools != nil {
		return g.pools
	}
	out := []EtcdPool{}
	for _, t := range g.Sources {
		for i := range t.Proxies {
			p := &t.Proxies[i]
			for j := range p.Pools {
				b := &p.Pools[j]
				if proof := g.Pool(t, p, b); proof != NotEtcd {
					out = append(out, EtcdPool{b, t, p, proof})
				}
			}
		}
	}
	g.pools = out
	return out
}

// EtcdListeners are the listeners of the group that are etcd's, in order of the sources.
func (g *Group) EtcdListeners() []EtcdListener {
	if g.listeners != nil {
		return g.listeners
	}
	own := map[*Pool]bool{}
	for _, b := range g.EtcdPools() {
		own[b.Pool] = true
	}
	out := []EtcdListener{}
	for _, t := range g.Sources {
		for i := range t.Proxies {
			p := &t.Proxies[i]
			for j := range p.Listeners {
				l := &p.Listeners[j]
				if proof := g.Listener(t, p, l); proof != NotEtcd {
					routes := slices.DeleteFunc(slices.Clone(l.Routes), func(r Route) bool {
						b := g.PoolOf(p, r.Pool.V)
						return b != nil && !own[b]
					})
					out = append(out, EtcdListener{l, t, p, proof, routes})
				}
			}
		}
	}
	g.listeners = out
	return out
}

// Balancers are the names and addresses that are known to be the load balancer's and no member's: what clients dial, the
// machines it runs on, and the addresses that etcd's listeners are bound to. Loopback belongs to every machine.
func (g *Group) Balancers() map[string]bool {
	out := map[string]bool{}
	members := g.MemberHosts()
	add := func(host string) {
		a, err := netip.ParseAddr(host)
		if members[host] || host == "localhost" || err == nil && (a.IsLoopback() || a.IsUnspecified()) {
			return
		}
		out[host] = true
	}
	for _, v := range g.Dialed() {
		add(v.V)
	}
	for _, t := range g.Sources {
		for _, n := range t.Nodes {
			for _, a := range n.Addresses() {
				add(Host(a.V.String()))
			}
		}
		for _, a := range t.Cloud {
			add(Host(a.V.String()))
		}
	}
	for _, l := range g.EtcdListeners() {
		for _, b := range l.Binds {
			if b.Addr.Known() {
				add(Host(b.Addr.V.String()))
			}
		}
	}
	return out
}
