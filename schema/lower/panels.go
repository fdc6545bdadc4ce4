package lower

import (
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// panels decides what a dashboard shows: of the pool what HAProxy says, where it is a target, of the way to etcd what
// probes say, of etcd what it says itself. Options are those of the prometheus target, whose series they are.
func panels(t *topology.Topology, options *topology.Tree) []topology.Panel {
	var out []topology.Panel
	if p, ok := haproxyMetrics(t, options); ok {
		out = append(out, p.panels()...)
	}
	if len(probes(t, options)) > 0 {
		out = append(out, probePanels(t)...)
	}
	if m, ok := etcdMetrics(t, options); ok {
		out = append(out, m.panels()...)
	}
	return out
}

func query(expr promql, legend string) topology.Query {
	return topology.Query{Expr: expr.line, Legend: legend}
}

func (m proxyMetrics) panels() []topology.Panel {
	perServer := func(p promql) promql { return call("sum by (server) ", p) }
	errors := func(what string) promql { return perServer(rate(m.series("haproxy_server_" + what + "_total"))) }
	return []topology.Panel{{
		Title: "Backends up", Unit: "short",
		About: "Members that each load balancer sends clients to. A drained one counts as none.",
		Queries: []topology.Query{
			query(m.series("haproxy_backend_active_servers"), "{{instance}}"),
		},
	}, {
		Title: "Connections per member", Unit: "short",
		About: "They live long and do not move by themselves: after a restart they stay uneven for a while.",
		Queries: []topology.Query{
			query(perServer(m.series("haproxy_server_current_sessions")), "{{server}}"),
		},
	}, {
		Title: "Connection errors", Unit: "cps",
		About: "Failed connects to members. With redispatch most of them become retries and redispatches, which clients do not see.",
		Queries: []topology.Query{
			query(errors("connection_errors"), "{{server}} error"),
			query(errors("retry_warnings"), "{{server}} retry"),
			query(errors("redispatch_warnings"), "{{server}} redispatch"),
		},
	}, {
		Title: "Listener in use", Unit: "percentunit",
		About: "Share of the connections that each load balancer admits. Full, further clients hang without an error.",
		Queries: []topology.Query{
			query(m.series("haproxy_frontend_current_sessions").op("/", m.series("haproxy_frontend_limit_sessions")), "{{instance}}"),
		},
	}, {
		Title: "Time to connect to a member", Unit: "s",
		About:   "As each load balancer sees it, over its last 1024 connections.",
		Queries: []topology.Query{query(call("max by (server) ", m.series("haproxy_server_connect_time_average_seconds")), "{{server}}")},
	}, {
		Title: "Changes of health", Unit: "short",
		About:   "How often checks took a member out or in, within ten minutes.",
		Queries: []topology.Query{query(perServer(call("increase", m.series("haproxy_server_check_up_down_total").over("10m"))), "{{server}}")},
	}}
}

func probePanels(t *topology.Topology) []topology.Panel {
	job := is("job", probeJob(t))
	return []topology.Panel{{
		Title: "Latency direct and through the load balancer", Unit: "s",
		About: "Of a whole probe on a new connection: name, TCP, TLS and an answer of etcd.",
		Queries: []topology.Query{
			query(call("avg", metric("probe_duration_seconds", job, is(via, viaBalancer))), "through the load balancer"),
			query(call("avg", metric("probe_duration_seconds", job, is(via, viaMembers))), "direct"),
		},
	}, {
		Title: "Probes that succeed", Unit: "percentunit",
		About:   "Through the load balancer and at each member, as a client sees it.",
		Queries: []topology.Query{query(metric("probe_success", job), "{{instance}}")},
	}}
}

func (m memberMetrics) panels() []topology.Panel {
	return []topology.Panel{{
		Title: "Members that see a leader", Unit: "short",
		About:   "Without one a member refuses writes and linearizable reads.",
		Queries: []topology.Query{query(call("sum", m.series("etcd_server_has_leader")), "members")},
	}, {
		Title: "Size of the database", Unit: "bytes",
		About:   "At its quota etcd raises an alarm and takes no more writes.",
		Queries: []topology.Query{query(m.series("etcd_mvcc_db_total_size_in_bytes"), "{{instance}}")},
	}}
}
