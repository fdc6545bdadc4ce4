// Package nginx writes and reads NGINX configurations that proxy TCP: the stream block of an nginx.conf, or files that
// are included inside one. It reads http blocks, too, where they pass requests on.
//
// Files are printed by crossplane and read through its lexer. Its parser is not used: it keeps no columns, and it
// returns nothing at all of a file with one brace too few. The directives become facts in parse.go.
package nginx

import (
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Target writes nginx/nginx.conf, or a fragment for the stream block of an NGINX that serves other things.
//
// A fragment is silent on what only the main context can say: read back, the limit of the process and how long its old
// connections live are unknown.
var Target = target.Target{
	Name:   name,
	Doc:    "NGINX as a TCP proxy (stream), open source or Plus",
	Render: render,
	Detect: detect,
	Parse:  parse,
	Facts: topology.FListeners | topology.FMetrics | topology.FIdle | topology.FProcessLimit | topology.FHardStop |
		topology.FPools | topology.FDrain | topology.FBalance | topology.FConnect | topology.FRetries |
		topology.FCheck | topology.FCheckTimes | topology.FCheckTimeout | topology.FTLS,
	Own:      []string{"${"},
	Comment:  "#",
	Includes: includes,
}

const (
	name = "nginx"

	openSource = "nginx"
	plus       = "nginx-plus"
)

// spareConnections is what one worker needs of worker_connections beside its clients: listening sockets, the channel to
// the master, health checks.
const spareConnections = 32

// connections is the worker_connections that so many clients need: each takes one connection in and one out. One worker
// alone must bear all clients, since the kernel may hand them all to the same one.
func connections(clients int) int { return 2*clients + spareConnections }

// clients is the number of clients that a worker with so many connections admits.
func clients(connections int) int { return max(0, connections-spareConnections) / 2 }

// balances spells the facts about balancing as directives; round robin is what no directive says.
var balances = map[string][]string{
	"leastconn":  {"least_conn"},
	"roundrobin": nil,
	"source":     {"hash", "$remote_addr", "consistent"},
}
