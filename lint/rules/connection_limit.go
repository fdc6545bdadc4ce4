package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var connectionLimit = Rule{
	ID:       "connection-limit",
	Title:    "the proxy runs out of connections",
	Severity: "warning",
	Why: "One kube-apiserver alone opens more than sixty connections to etcd. At the limit further clients connect and wait, with no " +
		"error and no counter that shows it. Without a limit of its own HAProxy takes whatever `ulimit -n` happens to allow: too few on one machine, and in a container so many that they eat its memory; NGINX needs two connections and two files for each client.",
	Fix: "Set `maxconn` in HAProxy's global section. In NGINX set `worker_connections` to twice the clients of a worker and " +
		"`worker_rlimit_nofile` above that.",
	References: []string{
		"Netcracker/KubeMarine#483", "kubernetes-sigs/kind#2954", "openshift/machine-config-operator#4531", "etcd-io/etcd#10717",
		"https://docs.haproxy.org/2.6/configuration.html#3.2-maxconn",
		"https://nginx.org/en/docs/ngx_core_module.html#worker_rlimit_nofile",
	},
	Check: checkConnectionLimit,
}

func checkConnectionLimit(g *topology.Group) diag.List {
	var out diag.List
	expected := expectedConnections(g)
	for _, p := range proxies(g) {
		if p.Source.Format == "spec" || p.Cloud() {
			continue
		}
		d := diag.Diagnostic{Severity: diag.Warning, Span: p.MaxConns.Span, Subject: p.Subject}
		most, known := limitOf(p)
		switch {
		case known && most == 0 && p.MaxConns.State == topology.Defaulted:
			d.Message = fmt.Sprintf("%s has no limit of connections of its own, so ulimit -n decides where it ends, and clients beyond that hang; "+
				"need maxconn in the global section", p.Program())
			d.Hint = "add maxconn 20000 to the global section"
		case known && expected.Known() && most < expected.V:
			d.Message = fmt.Sprintf("%s admits %d client connections of the %d that the spec expects, so the rest hang; need %d or more",
				p.Program(), most, expected.V, expected.V)
			d.Hint = roomier.of(p.Source, p.Proxy)
			d.Related = []diag.Related{{Span: expected.Span, Message: "the connections to expect"}}
		case p.FilesSuffice.Known() && !p.FilesSuffice.V:
			d.Span = p.FilesSuffice.Span
			d.Message = fmt.Sprintf("nothing here lets %s open as many files as worker_connections says, so it refuses clients before that number is "+
				"reached, unless its unit lets it; need worker_rlimit_nofile above worker_connections", p.Program())
			d.Hint = "set worker_rlimit_nofile to worker_connections and some more"
		default:
			continue
		}
		out = append(out, d)
	}
	return out
}

// roomier spells a higher limit.
var roomier = remedies{
	"nginx": "raise worker_connections: each client takes two, and each worker a few of its own",
	"":      "raise maxconn in the global section",
}

// limitOf is how many client connections a proxy takes, 0 where it sets no limit.
func limitOf(p balancer) (int, bool) {
	if !p.MaxConns.Known() {
		return 0, false
	}
	switch {
	case p.Workers.Known():
		return p.MaxConns.V * p.Workers.V, true
	case unread(p.Workers): // one a core, say
		return 0, false
	}
	return p.MaxConns.V, true
}

// expectedConnections is what the spec says of the clients' connections; unknown where it leaves that out.
func expectedConnections(g *topology.Group) topology.Value[int] {
	out := topology.Value[int]{}
	spec := g.Spec()
	if spec == nil {
		return out
	}
	for _, p := range spec.Proxies {
		for _, l := range p.Listeners {
			if l.MaxConns.State == topology.Set {
				out = l.MaxConns
			}
		}
		if !out.Known() && p.MaxConns.State == topology.Set && p.Platform != "haproxy" {
			out = p.MaxConns
		}
	}
	return out
}
