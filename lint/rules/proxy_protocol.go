package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var proxyProtocol = Rule{
	ID:       "proxy-protocol",
	Title:    "etcd is sent a PROXY protocol header",
	Severity: "error",
	Why: "etcd takes the header for the beginning of a TLS handshake or of HTTP and ends the connection: not one client gets " +
		"through. Checks that send no header, or ask another port, stay green.",
	Fix: "Remove `send-proxy` and `send-proxy-v2` from HAProxy's server lines, `proxy_protocol on` from NGINX's server block, " +
		"`proxy_protocol_v2` from the target group.",
	References: []string{
		"https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt",
		"https://docs.haproxy.org/2.6/configuration.html#5.2-send-proxy",
		"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_protocol",
	},
	Check: checkProxyProtocol,
}

func checkProxyProtocol(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range g.EtcdPools() {
		if !b.ProxyHeader.V {
			continue
		}
		out = append(out, diag.Diagnostic{
			Span:     b.ProxyHeader.Span,
			Severity: diag.Error,
			Message:  fmt.Sprintf("%s sends a PROXY protocol header, which etcd cannot read, so it ends every connection; need none", b.Called()),
			Hint:     "remove it",
			Subject:  b.Subject(),
		})
	}
	return out
}
