package rules

import (
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var checkUnreachable = Rule{
	ID:       "check-unreachable",
	Title:    "the health check asks where nobody answers",
	Severity: "error",
	Why: "A check that cannot reach its port takes every member down at once, though all are well. kubeadm lets etcd serve metrics on " +
		"127.0.0.1:2381 only, firewalls are often opened for the client port alone, and a passthrough load balancer of GCP leaves " +
		"its own address in the packets, which an etcd that listens on one address does not accept.",
	Fix: "Let etcd listen where the check asks: --listen-metrics-urls=http://<address>:2381, in kubeadm " +
		"`etcd.local.extraArgs`; behind a passthrough load balancer of GCP on 0.0.0.0. Admit the load balancer's machines to that port.",
	References: []string{
		"kubernetes/kubernetes#81385",
		"https://etcd.io/docs/v3.6/op-guide/configuration/#monitoring",
		"https://cloud.google.com/load-balancing/docs/internal#tcp-ip-stack",
	},
	Check:    checkCheckUnreachable,
	Unjudged: checkUnreachableUnjudged,
}

func checkCheckUnreachable(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range g.EtcdPools() {
		port := b.Check.Port
		switch b.Check.Kind.V {
		case topology.CheckHTTP, topology.CheckHTTPS, topology.CheckTCP, topology.CheckTLS:
		default:
			continue
		}
		if !port.Known() || !anyChecked(b) {
			continue
		}
		why, where := notServed(g, b, port.V)
		if len(where) == 0 {
			why, where = notAdmitted(g, port.V)
		}
		if len(where) == 0 {
			continue
		}
		at := port.Span
		if at.Line == 0 {
			at = b.Check.Kind.Span
		}
		out = append(out, diag.Diagnostic{
			Span:     at,
			Severity: diag.Error,
			Message: fmt.Sprintf("%s is checked on port %d, %s, so members are down for it though they are well; "+
				"need a port that answers the load balancer", b.Called(), port.V, why),
			Hint:    "let etcd listen on that port of its own address, and admit the load balancer to it",
			Subject: b.Subject(),
			Related: where,
		})
	}
	return out
}

// notServed finds members of a pool that do not listen where its check asks.
func notServed(g *topology.Group, b topology.EtcdPool, port int) (why string, where []diag.Related) {
	passthrough := b.KeepsDestination.V
	for _, m := range g.Members() {
		if !passthrough && !hasServer(b, m) {
			continue
		}
		flags := m.Started
		if len(flags) == 0 && m.Flags.Known() {
			flags = []topology.Flags{m.Flags}
		}
		for _, f := range flags {
			v, ok := deaf(g, f, port, passthrough)
			if !ok {
				continue
			}
			why = "where etcd listens on loopback only"
			if u, _ := topology.ParseURL(v); !u.OnLoopback() {
				why = "where etcd does not accept what is sent to the load balancer's address"
			}
			where = append(where, diag.Related{Span: v.Span, Message: called("member", m.Name) + " listens here"})
		}
	}
	return why, where
}

// hasServer reports whether a member is a server of a pool, by the name or address that the pool has.
func hasServer(b topology.EtcdPool, m topology.GroupMember) bool {
	t := topology.Topology{Etcd: topology.Etcd{Members: []topology.Member{m.Member}}}
	hosts := t.MemberHosts()
	return slices.ContainsFunc(b.Servers, func(s topology.Server) bool {
		return s.Host.Known() && slices.Contains(hosts, topology.Host(s.Host.V))
	})
}

// deaf returns the URL of a port on which a server does not hear the load balancer, if that is true of all its URLs of
// that port, and all of its URLs are known.
func deaf(g *topology.Group, f topology.Flags, port int, passthrough bool) (topology.Value[string], bool) {
	var found topology.Value[string]
	for _, v := range slices.Concat(f.ListenMetricsURLs, f.ListenClientHTTPURLs, f.ListenClientURLs) {
		u, ok := topology.ParseURL(v)
		if !ok {
			return found, false
		}
		if u.Port != port {
			continue
		}
		dialed := slices.ContainsFunc(g.Dialed(), func(d topology.Value[string]) bool { return d.V == u.Host })
		if !u.OnLoopback() && (!passthrough || u.Everywhere() || dialed) {
			return found, false
		}
		if !found.Known() {
			found = v
		}
	}
	return found, found.Known()
}

// notAdmitted finds a member's firewall that lets a machine of the load balancer reach the client port, and not the
// port of the check.
func notAdmitted(g *topology.Group, port int) (why string, where []diag.Related) {
	if port == g.ClientPort() {
		return "", nil
	}
	for _, t := range g.Sources {
		for _, n := range t.Nodes {
			for _, a := range n.Addresses() {
				if r := refusal(g, a.V, port); r != nil {
					return "which a firewall of the members refuses to the load balancer's machine " + a.V.String(),
						[]diag.Related{{Span: r.Span, Message: "refused here"}}
				}
			}
		}
	}
	return "", nil
}

func checkUnreachableUnjudged(g *topology.Group) string {
	if len(g.Members()) > 0 {
		return ""
	}
	for _, b := range g.EtcdPools() {
		if port := b.Check.Port; active(b) && port.Known() && port.V == g.MetricsPort() {
			return "where members listen is not known: lint etcd's configuration, too"
		}
	}
	return ""
}
