package lower

import (
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// required decides what each certificate must carry: the members' ones, the load balancer's where it ends TLS, and the
// clients' ones that the spec names.
func (l *lowering) required() {
	if l.Etcd.Scheme.V != "https" {
		return
	}
	var out []topology.Required
	for _, m := range l.t.Etcd.Members {
		out = append(out, l.memberCertificate(m))
	}
	client := func(kind, name, common string, files topology.KeyPair) {
		if files.Cert.Known() {
			out = append(out, topology.Required{
				Role: topology.ClientCert, Holder: topology.Holder{Kind: kind, Name: name}, Name: common, Files: files,
			})
		}
	}
	check := l.LoadBalancer.HealthCheck.Certificate
	if end := l.LoadBalancer.Termination; end != nil {
		names, addrs := split(l.t.Dialed)
		out = append(out, topology.Required{
			Role: topology.ServerCert, Holder: topology.Holder{Kind: topology.HolderBalancer, Name: "server"},
			Name: "etcd-lb", Names: names, Addrs: addrs, Files: end.Listener,
		})
		client(topology.HolderBalancer, "etcd", "etcd-lb", end.Backend)
		if check.Cert.V == end.Backend.Cert.V {
			check = topology.KeyPair{} // one and the same
		}
	}
	client(topology.HolderBalancer, "check", "etcd-lb-check", check)
	if len(l.Clients.KubeAPIServers) > 0 {
		client(topology.HolderClients, "kube-apiserver", "kube-apiserver-etcd-client", l.Clients.Certificate)
	}
	client(topology.HolderClients, "client", "etcd-client", l.Clients.Certificate)
	l.t.Required = out
}

// memberCertificate is for a member's server certificate: what clients of the load balancer dial, and how the member
// itself is reached, from its own machine too.
func (l *lowering) memberCertificate(m topology.Member) topology.Required {
	hosts := []topology.Value[string]{m.Hostname}
	for _, u := range m.ClientURLs {
		if parsed, ok := topology.ParseURL(u); ok {
			hosts = append(hosts, topology.SetAt(parsed.Host, u.Span))
		}
	}
	names, addrs := split(hosts)
	own := addresses(m)
	addrs = slices.Concat(own, addrs)
	for _, c := range l.t.Certificates { // the load balancer's part
		names, addrs = slices.Concat(names, c.Names.V), slices.Concat(addrs, c.Addrs.V)
	}
	local := loopbacksOf(own)
	if len(own) == 0 {
		local = []netip.Addr{loopback4}
	}
	return topology.Required{
		Role:   topology.ServerCert,
		Holder: topology.Holder{Kind: topology.HolderMembers, Name: m.Name.V},
		Name:   m.Name.V,
		Names:  distinct(append(names, "localhost")),
		Addrs:  distinct(append(addrs, local...)),
	}
}

// split tells names from addresses.
func split(hosts []topology.Value[string]) (names []string, addrs []netip.Addr) {
	for _, h := range hosts {
		if a, err := netip.ParseAddr(h.V); err == nil {
			addrs = append(addrs, a)
		} else if h.Known() {
			names = append(names, h.V)
		}
	}
	return names, addrs
}

func distinct[T comparable](all []T) []T {
	var out []T
	for _, v := range all {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
