package rules

import (
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var clientPortMismatch = Rule{
	ID:       "client-port-mismatch",
	Title:    "clients are sent to a port that is not etcd's",
	Severity: "error",
	Why: "Nothing of etcd listens on the port, so every connection through the load balancer is refused, or something else answers " +
		"it. Passive checks and checks of another port do not tell.",
	Fix: "Correct the port in the server lines: the members' client port, 2379 unless they are started otherwise.",
	References: []string{
		"https://etcd.io/docs/v3.6/op-guide/configuration/",
		"https://www.iana.org/assignments/service-names-port-numbers/service-names-port-numbers.xhtml?search=etcd",
	},
	Check: checkClientPortMismatch,
}

func checkClientPortMismatch(g *topology.Group) diag.List {
	var out diag.List
	stated := statesPort(g)
	for _, b := range g.EtcdPools() {
		if b.Mode.V == topology.HTTP || stated && (!meantForEtcd(g, b) || another(g, b)) {
			continue
		}
		var d *diag.Diagnostic
		for _, s := range b.Servers {
			if !s.Port.Known() || isMembersPort(g, s.Port.V) || !stated && !slices.Contains(topology.Transposed, s.Port.V) {
				continue
			}
			if d != nil {
				d.Related = append(d.Related, diag.Related{Span: s.Port.Span, Message: "and here"})
				continue
			}
			d = &diag.Diagnostic{
				Span:     s.Port.Span,
				Severity: diag.Error,
				Message: fmt.Sprintf("%s sends to port %d, on which no member listens, so every connection fails; need the client port %d",
					b.Called(), s.Port.V, g.ClientPort()),
				Hint:    fmt.Sprintf("write %d", g.ClientPort()),
				Subject: b.Subject(),
			}
		}
		if d != nil {
			out = append(out, *d)
		}
	}
	return out
}

// another reports whether a pool is that of a second cluster on the same machines: none of its ports is the members', and
// another pool of the proxy leads to these.
func another(g *topology.Group, b topology.EtcdPool) bool {
	if slices.ContainsFunc(b.Servers, func(s topology.Server) bool { return s.Port.Known() && isMembersPort(g, s.Port.V) }) {
		return false
	}
	for i := range b.Proxy.Pools {
		if servesClients(g, &b.Proxy.Pools[i]) {
			return true
		}
	}
	return false
}

// statesPort reports whether a spec or a manifest says on which port members serve clients.
func statesPort(g *topology.Group) bool {
	return slices.ContainsFunc(g.Sources, func(t *topology.Topology) bool { return t.Etcd.ClientPort.Known() })
}

func isMembersPort(g *topology.Group, port int) bool {
	return port == g.ClientPort() || port == g.PeerPort() || port == g.MetricsPort() || port == g.ClientHTTPPort()
}

// meantForEtcd reports whether more than the members' addresses makes a pool etcd's: these serve other things, too.
func meantForEtcd(g *topology.Group, b topology.EtcdPool) bool {
	if b.Source.Format == "spec" || topology.NamesEtcd(b.Name.V) {
		return true
	}
	for _, s := range b.Servers {
		if topology.NamesEtcd(s.Name.V) || topology.NamesEtcd(s.Host.V) || s.Port.Known() && s.Port.V == g.ClientPort() {
			return true
		}
	}
	for _, l := range g.EtcdListeners() {
		if l.Proxy == b.Proxy && slices.ContainsFunc(l.Binds, func(x topology.Bind) bool { return x.Port.V == g.ClientPort() }) &&
			slices.ContainsFunc(l.Routes, func(r topology.Route) bool { return r.Pool.V == b.Name.V }) {
			return true
		}
	}
	return false
}
