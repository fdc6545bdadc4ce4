package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var unknownBackend = Rule{
	ID:       "unknown-backend",
	Title:    "a frontend leads to a backend that does not exist",
	Severity: "error",
	Why: "HAProxy refuses to start with a frontend whose backend is not there, and a reload keeps the old configuration without " +
		"a word to those who expect the new one.",
	Fix: "Correct the name in default_backend or use_backend, or add the backend. HAProxy's names are case-sensitive.",
	References: []string{
		"https://docs.haproxy.org/2.6/configuration.html#4.2-default_backend",
		"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_pass",
	},
	Check: checkUnknownBackend,
}

func checkUnknownBackend(g *topology.Group) diag.List {
	var out diag.List
	for _, t := range g.Sources {
		for i := range t.Proxies {
			p := &t.Proxies[i]
			said := map[diag.Span]bool{} // what defaults say holds for several
			for j := range p.Listeners {
				l := topology.EtcdListener{Listener: &p.Listeners[j], Source: t, Proxy: p}
				for _, r := range l.Listener.Routes {
					if !r.Missing || said[r.Pool.Span] {
						continue
					}
					said[r.Pool.Span] = true
					out = append(out, diag.Diagnostic{
						Span:     r.Pool.Span,
						Severity: diag.Error,
						Message: fmt.Sprintf("%s sends clients to %q, which does not exist, so %s does not start; need the name of one that does",
							l.Called(), r.Pool.V, p.Program()),
						Hint:    "correct the name, or add what it names",
						Subject: l.Subject(),
					})
				}
			}
		}
	}
	return out
}
