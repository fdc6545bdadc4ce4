package rules

import (
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// offers spells how HTTP/2 is offered over TLS to clients, and to members.
var offers = map[string]remedies{
	"clients": {
		"haproxy": "add alpn h2,http/1.1 to the bind line", "nginx": "add ssl_alpn h2 to the server block, in an http block http2 on",
		"aws": `set alpn_policy = "HTTP2Preferred"`, "": "offer h2 by ALPN",
	},
	"members": {
		"haproxy": "add alpn h2 to the server lines, with check-alpn http/1.1 where the check speaks TLS",
		"":        "pass TLS through, which leaves the offer to clients and members",
	},
}

// leadsTo are the pools that a listener leads to, as far as they are in the same source.
func leadsTo(g *topology.Group, l topology.EtcdListener) []*topology.Pool {
	var out []*topology.Pool
	for _, r := range l.Routes {
		if b := g.PoolOf(l.Proxy, r.Pool.V); b != nil && r.Pool.Known() {
			out = append(out, b)
		}
	}
	return out
}

// speaksHTTP1 reports whether a pool's servers are spoken to in HTTP/1.1, in plain text or because it is written so, which
// http-proxy judges: no offer to clients mends that.
func speaksHTTP1(g *topology.Group, b *topology.Pool) bool {
	return b.Mode.V == topology.HTTP && servesClients(g, b) && b.HTTP2.Known() && !b.HTTP2.V && (!b.TLS.V || b.HTTP2.State == topology.Set)
}

// servesClients reports whether a pool leads to the members' client port: one of metrics speaks HTTP/1.1, and may. Where the
// servers' ports do not tell, the listener's does: members on one machine have a port of their own each.
func servesClients(g *topology.Group, b *topology.Pool) bool {
	other := []int{g.PeerPort(), g.MetricsPort(), g.ClientHTTPPort()}
	for _, s := range b.Servers {
		if s.Port.Known() && (s.Port.V == g.ClientPort() || slices.Contains(other, s.Port.V)) {
			return s.Port.V == g.ClientPort()
		}
	}
	return slices.ContainsFunc(g.EtcdListeners(), func(l topology.EtcdListener) bool {
		return onClientPort(g, l) && slices.Contains(leadsTo(g, l), b)
	})
}

// onClientPort reports whether a listener is on the members' client port.
func onClientPort(g *topology.Group, l topology.EtcdListener) bool {
	return slices.ContainsFunc(l.Binds, func(a topology.Bind) bool { return a.Port.Known() && a.Port.V == g.ClientPort() })
}
