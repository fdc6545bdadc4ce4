package lower

import (
	"net/netip"
	"slices"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// flags decides what each member is started with.
func (l *lowering) flags(at diag.Span) {
	l.t.Etcd.Members = slices.Clone(l.t.Etcd.Members)
	for i := range l.t.Etcd.Members {
		m := &l.t.Etcd.Members[i]
		f := topology.Flags{Span: at}
		l.serving(&f, *m)
		l.certificates(&f)
		l.keepalive(&f)
		m.Flags = f
	}
}

// serving is where a member listens and what it advertises: itself, never the load balancer.
func (l *lowering) serving(f *topology.Flags, m topology.Member) {
	e, own := l.t.Etcd, addresses(m)
	clients, others := own, own
	if !l.dialsLoopback() {
		clients = slices.Concat(own, loopbacksOf(own)) // for etcdctl on this machine
	}
	if l.passedThrough() {
		clients, others = everyIPv4(clients), everyIPv4(own)
	}
	f.ListenClientURLs = urls(e.Scheme, clients, e.ClientPort)
	f.AdvertiseClientURLs = stated(m.ClientURLs, e.ClientURLs(m), m.Span)
	f.ListenPeerURLs = urls(e.Scheme, own, e.PeerPort)
	f.AdvertisePeerURLs = stated(m.PeerURLs, e.PeerURLs(m), m.Span)
	if e.MetricsPort.Known() {
		f.ListenMetricsURLs = urls(e.MetricsScheme, others, e.MetricsPort)
	}
	if e.ClientHTTPPort.Known() {
		f.ListenClientHTTPURLs = urls(e.Scheme, others, e.ClientHTTPPort)
	}
}

// certificates is what the spec says of clients' certificates. etcd demands them of all clients as soon as it has a
// trusted CA, so without client-cert-auth the CA is left out.
func (l *lowering) certificates(f *topology.Flags) {
	auth, ca := l.t.Etcd.ClientCertAuth, l.t.Etcd.TrustedCA
	if l.t.Etcd.Scheme.V != "https" || auth.State != topology.Set && !ca.Known() {
		return
	}
	f.ClientCertAuth = auth
	if auth.V {
		f.TrustedCA = ca
	}
}

// The bounds of how often etcd pings a quiet client. Its own default is two hours: so long would it keep the watches and
// leases of clients that vanished behind the load balancer.
const (
	pingAtMost  = 10 * time.Minute
	pingAtLeast = 10 * time.Second
	pingTimeout = 20 * time.Second // etcd's default
	minPing     = 5 * time.Second  // etcd's default for how often clients may ping
)

// keepalive makes etcd ping three times within the load balancer's idle timeout: pings keep a quiet watch alive there,
// whatever the client does.
func (l *lowering) keepalive(f *topology.Flags) {
	interval := pingAtMost
	if idle, ok := l.shortestIdle(); ok {
		interval = max(min(interval, idle/3), pingAtLeast).Truncate(time.Second)
	}
	f.KeepaliveInterval = topology.DefaultAt(interval, f.Span)
	f.KeepaliveTimeout = topology.DefaultAt(pingTimeout, f.Span)
	if ping := l.t.Clients.Keepalive; ping.Known() && ping.V != topology.Never && ping.V < minPing {
		f.KeepaliveMinTime = ping
	}
}

// shortestIdle is how long the least patient load balancer keeps a quiet connection; false where none ever cuts one.
func (l *lowering) shortestIdle() (time.Duration, bool) {
	shortest, found := time.Duration(0), false
	for _, p := range l.t.Proxies {
		for _, listener := range p.Listeners {
			for _, r := range listener.Routes {
				if r.Idle.Known() && r.Idle.V != topology.Never && (!found || r.Idle.V < shortest) {
					shortest, found = r.Idle.V, true
				}
			}
		}
	}
	return shortest, found
}

// dialsLoopback reports whether a load balancer on this machine may have the client port on loopback.
func (l *lowering) dialsLoopback() bool {
	return l.t.BalancerPort.V == l.t.Etcd.ClientPort.V &&
		slices.ContainsFunc(l.t.Dialed, func(d topology.Value[string]) bool {
			a, err := netip.ParseAddr(d.V)
			return err == nil && a.IsLoopback()
		})
}

func addresses(m topology.Member) []netip.Addr {
	var out []netip.Addr
	for _, a := range m.Addresses() {
		out = append(out, a.V)
	}
	return out
}

// loopbacksOf are those of the families that a member has.
func loopbacksOf(own []netip.Addr) []netip.Addr {
	var out []netip.Addr
	for _, a := range own {
		switch {
		case a.IsLoopback(): // all of its traffic is there already
		case a.Is4():
			out = append(out, loopback4)
		default:
			out = append(out, loopback6)
		}
	}
	return out
}

func urls(scheme topology.Value[string], at []netip.Addr, port topology.Value[int]) []topology.Value[string] {
	out := make([]topology.Value[string], len(at))
	for i, a := range at {
		out[i] = topology.DefaultAt(scheme.V+"://"+netip.AddrPortFrom(a, uint16(port.V)).String(), port.Span)
	}
	return out
}

// stated are the URLs that the spec lists, else the derived ones.
func stated(listed []topology.Value[string], derived []string, at diag.Span) []topology.Value[string] {
	if len(listed) > 0 {
		return listed
	}
	out := make([]topology.Value[string], len(derived))
	for i, u := range derived {
		out[i] = topology.DefaultAt(u, at)
	}
	return out
}
