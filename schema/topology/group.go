package topology

import (
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"
)

// Group is what the rules see at a time: sources that are about one cluster, or one source alone.
type Group struct {
	Sources   []*Topology
	Endpoints []Value[string] // hosts of --endpoint, in canonical form
	// EndpointScheme is the scheme that --endpoint writes before them, http or https; "" where it writes none.
	EndpointScheme string
	EtcdVersion    string    // of --etcd-version; "" where it is not given
	Now            time.Time // for the validity of certificates; zero where there is no clock

	// What every rule asks, worked out when it is first asked for: the sources of a group do not change.
	members   map[string]bool
	routes    map[*Proxy]*routing
	servers   map[*Pool]servers
	pools     []EtcdPool
	listeners []EtcdListener
}

// routing is what a proxy's routes connect, by the pool's name.
type routing struct {
	pools     map[string]*Pool
	listeners map[string][]*Listener
	proofs    map[string]Proof // by these listeners
}

func (g *Group) routing(p *Proxy) *routing {
	if r := g.routes[p]; r != nil {
		return r
	}
	r := &routing{map[string]*Pool{}, map[string][]*Listener{}, map[string]Proof{}}
	for i := range p.Pools {
		if name := p.Pools[i].Name.V; r.pools[name] == nil {
			r.pools[name] = &p.Pools[i]
		}
	}
	for i := range p.Listeners {
		l := &p.Listeners[i]
		for _, to := range l.Routes {
			if to.Pool.Known() {
				r.listeners[to.Pool.V] = append(r.listeners[to.Pool.V], l)
			}
		}
	}
	if g.routes == nil {
		g.routes = map[*Proxy]*routing{}
	}
	g.routes[p] = r
	return r
}

// Proof says how it is known that a thing is etcd's.
type Proof uint8

// The proofs, from none to certain. Others use etcd's ports, too.
const (
	NotEtcd Proof = iota
	ByPort
	Proven // by the spec or by a name
)

// The ports that etcd is registered with.
const (
	DefaultClientPort = 2379
	DefaultPeerPort   = 2380
)

// DefaultMetricsPort is what kubeadm and everybody else chooses for --listen-metrics-urls.
const DefaultMetricsPort = 2381

// foreign are the ports of what often runs on the machines of etcd and is none of its business: the web, kube-apiserver,
// kubelet, the supervisors of RKE2 and OpenShift.
var foreign = map[int]bool{80: true, 443: true, 6443: true, 9345: true, 10250: true, 22623: true}

// Spec is the spec of the group, or nil.
func (g *Group) Spec() *Topology {
	for _, t := range g.Sources {
		if t.Format == "spec" {
			return t
		}
	}
	return nil
}

// PeerPort is the port on which members talk to each other, as the spec or a manifest says, else etcd's default.
func (g *Group) PeerPort() int {
	return g.port(func(e Etcd) Value[int] { return e.PeerPort }, DefaultPeerPort)
}

// ClientPort is the members' port for clients, likewise.
func (g *Group) ClientPort() int {
	return g.port(func(e Etcd) Value[int] { return e.ClientPort }, DefaultClientPort)
}

// MetricsPort is the port of the members' metrics, likewise.
func (g *Group) MetricsPort() int {
	return g.port(func(e Etcd) Value[int] { return e.MetricsPort }, DefaultMetricsPort)
}

// ClientHTTPPort is the port on which members answer clients' HTTP alone, 0 where none is known.
func (g *Group) ClientHTTPPort() int {
	return g.port(func(e Etcd) Value[int] { return e.ClientHTTPPort }, 0)
}

func (g *Group) port(of func(Etcd) Value[int], otherwise int) int {
	for _, t := range g.Sources {
		if v := of(t.Etcd); v.Known() {
			return v.V
		}
	}
	return otherwise
}

