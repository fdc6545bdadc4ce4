package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var serverNameUnresolved = Rule{
	ID:       "server-name-unresolved",
	Title:    "a server's host name is looked up once, at the start",
	Severity: "warning",
	Why: "HAProxy and NGINX look up a server's name when they start and do not start when there is no answer: a restart while DNS is " +
		"down takes etcd away from all clients. And a member that gets a new address is never found again.",
	Fix: "Write addresses. Or let the proxy resolve by itself: in HAProxy a `resolvers` section, and `resolvers NAME init-addr " +
		"last,libc,none` in the server lines; in NGINX from 1.27.3 `resolve` with a `resolver` and a `zone`.",
	References: []string{
		"nginx/nginx#867", "NginxProxyManager/nginx-proxy-manager#633",
		"https://docs.haproxy.org/2.6/configuration.html#5.2-init-addr",
		"https://nginx.org/en/docs/stream/ngx_stream_upstream_module.html#resolve",
	},
	Check: checkServerNameUnresolved,
}

// lookups spells how a name is looked up again.
var lookups = remedies{
	"haproxy": "write the member's address, or add a resolvers section, and resolvers and init-addr last,libc,none to the server lines",
	"nginx":   "write the member's address, or a resolver, zone and the parameter resolve (from nginx 1.27.3 on)",
	"":        "write the member's address",
}

func checkServerNameUnresolved(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range servedPools(g) {
		var d *diag.Diagnostic
		for _, s := range b.Servers {
			if !s.Resolves.Known() || s.Resolves.V || s.Host.V == "localhost" {
				continue
			}
			if d != nil {
				if s.Host.Span != d.Span { // a template is many servers
					d.Related = append(d.Related, diag.Related{Span: s.Host.Span, Message: "and this one"})
				}
				continue
			}
			d = &diag.Diagnostic{
				Span:     s.Host.Span,
				Severity: diag.Warning,
				Message: fmt.Sprintf("%s looks up %s only when %s starts: without an answer the start fails, and a new address is never seen; "+
					"need an address, or a name that is looked up again", b.Called(), s.Host.V, b.Proxy.Program()),
				Hint:    lookups.of(b.Source, b.Proxy),
				Subject: b.Subject(),
			}
		}
		if d != nil {
			out = append(out, *d)
		}
	}
	return out
}
