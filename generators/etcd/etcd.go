// Package etcd writes, for each member, the flags that etcd needs for what the spec says, as environment variables. It
// reads such files, etcd's configuration in YAML, and the systemd units that start etcd and its clients.
package etcd

import (
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Target is etcd's own configuration.
var Target = target.Target{
	Name:    name,
	Doc:     "etcd/<member>.env, etcd's own flags as environment variables, and a drop-in that has systemd load them",
	Render:  render,
	Detect:  detect,
	Parse:   parse,
	Facts:   topology.FFlags,
	Comment: "#",
}

const name = "etcd"

func render(t *topology.Topology, _ *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	var out []target.Artifact
	for _, m := range t.Etcd.Members {
		out = append(out, member(t.Name.V, m, header).Artifact("etcd/"+m.Name.V+".env"))
	}
	out = append(out, dropIn(t.Name.V, header))
	return out, caWithoutAuth(t.Etcd)
}

// member is the file of one member.
func member(cluster string, m topology.Member, header target.Header) *target.Env {
	e := target.NewEnv(header,
		"Flags of the etcd member "+m.Name.V+" of the cluster "+cluster+", for EnvironmentFile= of its systemd unit. Drop them from its",
		"command line: etcd refuses to start when a flag is in both. Data folder, initial cluster and the files of its own",
		"certificates stay where they are.")
	e.Section("Its name among the members.")
	e.Set("ETCD_NAME", m.Name.V)
	serving(e, m.Flags)
	health(e, m.Flags)
	certificates(e, m.Flags)
	keepalive(e, m.Flags)
	return e
}

func serving(e *target.Env, f topology.Flags) {
	switch {
	case everywhere(f.ListenClientURLs):
		e.Section("Where clients are served: on all addresses, since packets come with the load balancer's own as they were sent.")
	case onLoopback(f.ListenClientURLs):
		e.Section("Where clients are served: on loopback, too, for etcdctl on this machine.")
	default:
		e.Section("Where clients are served. Not on loopback: there the load balancer has this port.")
	}
	e.Set("ETCD_LISTEN_CLIENT_URLS", join(f.ListenClientURLs))
	e.Section("The member itself, never the load balancer: what etcdctl --cluster and other members dial.")
	e.Set("ETCD_ADVERTISE_CLIENT_URLS", join(f.AdvertiseClientURLs))
	e.Section("Members talk to each other directly.")
	e.Set("ETCD_LISTEN_PEER_URLS", join(f.ListenPeerURLs))
	e.Set("ETCD_INITIAL_ADVERTISE_PEER_URLS", join(f.AdvertisePeerURLs))
}

// health is where load balancers and monitoring ask, beside the client port.
func health(e *target.Env, f topology.Flags) {
	if len(f.ListenMetricsURLs) > 0 {
		where := "the member's address: a check from outside does not reach loopback."
		if everywhere(f.ListenMetricsURLs) {
			where = "all addresses: checks are sent to the load balancer's own, too."
		}
		e.Section("Health and metrics, on " + where)
		e.Set("ETCD_LISTEN_METRICS_URLS", join(f.ListenMetricsURLs))
	}
	if len(f.ListenClientHTTPURLs) > 0 {
		e.Section("HTTP on a port of its own, since etcd 3.4.25 and 3.5.8; the client port then serves gRPC only.")
		e.Set("ETCD_LISTEN_CLIENT_HTTP_URLS", join(f.ListenClientHTTPURLs))
	}
}

func certificates(e *target.Env, f topology.Flags) {
	if !f.ClientCertAuth.Known() {
		return
	}
	e.Section("Whether clients must present a certificate.")
	e.Set("ETCD_CLIENT_CERT_AUTH", strconv.FormatBool(f.ClientCertAuth.V))
	if f.TrustedCA.Known() {
		e.Set("ETCD_TRUSTED_CA_FILE", f.TrustedCA.V)
	}
}

func keepalive(e *target.Env, f topology.Flags) {
	e.Section("How often a quiet client is pinged: finds those that vanished behind the load balancer, and keeps watches",
		"from being idle there.")
	e.Set("ETCD_GRPC_KEEPALIVE_INTERVAL", topology.Short(f.KeepaliveInterval.V))
	e.Set("ETCD_GRPC_KEEPALIVE_TIMEOUT", topology.Short(f.KeepaliveTimeout.V))
	if f.KeepaliveMinTime.Known() {
		e.Section("Clients ping more often than etcd allows by default, and would be cut off for it.")
		e.Set("ETCD_GRPC_KEEPALIVE_MIN_TIME", topology.Short(f.KeepaliveMinTime.V))
	}
}

// caWithoutAuth tells of a CA that is left out.
func caWithoutAuth(etcd topology.Etcd) diag.List {
	var diags diag.List
	if etcd.TrustedCA.Known() && !etcd.ClientCertAuth.V && etcd.Scheme.V == "https" {
		diags.Warn(etcd.TrustedCA.Span, "unsupported", "trustedCAFile makes etcd demand a certificate of every client, "+
			"but clientCertAuth is false, so the file is left out of etcd's flags; need one of the two",
			"set clientCertAuth: true, or drop trustedCAFile")
	}
	return diags
}

// onLoopback reports whether one of several URLs is for the machine itself.
// everywhere reports whether one of the URLs is on all addresses.
func everywhere(urls []topology.Value[string]) bool {
	for _, v := range urls {
		if u, ok := topology.ParseURL(v); ok && u.Everywhere() {
			return true
		}
	}
	return false
}

func onLoopback(urls []topology.Value[string]) bool {
	for _, v := range urls {
		if u, ok := topology.ParseURL(v); ok && u.OnLoopback() {
			return true
		}
	}
	return false
}

func join(urls []topology.Value[string]) string {
	texts := make([]string, len(urls))
	for i, v := range urls {
		texts[i] = v.V
	}
	return strings.Join(texts, ",")
}