// Dialed is every name and address by which clients are known to reach the load balancer: what the spec says and what
// the command line adds. A member's own address is no load balancer's.
func (g *Group) Dialed() []Value[string] {
	var out []Value[string]
	seen := map[string]bool{}
	members := g.MemberHosts()
	add := func(vs []Value[string]) {
		for _, v := range vs {
			if v.Known() && !seen[v.V] && !members[v.V] {
				seen[v.V] = true
				out = append(out, v)
			}
		}
	}
	for _, t := range g.Sources {
		add(t.Dialed)
	}
	add(g.Endpoints)
	return out
}

// PoolOf is the pool of that name in a proxy of the group, or nil.
func (g *Group) PoolOf(p *Proxy, name string) *Pool { return g.routing(p).pools[name] }

// MemberHosts are the addresses and host names of etcd's members that a spec or manifest of the group names.
// What a spec says of a host counts more than a manifest that advertises it.
func (g *Group) MemberHosts() map[string]bool {
	if g.members != nil {
		return g.members
	}
	out := map[string]bool{}
	balancers := map[string]bool{}
	if spec := g.Spec(); spec != nil {
		balancers = spec.balancerHosts()
	}
	for _, t := range g.Sources {
		for _, h := range t.MemberHosts() {
			if !balancers[h] {
				out[h] = true
			}
		}
	}
	g.members = out
	return out
}

// balancerHosts are the names and addresses of a spec's load balancer that are none of its members.
func (t *Topology) balancerHosts() map[string]bool {
	out := map[string]bool{}
	for _, v := range t.Dialed {
		out[v.V] = true
	}
	for _, n := range t.Nodes {
		for _, a := range n.Addresses() {
			out[Host(a.V.String())] = true
		}
	}
	for _, h := range t.MemberHosts() {
		delete(out, h)
	}
	return out
}

// MemberHosts are the addresses and host names of the members that the source names, in canonical form.
func (t *Topology) MemberHosts() []string {
	var out []string
	for _, m := range t.Etcd.Members {
		out = append(out, m.hosts()...)
	}
	return out
}

func (m Member) hosts() []string {
	var out []string
	for _, a := range m.Addresses() {
		out = append(out, Host(a.V.String()))
	}
	if m.Hostname.Known() {
		out = append(out, Host(m.Hostname.V))
	}
	return out
}

// Pool says whether a pool of a proxy is etcd's.
func (g *Group) Pool(t *Topology, p *Proxy, b *Pool) Proof {
	own := g.serversOf(t, b)
	if own.proof == Proven || own.foreign {
		return own.proof
	}
	r := g.routing(p)
	routed, known := r.proofs[b.Name.V]
	if !known {
		for _, l := range r.listeners[b.Name.V] {
			routed = max(routed, g.ownListener(l))
		}
		r.proofs[b.Name.V] = routed
	}
	return max(own.proof, routed)
}

// Listener says whether a listener of a proxy is etcd's.
func (g *Group) Listener(t *Topology, p *Proxy, l *Listener) Proof {
	if l.Metrics {
		return NotEtcd
	}
	own, pools, others := g.ownListener(l), NotEtcd, 0
	for _, r := range l.Routes {
		if b := g.routing(p).pools[r.Pool.V]; b != nil {
			own := g.serversOf(t, b)
			pools = max(pools, own.proof)
			if own.foreign {
				others++
			}
		}
	}
	if pools == NotEtcd && others > 0 && others == len(l.Routes) {
		return NotEtcd
	}
	return max(own, pools)
}

// servers is what a pool's own name and servers say.
type servers struct {
	proof   Proof
	foreign bool // see onlyForeign
}

func (g *Group) serversOf(t *Topology, b *Pool) servers {
	own, known := g.servers[b]
	if !known {
		own = servers{g.ownPool(t, b), onlyForeign(b)}
		if g.servers == nil {
			g.servers = map[*Pool]servers{}
		}
		g.servers[b] = own
	}
	return own
}

