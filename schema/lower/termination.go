package lower

import (
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// terminate has a listener end the clients' TLS, and its pool speak to members in the load balancer's own name. Both
// sides offer HTTP/2, which gRPC needs, and verify each other.
func (l *lowering) terminate(clients *topology.Listener, pool *topology.Pool) {
	end := l.LoadBalancer.Termination
	if end == nil {
		return
	}
	yes := topology.DefaultAt(true, end.Span)
	clients.TLS, clients.HTTP2, clients.Certificate = yes, yes, end.Listener
	pool.TLS, pool.Verify, pool.HTTP2 = yes, yes, yes
	pool.Cert, pool.Key, pool.CA = end.Backend.Cert, end.Backend.Key, end.Backend.CA
}

// backendCheck has a check over TLS present what the proxy presents to members anyway: a server has one certificate.
func (l *lowering) backendCheck(c *topology.Check) {
	end := l.LoadBalancer.Termination
	if end == nil || c.Kind.V != topology.CheckHTTPS {
		return
	}
	own := topology.KeyPair{CA: c.CA, Cert: c.Cert, Key: c.Key}
	c.CA, c.Cert, c.Key = end.Backend.CA, end.Backend.Cert, end.Backend.Key
	for _, pair := range [][2]topology.Value[string]{{own.Cert, c.Cert}, {own.Key, c.Key}, {own.CA, c.CA}} {
		if asked, given := pair[0], pair[1]; asked.Known() && asked.V != given.V {
			l.diags = append(l.diags, diag.Diagnostic{
				Span: asked.Span, Severity: diag.Error, Rule: "unsupported",
				Message: "the health check is to use " + asked.V + ", but a proxy that speaks TLS to members checks them with what it " +
					"presents to them, " + given.V + "; need the same",
				Hint:    "leave healthCheck.certificate out: checks then use backendCertificate",
				Related: []diag.Related{{Span: given.Span, Message: "presented to members"}},
			})
			return
		}
	}
}

// cannotTerminate refuses a mode that a cloud's load balancer does not have.
func (l *lowering) cannotTerminate(by string) {
	if l.LoadBalancer.Termination != nil {
		l.diags.Error(l.LoadBalancer.Mode.Span, "unsupported", `mode "termination" is beyond `+by+
			`, which cannot present a client certificate to members; need mode "passthrough", or another target`, "")
	}
}

// nginxTermination has NGINX end TLS in its http module: its stream module offers members no HTTP/2. Requests, not
// connections, are then tried again, and members are verified by one name for all.
func (l *lowering) nginxTermination(listeners []topology.Listener, pool *topology.Pool, options *topology.Tree) {
	at := l.LoadBalancer.Mode.Span
	if edition := topology.Get[string](options, "edition"); edition.V == "plus" {
		l.diags.Error(edition.Span, "unsupported", `nginx is to be edition "plus" in mode "termination", but the active checks of NGINX Plus are `+
			`written for its stream module alone; need edition "oss", or haproxy`, "use target haproxy, which checks members in both modes")
	}
	l.terminate(&listeners[0], pool)
	pool.Mode = topology.DefaultAt(topology.HTTP, at)
	pool.Retries = topology.Value[int]{}
	for i := range listeners {
		listeners[i].Mode = pool.Mode
		for j := range listeners[i].Binds {
			listeners[i].Binds[j].Shared = true // servers of one address are told apart by name
		}
	}
	names := l.t.Certificates[0].Names.V
	if len(names) == 0 {
		l.diags.Error(options.At(l.Span), "unsupported", "target nginx verifies all members by one DNS name that each certificate holds, "+
			"but the spec gives none; need loadBalancer.host or cluster.tls.altNames", `add loadBalancer: host: "…"`)
		return
	}
	name := names[0]
	if host := l.LoadBalancer.Host.V; slices.Contains(names, host) {
		name = host
	}
	for i := range pool.Servers {
		pool.Servers[i].VerifyHost = topology.DefaultAt(name, at)
	}
}

// shownTo is what those dial who are shown members' certificates through the load balancer: nobody where it ends TLS
// itself, but for NGINX, which verifies all members by one name.
func (l *lowering) shownTo() []topology.Value[string] {
	_, nginx := l.Targets["nginx"]
	switch {
	case l.LoadBalancer.Termination == nil:
		return l.t.Dialed
	case nginx && l.LoadBalancer.Host.Known():
		return []topology.Value[string]{l.LoadBalancer.Host}
	}
	return nil
}
