package rules

import (
	"fmt"
	"net/netip"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var duplicateListener = Rule{
	ID:       "duplicate-listener",
	Title:    "two listeners on one address and port",
	Severity: "error",
	Why: "HAProxy binds with SO_REUSEPORT: a second frontend on the same address and port starts without a word, and the kernel " +
		"gives it half of the connections. Every other client of etcd ends up wherever the other frontend leads. NGINX refuses to start.",
	Fix: "Remove one of the two, or give it another port or address.",
	References: []string{
		"https://docs.haproxy.org/2.6/management.html#4",
		"https://man7.org/linux/man-pages/man7/socket.7.html",
		"https://nginx.org/en/docs/stream/ngx_stream_core_module.html#listen",
	},
	Check: checkDuplicateListener,
}

func checkDuplicateListener(g *topology.Group) diag.List {
	var out diag.List
	etcds := map[*topology.Listener]bool{}
	for _, l := range g.EtcdListeners() {
		etcds[l.Listener] = true
	}
	for _, t := range g.Sources {
		for i := range t.Proxies {
			p := &t.Proxies[i]
			if p.Cloud() {
				continue // which refuses it
			}
			out = append(out, duplicates(t, p, etcds)...)
		}
	}
	return out
}

// taken is a bind with the listener that has it.
type taken struct {
	by *topology.Listener
	at diag.Span
}

// duplicates finds listeners of one proxy with the same address and port, one of which is etcd's.
func duplicates(t *topology.Topology, p *topology.Proxy, etcds map[*topology.Listener]bool) diag.List {
	var out diag.List
	first := map[netip.AddrPort]taken{}
	for i := range p.Listeners {
		l := &p.Listeners[i]
		found := false
		for _, b := range l.Binds {
			if b.Shared || !b.Addr.Known() || !b.Port.Known() {
				continue
			}
			at := netip.AddrPortFrom(b.Addr.V, uint16(b.Port.V))
			other, ok := first[at]
			switch {
			case !ok:
				first[at] = taken{l, b.Port.Span}
			case other.by != l && !found && (etcds[l] || etcds[other.by]):
				found = true
				mine := topology.EtcdListener{Listener: l, Source: t, Proxy: p}
				theirs := topology.EtcdListener{Listener: other.by, Source: t, Proxy: p}
				out = append(out, diag.Diagnostic{
					Span:     b.Port.Span,
					Severity: diag.Error,
					Message: fmt.Sprintf("%s listens on %s, which %s has already, so connections are split between the two; need one of them alone",
						mine.Called(), at, theirs.Called()),
					Hint:    "remove one of the two, or give it another port or address",
					Subject: mine.Subject(),
					Related: []diag.Related{{Span: other.at, Message: "the other one"}},
				})
			}
		}
	}
	return out
}
