package rules

import (
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var balanceLongLived = Rule{
	ID:       "balance-long-lived",
	Title:    "long connections spread without a look at how many there are",
	Severity: "warning",
	Why: "gRPC keeps one connection for days and sends all requests through it. Taking turns, or the client's address, decides once, " +
		"when a client connects: after a member was down for a minute all clients are on the others, and stay there for ever.",
	Fix: "Choose the member with the fewest connections: `balance leastconn` in HAProxy, `least_conn` in an NGINX upstream. What " +
		"comes back fills up again.",
	References: []string{
		"etcd-io/etcd#10717", "kubernetes/kubernetes#72102", "grpc/grpc#7957", "grpc/grpc-java#2395", "istio/istio#7878",
		"https://docs.haproxy.org/2.6/configuration.html#4.2-balance",
	},
	Check: checkBalanceLongLived,
}

// blind are the ways to choose a server that do not count its connections, in words.
var blind = map[string]string{
	"roundrobin": "takes turns", "static-rr": "takes turns", "first": "fills the first server", "source": "goes by the client's address",
}

// fewest spells how the server with the fewest connections is chosen.
var fewest = remedies{
	"haproxy": "write balance leastconn", "nginx": "write least_conn in the upstream block", "spec": `set balance: "leastconn"`,
	"": "choose the server with the fewest connections",
}

func checkBalanceLongLived(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range clientPools(g) {
		if b.Mode.V == topology.HTTP && b.HTTP2.V {
			continue // each request is spread, not each connection
		}
		how, ok := blind[b.Balance.V]
		if !b.Balance.Known() || !ok || !several(b) {
			continue
		}
		at := b.Balance.Span
		if b.Balance.State == topology.Defaulted {
			at = b.Span
		}
		out = append(out, diag.Diagnostic{
			Span:     at,
			Severity: diag.Warning,
			Message: fmt.Sprintf("%s %s (%s) with new connections, of which etcd's clients make few and keep them for days, so after a member was "+
				"down the load stays uneven; need the member with the fewest connections to be chosen", b.Called(), how, b.Balance.V),
			Hint:    fewest.of(b.Source, b.Proxy),
			Subject: b.Subject(),
			Edits:   leastconn(b),
		})
	}
	return out
}

// several reports whether connections are spread at all. A server of which a template leaves the name and the address open
// is as many as there are members.
func several(b topology.EtcdPool) bool {
	n := len(backupsOf(b))
	for _, s := range usable(b) {
		if n--; unread(s.Name) && unread(s.Host) && !unread(s.Backup) {
			return true
		}
	}
	return n < -1
}

// leastconn spells the remedy where that is a local change: in HAProxy's own words, in the pool's own section.
func leastconn(b topology.EtcdPool) []diag.Edit {
	own := b.Balance.Span.File == b.Span.File && b.Balance.Span.Line > b.Span.Line
	switch {
	case b.Proxy.Platform != "haproxy":
		return nil
	case b.Balance.State == topology.Set && own:
		return []diag.Edit{{Span: b.Balance.Span, Text: "leastconn"}}
	case slices.ContainsFunc(b.Servers, func(s topology.Server) bool { return s.Span.File != b.Span.File }):
		return nil
	}
	return []diag.Edit{{Span: b.Span, Text: "balance leastconn", Below: true}}
}
