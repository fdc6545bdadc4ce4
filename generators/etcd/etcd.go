// Package etcd writes, for each member, the flags that etcd needs for what the spec says, as environment variables.
package etcd

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Target is etcd's environment file.
var Target = target.Target{
	Name:   "etcd",
	Doc:    "etcd/<member>.env, etcd's own flags as environment variables",
	Render: render,
}

func render(t *topology.Topology, _ *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	var out []target.Artifact
	for _, m := range t.Etcd.Members {
		out = append(out, member(t, m, header).Artifact("etcd/"+m.Name.V+".env"))
	}
	return out, caWithoutAuth(t.Etcd)
}

// member is the file of one member.
func member(t *topology.Topology, m topology.Member, header target.Header) *target.Env {
	e := target.NewEnv(header,
		"Flags of the etcd member "+m.Name.V+" of the cluster "+t.Name.V+", for EnvironmentFile= of its systemd unit. Drop them from its",
		"command line: etcd refuses to start when a flag is in both. Data folder, initial cluster and the files of its own",
		"certificates stay where they are.")
	e.Section("Its name among the members.")
	e.Set("ETCD_NAME", m.Name.V)
	clients(e, t, m)
	peers(e, t.Etcd, m)
	health(e, t.Etcd, m)
	certificates(e, t.Etcd)
	keepalive(e, t)
	return e
}

func clients(e *target.Env, t *topology.Topology, m topology.Member) {
	own := addresses(m)
	if dialsLoopback(t) {
		e.Section("Where clients are served. Not on loopback: there the load balancer has this port.")
	} else {
		e.Section("Where clients are served: on loopback, too, for etcdctl on this machine.")
		own = append(own, loopbacks(m)...)
	}
	e.Set("ETCD_LISTEN_CLIENT_URLS", urls(t.Etcd.Scheme.V, own, t.Etcd.ClientPort.V))
	e.Section("The member itself, never the load balancer: what etcdctl --cluster and other members dial.")
	e.Set("ETCD_ADVERTISE_CLIENT_URLS", strings.Join(t.Etcd.ClientURLs(m), ","))
}

func peers(e *target.Env, etcd topology.Etcd, m topology.Member) {
	e.Section("Members talk to each other directly.")
	e.Set("ETCD_LISTEN_PEER_URLS", urls(etcd.Scheme.V, addresses(m), etcd.PeerPort.V))
	e.Set("ETCD_INITIAL_ADVERTISE_PEER_URLS", strings.Join(etcd.PeerURLs(m), ","))
}

// health is where load balancers and monitoring ask, beside the client port.
func health(e *target.Env, etcd topology.Etcd, m topology.Member) {
	if etcd.MetricsPort.Known() {
		e.Section("Health and metrics, on the member's address: a check from outside does not reach loopback.")
		e.Set("ETCD_LISTEN_METRICS_URLS", urls(etcd.MetricsScheme.V, addresses(m), etcd.MetricsPort.V))
	}
	if etcd.ClientHTTPPort.Known() {
		e.Section("HTTP on a port of its own, since etcd 3.4.25 and 3.5.8; the client port then serves gRPC only.")
		e.Set("ETCD_LISTEN_CLIENT_HTTP_URLS", urls(etcd.Scheme.V, addresses(m), etcd.ClientHTTPPort.V))
	}
}

// certificates is what the spec says of clients' certificates. etcd demands them of all clients as soon as it has a
// trusted CA, so without client-cert-auth the CA must be left out.
func certificates(e *target.Env, etcd topology.Etcd) {
	auth, ca := etcd.ClientCertAuth, etcd.TrustedCA
	if etcd.Scheme.V != "https" || auth.State != topology.Set && !ca.Known() {
		return
	}
	e.Section("Whether clients must present a certificate.")
	e.Set("ETCD_CLIENT_CERT_AUTH", strconv.FormatBool(auth.V))
	if auth.V && ca.Known() {
		e.Set("ETCD_TRUSTED_CA_FILE", ca.V)
	}
}

// caWithoutAuth tells of a CA that certificates leaves out.
func caWithoutAuth(etcd topology.Etcd) diag.List {
	var diags diag.List
	if etcd.TrustedCA.Known() && !etcd.ClientCertAuth.V && etcd.Scheme.V == "https" {
		diags.Warn(etcd.TrustedCA.Span, "unsupported", "trustedCAFile makes etcd demand a certificate of every client, "+
			"but clientCertAuth is false, so the file is left out of etcd's flags; need one of the two",
			"set clientCertAuth: true, or drop trustedCAFile")
	}
	return diags
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
func keepalive(e *target.Env, t *topology.Topology) {
	interval := pingAtMost
	if idle, ok := shortestIdle(t); ok {
		interval = max(min(interval, idle/3), pingAtLeast).Truncate(time.Second)
	}
	e.Section("How often a quiet client is pinged: finds those that vanished behind the load balancer, and keeps watches",
		"from being idle there.")
	e.Set("ETCD_GRPC_KEEPALIVE_INTERVAL", topology.Short(interval))
	e.Set("ETCD_GRPC_KEEPALIVE_TIMEOUT", topology.Short(pingTimeout))
	if ping := t.Clients.Keepalive; ping.Known() && ping.V != topology.Never && ping.V < minPing {
		e.Section("Clients ping more often than etcd allows by default, and would be cut off for it.")
		e.Set("ETCD_GRPC_KEEPALIVE_MIN_TIME", topology.Short(ping.V))
	}
}

// shortestIdle is how long the least patient load balancer keeps a quiet connection; false where none ever cuts one.
func shortestIdle(t *topology.Topology) (time.Duration, bool) {
	shortest, found := time.Duration(0), false
	for _, p := range t.Proxies {
		for _, l := range p.Listeners {
			for _, r := range l.Routes {
				if r.Idle.Known() && r.Idle.V != topology.Never && (!found || r.Idle.V < shortest) {
					shortest, found = r.Idle.V, true
				}
			}
		}
	}
	return shortest, found
}

// dialsLoopback reports whether a load balancer on this machine may have the client port on loopback.
func dialsLoopback(t *topology.Topology) bool {
	if t.BalancerPort.V != t.Etcd.ClientPort.V {
		return false
	}
	for _, d := range t.Dialed {
		if a, err := netip.ParseAddr(d.V); err == nil && a.IsLoopback() {
			return true
		}
	}
	return false
}

func addresses(m topology.Member) []netip.Addr {
	var out []netip.Addr
	for _, a := range m.Addresses() {
		out = append(out, a.V)
	}
	return out
}

// loopbacks are those of the families that the member has.
func loopbacks(m topology.Member) []netip.Addr {
	var out []netip.Addr
	for _, a := range addresses(m) {
		switch {
		case a.IsLoopback(): // all of its traffic is there already
		case a.Is4():
			out = append(out, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
		default:
			out = append(out, netip.IPv6Loopback())
		}
	}
	return out
}

func urls(scheme string, at []netip.Addr, port int) string {
	out := make([]string, len(at))
	for i, a := range at {
		out[i] = scheme + "://" + netip.AddrPortFrom(a, uint16(port)).String()
	}
	return strings.Join(out, ",")
}
