package raise

import (
	"net/netip"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// nameless is what a cluster is called whose name no source says.
const nameless = "etcd"

func (r *raising) cluster() *object {
	o := &object{}
	o.put("name", r.name())
	o.put("version", take(r, ofEtcd(r, func(e topology.Etcd) topology.Value[string] { return e.Version })))
	if r.scheme().V == "http" {
		o.put("scheme", "http")
	}
	if auth := ofEtcd(r, func(e topology.Etcd) topology.Value[bool] { return e.Auth }); auth.V {
		r.use(auth.Span)
		o.put("auth", true)
	}
	members := &object{}
	for _, m := range r.etcd {
		if body := m.object(); len(body.fields) > 0 {
			members.put(m.name, body)
		} else {
			members.empty(m.name)
		}
	}
	o.put("members", members)
	o.put("ports", r.ports())
	o.put("metrics", r.metrics())
	tls := &object{}
	if auth := ofEtcd(r, func(e topology.Etcd) topology.Value[bool] { return e.ClientCertAuth }); auth.Known() {
		r.use(auth.Span)
		if auth.State == topology.Set && !auth.V {
			tls.put("clientCertAuth", false)
		}
	}
	ca := ofEtcd(r, func(e topology.Etcd) topology.Value[string] { return e.TrustedCA })
	if r.ends() && !ca.Known() {
		ca = r.pool.CA
	}
	tls.put("trustedCAFile", r.path(ca))
	o.put("tls", tls)
	return o
}

func (r *raising) scheme() topology.Value[string] {
	return ofEtcd(r, func(e topology.Etcd) topology.Value[string] { return e.Scheme })
}

// name is what comes after "etcd-" in the pool's, as in what we build.
func (r *raising) name() string {
	if v := first(r, func(t *topology.Topology) topology.Value[string] { return t.Name }); v.Known() && clusterLabel(v.V) {
		return v.V
	}
	if r.pool != nil {
		if rest, ok := strings.CutPrefix(strings.ToLower(r.pool.Name.V), "etcd-"); ok && clusterLabel(rest) {
			return rest
		}
	}
	return nameless
}

func clusterLabel(s string) bool { return len(s) <= 23 && dnsLabel.MatchString(s) }

func (r *raising) ports() *object {
	o := &object{}
	client := ofEtcd(r, func(e topology.Etcd) topology.Value[int] { return e.ClientPort })
	if !client.Known() && r.pool != nil {
		for _, s := range r.pool.Servers {
			if s.Port.Known() {
				client = s.Port
				break
			}
		}
	}
	for _, p := range []struct {
		name  string
		port  topology.Value[int]
		usual int
	}{
		{"client", client, topology.DefaultClientPort},
		{"peer", ofEtcd(r, func(e topology.Etcd) topology.Value[int] { return e.PeerPort }), topology.DefaultPeerPort},
		{"clientHTTP", ofEtcd(r, func(e topology.Etcd) topology.Value[int] { return e.ClientHTTPPort }), 0},
	} {
		if p.port.Known() {
			r.use(p.port.Span)
			if p.port.V != p.usual {
				o.put(p.name, p.port.V)
			}
		}
	}
	return o
}

// metrics is where members serve them: as they say, else where the load balancer's check asks.
func (r *raising) metrics() *object {
	port := ofEtcd(r, func(e topology.Etcd) topology.Value[int] { return e.MetricsPort })
	scheme := ofEtcd(r, func(e topology.Etcd) topology.Value[string] { return e.MetricsScheme }).V
	if asked := r.checkedApart(); !port.Known() && asked.Known() {
		port, scheme = asked, "http"
		if r.pool.Check.Kind.V == topology.CheckHTTPS {
			scheme = "https"
		}
	}
	if !port.Known() {
		return nil
	}
	r.use(port.Span)
	o := &object{}
	o.put("port", port.V)
	if scheme == "https" {
		o.put("scheme", "https")
	}
	return o
}

// checkedApart is the port of an HTTP check that is none of those for clients.
func (r *raising) checkedApart() topology.Value[int] {
	if r.pool == nil || !r.asksHTTP() {
		return topology.Value[int]{}
	}
	port := r.pool.Check.Port
	if port.V == r.ClientHTTPPort() {
		return topology.Value[int]{}
	}
	for _, s := range r.pool.Servers {
		if !port.Known() || s.Port.Known() && s.Port.V == port.V {
			return topology.Value[int]{}
		}
	}
	return port
}

func (r *raising) asksHTTP() bool {
	kind := r.pool.Check.Kind
	return kind.V == topology.CheckHTTP || kind.V == topology.CheckHTTPS
}

func (r *raising) clients() *object {
	o := &object{}
	var networks, servers []string
	if r.listener != nil {
		networks = r.networks(r.listener.Sources)
	}
	var certificate *object
	for _, t := range r.Sources {
		for _, d := range t.Dialers {
			if d.Address.Known() {
				r.use(d.Address.Span)
				servers = append(servers, d.Address.V)
			}
			if certificate == nil {
				certificate = r.keyPair(d.Certificate)
			}
		}
	}
	o.put("networks", networks)
	o.put("kubeApiServers", servers)
	o.put("certificate", certificate)
	return o
}

func (r *raising) networks(from []topology.Value[netip.Prefix]) []string {
	var out []string
	for _, n := range from {
		if n.Known() {
			r.use(n.Span)
			out = append(out, n.V.Masked().String())
		}
	}
	return out
}

// keyPair is a certificate that is known in all its parts, else nil.
func (r *raising) keyPair(p topology.KeyPair) *object {
	o := &object{}
	o.put("ca", r.path(p.CA))
	o.put("cert", r.path(p.Cert))
	o.put("key", r.path(p.Key))
	if len(o.fields) < 3 {
		return nil
	}
	return o
}
