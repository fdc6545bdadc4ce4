package raise

import (
	"cmp"
	"fmt"
	"net/netip"
	"path"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// node is a machine of the load balancer.
type node struct {
	name                           string
	address, address6, networkCard string
	priority                       int
}

// dialed finds what clients dial: what sources say that they do, addresses that move between machines, then those that
// the listener is bound to.
func (r *raising) dialed() {
	for _, t := range r.Sources {
		for _, v := range t.Dialed {
			r.dial(v)
		}
		for _, v := range t.VRRP {
			for _, a := range v.Addresses {
				if a.Known() {
					r.dial(topology.SetAt(a.V.Addr().String(), a.Span))
				}
			}
		}
		for _, d := range t.Dialers {
			r.endpoints(d.Endpoints)
		}
	}
	for _, v := range r.Endpoints {
		r.dial(v)
	}
	for _, a := range r.listens() {
		r.dial(topology.SetAt(a.V.String(), a.Span))
	}
}

// endpoints are what a program dials. The one among them that is no member is the load balancer; of several, some may
// be members by names that nothing else tells.
func (r *raising) endpoints(urls []topology.Value[string]) {
	var others []topology.Value[string]
	for _, v := range urls {
		u, ok := topology.ParseURL(v)
		if !ok || u.OnLoopback() || r.isMember(u.Host) {
			continue
		}
		others = append(others, topology.SetAt(u.Host, v.Span))
	}
	if len(others) == 1 {
		r.dial(others[0])
	}
}

func (r *raising) isMember(host string) bool {
	return slices.ContainsFunc(r.etcd, func(m *member) bool { return host == m.address || host == m.address6 || host == m.hostname })
}

// dial notes a name or address that clients dial; a member's is none.
func (r *raising) dial(v topology.Value[string]) {
	host := topology.CanonicalHost(v.V)
	if !v.Known() || r.isMember(host) {
		return
	}
	r.use(v.Span)
	to := &r.hosts
	if _, err := netip.ParseAddr(host); err == nil {
		to = &r.addrs
	}
	if !slices.Contains(*to, host) {
		*to = append(*to, host)
	}
}

// listens are the addresses that the listener is bound to, where it is not to all or to the machine itself.
func (r *raising) listens() []topology.Value[netip.Addr] {
	var out []topology.Value[netip.Addr]
	if r.listener != nil {
		for _, b := range r.listener.Binds {
			if b.Addr.Known() && !b.Addr.V.IsUnspecified() && !b.Addr.V.IsLoopback() {
				out = append(out, b.Addr)
			}
		}
	}
	return out
}

// local reports whether the listener serves its own machine alone.
func (r *raising) local() bool {
	return r.listener != nil && len(r.listener.Binds) > 0 &&
		!slices.ContainsFunc(r.listener.Binds, func(b topology.Bind) bool { return !b.Addr.Known() || !b.Addr.V.IsLoopback() })
}

// ends reports whether the load balancer ends the clients' TLS.
func (r *raising) ends() bool { return r.listener != nil && r.listener.TLS.V }

// machines finds the nodes: those that sources name, else those of the virtual router.
func (r *raising) machines() {
	for _, t := range r.Sources {
		for _, n := range t.Nodes {
			r.use(n.Span)
			r.node(&node{
				name: n.Name.V, address: r.address(n.Address), address6: r.address(n.Address6),
				networkCard: n.Interface.V, priority: n.Priority.V,
			})
		}
	}
	for _, t := range r.Sources {
		for _, v := range t.VRRP {
			r.use(v.Span)
			if v.RouterID.Known() && (!r.router.Known() || r.router.V == v.RouterID.V) {
				r.router = v.RouterID
				r.use(v.RouterID.Span)
			}
			if !v.Source.Known() {
				continue
			}
			add := &node{
				name: path.Base(path.Dir(t.Span.File)), address: r.address(v.Source),
				networkCard: v.Interface.V, priority: v.Priority.V,
			}
			if v.Source.V.Is6() {
				add.address, add.address6 = "", add.address
			}
			r.use(v.Interface.Span)
			r.use(v.Priority.Span)
			r.node(add)
		}
	}
	for i, n := range r.nodes {
		same := func(o *node) bool { return o != n && o.name == n.name }
		if !dnsLabel.MatchString(n.name) || slices.ContainsFunc(r.nodes, same) {
			n.name = fmt.Sprintf("lb-%d", i+1)
		}
		if n.address == "" {
			n.address, n.address6 = n.address6, ""
		}
	}
}

// node adds a machine, or what more is known of one.
func (r *raising) node(n *node) {
	for _, k := range r.nodes {
		switch {
		case n.address != "" && n.address == k.address, n.address6 != "" && n.address6 == k.address6,
			n.name == k.name && (n.address == "" || k.address == ""):
			k.networkCard, k.priority = cmp.Or(k.networkCard, n.networkCard), cmp.Or(k.priority, n.priority)
			k.address, k.address6 = cmp.Or(k.address, n.address), cmp.Or(k.address6, n.address6)
			return
		}
	}
	r.nodes = append(r.nodes, n)
}

func (r *raising) loadBalancer() *object {
	o := &object{}
	r.names(o)
	if port := r.port(); port.Known() && port.V != topology.DefaultClientPort {
		o.put("port", port.V)
	}
	if r.pool == nil {
		o.put("nodes", r.nodesObject())
		return o
	}
	if r.listener != nil {
		if r.ends() {
			r.use(r.listener.TLS.Span)
			o.put("mode", "termination")
		}
		if r.local() {
			o.put("placement", "local")
		}
		var listen []string
		for _, a := range r.listens() {
			listen = append(listen, a.V.String())
		}
		o.put("listen", listen)
	}
	if slices.Contains([]string{"leastconn", "roundrobin", "source"}, r.pool.Balance.V) {
		o.put("balance", take(r, r.pool.Balance))
	}
	o.put("maxConnections", r.maxConnections())
	timeouts := &object{}
	timeouts.put("connect", r.duration(r.pool.Connect))
	timeouts.put("idle", r.duration(r.route.Idle))
	timeouts.put("hardStopAfter", r.duration(r.pool.Proxy.HardStop))
	o.put("timeouts", timeouts)
	o.put("healthCheck", r.check())
	o.put("nodes", r.nodesObject())
	o.put("termination", r.termination())
	return o
}

// port is where clients dial the load balancer: where its listener is, else what sources say.
func (r *raising) port() topology.Value[int] {
	port := first(r, func(t *topology.Topology) topology.Value[int] { return t.BalancerPort })
	if r.listener != nil {
		for _, b := range r.listener.Binds {
			if b.Port.Known() {
				r.use(b.Port.Span)
				return b.Port
			}
		}
	}
	return port
}

// names are what clients dial, the first of each kind in its own field.
func (r *raising) names(o *object) {
	var aliases []string
	for i, h := range r.hosts {
		if i == 0 {
			o.put("host", h)
		} else {
			aliases = append(aliases, h)
		}
	}
	vip, vip6 := "", ""
	for _, a := range r.addrs {
		switch v4 := netip.MustParseAddr(a).Is4(); {
		case v4 && vip == "":
			vip = a
		case !v4 && vip6 == "":
			vip6 = a
		default:
			aliases = append(aliases, a)
		}
	}
	if vip == "" {
		vip, vip6 = vip6, ""
	}
	if vip != "" {
		o.put("vip", vip)
	}
	if vip6 != "" {
		o.put("vip6", vip6)
	}
	o.put("aliases", aliases)
}

func (r *raising) nodesObject() *object {
	o := &object{}
	for _, n := range r.nodes {
		body := &object{}
		if n.address != "" {
			body.put("address", n.address)
		}
		if n.address6 != "" {
			body.put("address6", n.address6)
		}
		if n.networkCard != "" {
			body.put("interface", n.networkCard)
		}
		if n.priority != 0 {
			body.put("priority", n.priority)
		}
		o.put(n.name, body)
	}
	return o
}

// maxConnections is the listener's own limit, else that of the whole process.
func (r *raising) maxConnections() any {
	if r.listener != nil && r.listener.MaxConns.State == topology.Set {
		r.use(r.pool.Proxy.MaxConns.Span)
		return take(r, r.listener.MaxConns)
	}
	return take(r, r.pool.Proxy.MaxConns)
}

// check is how members are asked, where a spec can say it.
func (r *raising) check() *object {
	c := r.pool.Check
	o := &object{}
	r.use(c.Span)
	r.use(c.Kind.Span)
	if r.asksHTTP() {
		r.use(c.Method.Span)
		if r.checkedApart().Known() {
			r.use(c.Port.Span)
			o.put("via", "metrics")
		} else if cert := r.keyPair(topology.KeyPair{CA: c.CA, Cert: c.Cert, Key: c.Key}); cert != nil {
			o.put("via", "client")
			if !r.ends() { // there, checks present what the proxy presents
				o.put("certificate", cert)
			}
		} else if r.scheme().V == "http" {
			r.use(c.Port.Span)
			o.put("via", "client")
		}
		if len(o.fields) > 0 {
			o.put("path", take(r, c.Path))
		}
	}
	o.put("interval", r.duration(c.Interval))
	if c.Kind.V != topology.CheckPassive {
		o.put("timeout", r.duration(c.Timeout))
	}
	o.put("fall", take(r, c.Fall))
	o.put("rise", take(r, c.Rise))
	return o
}

func (r *raising) termination() *object {
	if !r.ends() {
		return nil
	}
	shown, presented := r.listener.Certificate, topology.KeyPair{Cert: r.pool.Cert, Key: r.pool.Key}
	pair := func(p topology.KeyPair) *object {
		o := &object{}
		o.put("cert", r.path(p.Cert))
		o.put("key", r.path(p.Key))
		return o
	}
	o := &object{}
	o.put("certificate", pair(shown))
	o.put("clientCA", r.path(shown.CA))
	o.put("backendCertificate", pair(presented))
	return o
}

// targets are the formats that the sources are in, and what every cluster needs.
func (r *raising) targets() *object {
	o := &object{}
	formats := map[string]bool{}
	for _, t := range r.Sources {
		formats[t.Format] = true
	}
	if formats["nginx"] {
		options := &object{}
		if r.pool != nil && r.pool.Proxy.Platform == "nginx-plus" {
			options.put("edition", "plus")
			o.put("nginx", options)
		} else {
			o.empty("nginx")
		}
	}
	if formats["haproxy"] || !formats["nginx"] {
		options := r.haproxy()
		if len(options.fields) > 0 {
			o.put("haproxy", options)
		} else {
			o.empty("haproxy")
		}
	}
	if r.router.Known() {
		options := &object{}
		options.put("virtualRouterID", r.router.V)
		o.put("keepalived", options)
	}
	for _, name := range []string{"prometheus", "ansible", "kubernetes", "endpoints", "etcd", "runbook"} {
		if formats[name] || name == "prometheus" || name == "endpoints" || name == "runbook" {
			o.empty(name)
		}
	}
	return o
}

// haproxy is where it serves its metrics.
func (r *raising) haproxy() *object {
	o := &object{}
	for _, t := range r.Sources {
		for _, p := range t.Proxies {
			for _, l := range p.Listeners {
				if p.Platform == "haproxy" && l.Metrics && len(l.Binds) > 0 && l.Binds[0].Port.Known() && len(o.fields) == 0 {
					r.use(l.Span)
					r.use(l.Binds[0].Port.Span)
					o.put("metricsPort", l.Binds[0].Port.V)
					r.monitoring = r.networks(l.Sources)
				}
			}
		}
	}
	return o
}
