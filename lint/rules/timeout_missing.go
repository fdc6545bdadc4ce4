package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var timeoutMissing = Rule{
	ID:       "timeout-missing",
	Title:    "a proxy that waits for ever",
	Severity: "warning",
	Why: "HAProxy has no default for the client, server and connect timeouts: without them a peer that vanished without a word " +
		"keeps its connection for ever, until the process has none left to give. HAProxy warns of it at each start.",
	Fix: "Set all three in the defaults section: `timeout connect 1s`, and `timeout client` and `timeout server` alike, 1h before " +
		"etcd. In TCP mode `timeout tunnel` stands in for the server's.",
	References: []string{
		"SUSE/skuba#725",
		"https://docs.haproxy.org/2.6/configuration.html#4.2-timeout%20client",
	},
	Check: checkTimeoutMissing,
}

func checkTimeoutMissing(g *topology.Group) diag.List {
	var out diag.List
	for _, t := range g.Sources {
		for i := range t.Proxies {
			p := &t.Proxies[i]
			pools := map[diag.Span]*topology.Pool{} // by section
			for j := range p.Pools {
				pools[p.Pools[j].Span] = &p.Pools[j]
			}
			listens := map[diag.Span]bool{} // sections that are both a listener and a pool
			for j := range p.Listeners {
				l := topology.EtcdListener{Listener: &p.Listeners[j], Source: t, Proxy: p}
				missing := waits(nil, l.ClientTimeout, "client")
				if b := pools[l.Span]; b != nil {
					listens[l.Span] = true
					missing = append(missing, missingBehind(b)...)
				}
				out = append(out, timeoutsMissing(l.Span, l.Called, l.Subject(), missing)...)
			}
			for j := range p.Pools {
				if b := (topology.EtcdPool{Pool: &p.Pools[j], Source: t, Proxy: p}); !listens[b.Span] {
					out = append(out, timeoutsMissing(b.Span, b.Called, b.Subject(), missingBehind(b.Pool))...)
				}
			}
		}
	}
	return out
}

// missingBehind are the timeouts towards servers that a pool lacks. One without servers needs none.
func missingBehind(b *topology.Pool) []string {
	if len(b.Servers) == 0 {
		return nil
	}
	missing := waits(nil, b.Connect, "connect")
	if b.Mode.V != topology.HTTP && (!b.Tunnel.Known() || b.Tunnel.V != topology.Never) {
		return missing
	}
	return waits(missing, b.ServerTimeout, "server")
}

func timeoutsMissing(at diag.Span, called func() string, subject string, missing []string) diag.List {
	if len(missing) == 0 {
		return nil
	}
	return diag.List{{
		Span:     at,
		Severity: diag.Warning,
		Message: fmt.Sprintf("%s has no timeout for %s, so whoever vanishes without a word keeps a connection for ever; "+
			"need client, server and connect timeouts", called(), list(missing)),
		Hint:    "add timeout connect 1s, timeout client 1h and timeout server 1h to the defaults section",
		Subject: subject,
	}}
}