func (g *Group) ownPool(t *Topology, b *Pool) Proof {
	switch {
	case t.Format == "spec":
		return Proven
	case onlyForeign(b):
		return NotEtcd
	case NamesEtcd(b.Name.V):
		return Proven
	}
	members := g.MemberHosts()
	proof := NotEtcd
	for _, s := range b.Servers {
		if NamesEtcd(s.Name.V) || NamesEtcd(s.Host.V) || s.Host.Known() && members[Host(s.Host.V)] && g.mayServe(s.Port) {
			return Proven
		}
		if s.Port.Known() && g.isEtcdPort(s.Port.V) {
			proof = ByPort
		}
	}
	return proof
}

func (g *Group) ownListener(l *Listener) Proof {
	if l.Metrics {
		return NotEtcd
	}
	if NamesEtcd(l.Name.V) {
		return Proven
	}
	for _, b := range l.Binds {
		if b.Port.Known() && g.isEtcdPort(b.Port.V) {
			return ByPort
		}
	}
	return NotEtcd
}

// mayServe reports whether a port on a member's machine may be etcd's: the machine serves other things, too.
func (g *Group) mayServe(p Value[int]) bool {
	return !p.Known() || g.isEtcdPort(p.V) || p.V == g.MetricsPort() || p.V == g.ClientHTTPPort() || slices.Contains(Transposed, p.V) ||
		p.V%10000 == DefaultClientPort || p.V%10000 == DefaultPeerPort || slices.Contains(others, p.V)
}

// Transposed are 2379 with two neighbouring digits exchanged.
var Transposed = []int{3279, 2739, 2397}

// others are ports that etcd had before 2.0, which some clusters keep, and that kops gives it.
var others = []int{4001, 7001, 4002, 7002}

func (g *Group) isEtcdPort(p int) bool {
	return p == DefaultClientPort || p == DefaultPeerPort || p == g.ClientPort() || p == g.PeerPort()
}

// onlyForeign reports whether all that is known of a pool's ports is that they belong to something else.
func onlyForeign(b *Pool) bool {
	known := 0
	for _, s := range b.Servers {
		if s.Port.Known() {
			if !foreign[s.Port.V] {
				return false
			}
			known++
		}
	}
	return known > 0
}

// IsEtcdCertificate reports whether a certificate is etcd's: a manifest names it, it holds a member's address or name, or
// a name of its own or its file has etcd as a word.
func (g *Group) IsEtcdCertificate(c *Certificate) bool {
	if NamesEtcd(c.Name.V) || NamesEtcd(path.Base(c.Span.File)) {
		return true
	}
	for _, t := range g.Sources {
		if slices.ContainsFunc(t.namings(), func(n naming) bool { return n.what != CACert && n.is(c.Span.File) }) {
			return true
		}
	}
	members := g.MemberHosts()
	var held []string // the members' hosts in it
	for _, a := range c.Addrs.V {
		if h := Host(a.String()); members[h] {
			held = append(held, h)
		}
	}
	for _, n := range c.Names.V {
		switch {
		case NamesEtcd(n):
			return true
		case members[Host(n)]:
			held = append(held, Host(n))
		}
	}
	if len(held) == 0 || c.Role != ServerCert {
		return len(held) > 0
	}
	for _, m := range g.Members() {
		if m.presentsAnother(c) {
			hosts := m.hosts()
			held = slices.DeleteFunc(held, func(h string) bool { return slices.Contains(hosts, h) })
		}
	}
	return len(held) > 0
}

// Host is a host name or address in canonical form: lower case, without brackets or a final dot, an IPv4 address in an
// IPv6 one as IPv4.
func Host(s string) string {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(s, "."))
}

// NamesEtcd reports whether a name has etcd as a word, digits behind it allowed: "etcd-1", "my_etcd2", not "etcdctl".
func NamesEtcd(name string) bool {
	name = strings.ToLower(name)
	for {
		i := strings.Index(name, "etcd")
		if i < 0 {
			return false
		}
		rest := name[i+len("etcd"):]
		if (i == 0 || !isLetter(name[i-1])) && (rest == "" || !isLetter(rest[0])) {
			return true
		}
		name = rest
	}
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || c >= 0x80 }
