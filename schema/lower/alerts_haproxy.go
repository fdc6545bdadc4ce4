package lower

import (
	"strconv"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// proxyMetrics is how the alerts find one cluster's pool among the metrics of HAProxy's built-in exporter, which labels
// them by proxy and server.
type proxyMetrics struct {
	cluster string
	pool    []matcher // of the pool's and the listener's series
	process []matcher // of the exporter's series: what the user selects by, or none
	job     []matcher // of the scrape itself
	// own says that the job is one of ours and scrapes this cluster's proxies only.
	own     bool
	servers int      // in the pool
	drained []string // names of servers that get no new connection
}

// haproxyMetrics reports false where HAProxy is not a target.
func haproxyMetrics(t *topology.Topology, options *topology.Tree) (proxyMetrics, bool) {
	p := proxyOf(t, "haproxy")
	if p == nil {
		return proxyMetrics{}, false
	}
	pool := p.Pools[0]
	selected := selectionOf(options, "haproxy")
	m := proxyMetrics{
		cluster: t.Name.V,
		pool:    append(selected.matchers(), is("proxy", pool.Name.V)),
		process: selected.matchers(),
		job:     selected.withJob(proxyJob(t)).matchers(),
		own:     len(selected) == 0,
		servers: len(pool.Servers),
	}
	for _, s := range pool.Servers {
		if s.Drain.V {
			m.drained = append(m.drained, s.Name.V)
		}
	}
	return m, true
}

// proxyOf is the proxy that a target writes, or nil.
func proxyOf(t *topology.Topology, target string) *topology.Proxy {
	for i := range t.Proxies {
		if t.Proxies[i].Target == target {
			return &t.Proxies[i]
		}
	}
	return nil
}

// usable is the number of servers that get connections while all are well.
func (m proxyMetrics) usable() int { return m.servers - len(m.drained) }

func (m proxyMetrics) series(name string, more ...matcher) promql {
	return metric(name, append(more, m.pool...)...)
}

// poolAlerts are about the servers behind the proxy.
func (m proxyMetrics) poolAlerts() []alert {
	active := m.series("haproxy_backend_active_servers")
	out := []alert{{
		name: "EtcdLBNoBackend", severity: critical, wait: time.Minute,
		expr:    active.op("==", count(0)),
		summary: "etcd cluster " + m.cluster + ": no server behind the load balancer is up",
		detail: "HAProxy at {{ $labels.instance }} has no member left to send clients to, so every new connection fails. " +
			"Is etcd down, or only its health check?",
	}}
	if quorum := m.usable()/2 + 1; quorum > 1 {
		out = append(out, alert{
			name: "EtcdLBBelowQuorum", severity: critical, wait: time.Minute,
			expr:    active.op("<", count(quorum)),
			summary: "etcd cluster " + m.cluster + ": fewer members are up than a quorum needs",
			detail: "HAProxy at {{ $labels.instance }} sees fewer than " + strconv.Itoa(quorum) + " of " +
				strconv.Itoa(m.usable()) + " members up: etcd is without quorum, or this machine is cut off from the members.",
		})
	}
	return append(out, alert{
		name: "EtcdLBServerDown", severity: warning, wait: 2 * time.Minute,
		expr:    m.series("haproxy_server_status", is("state", "DOWN")).op("==", count(1)),
		summary: "etcd cluster " + m.cluster + ": member {{ $labels.server }} is down behind the load balancer",
		detail: "The health check of {{ $labels.server }} fails at {{ $labels.instance }}. The other members serve its " +
			"clients; one more failure may cost the quorum.",
	}, alert{
		name: "EtcdLBServerFlapping", severity: warning, wait: time.Minute,
		// increase extrapolates, so the threshold lies half below three changes.
		expr:    call("increase", m.series("haproxy_server_check_up_down_total").over("10m")).op(">", scalar("2.5")),
		summary: "etcd cluster " + m.cluster + ": member {{ $labels.server }} goes up and down",
		detail: "The health check of {{ $labels.server }} at {{ $labels.instance }} changed at least three times in ten " +
			"minutes, and each time its clients lose their connections: look for a slow disk or network.",
	})
}

// monitoringAlerts are about what watches the rest.
func (m proxyMetrics) monitoringAlerts() []alert {
	active := m.series("haproxy_backend_active_servers")
	down := metric("up", m.job...).op("==", count(0))
	if !m.own {
		// A job of the user's may hold the proxies of other clusters: only those that lately served this one.
		down = down.op("and on (job, instance)", call("present_over_time", active.over("1d")))
	}
	return []alert{{
		name: "EtcdLBMetricsMissing", severity: critical, wait: 5 * time.Minute,
		expr:    call("absent", active),
		summary: "etcd cluster " + m.cluster + ": nothing is known of the load balancer",
		detail: "No HAProxy reports a pool of this cluster: all load balancer machines are down, or they are not " +
			"scraped. The other alerts on the load balancer are blind.",
	}, {
		name: "EtcdLBExporterDown", severity: warning, wait: 2 * time.Minute,
		expr:    down,
		summary: "etcd cluster " + m.cluster + ": load balancer {{ $labels.instance }} does not answer",
		detail: "The metrics of HAProxy at {{ $labels.instance }} cannot be scraped: the process or its machine is down, " +
			"or a firewall is between.",
	}, {
		name: "EtcdLBMembersDrifted", severity: warning, wait: 10 * time.Minute,
		expr: perProxy("count", m.series("haproxy_server_status", is("state", "UP"))).
			op("!=", count(m.servers)),
		summary: "etcd cluster " + m.cluster + ": the load balancer has other members than the spec",
		detail: "HAProxy at {{ $labels.instance }} does not run with the " + strconv.Itoa(m.servers) + " servers of the " +
			"spec: a build was not rolled out, or the file was edited by hand.",
	}}
}

// trafficAlerts are about the connections of clients.
func (m proxyMetrics) trafficAlerts() []alert {
	out := []alert{{
		name: "EtcdLBConnectionErrors", severity: warning, wait: 5 * time.Minute,
		// With redispatch most errors become retries and redispatches.
		expr: rate(m.series("haproxy_server_connection_errors_total")).
			op("+", rate(m.series("haproxy_server_retry_warnings_total"))).
			op("+", rate(m.series("haproxy_server_redispatch_warnings_total"))).
			op(">", scalar("0.1")),
		summary: "etcd cluster " + m.cluster + ": connections to member {{ $labels.server }} fail",
		detail: "HAProxy at {{ $labels.instance }} fails to connect to {{ $labels.server }} more than six times a minute, " +
			"though the health check lets it in: look for a full accept queue, a firewall or packet loss.",
	}, {
		name: "EtcdLBFrontendSaturated", severity: warning, wait: 5 * time.Minute,
		expr: m.series("haproxy_frontend_current_sessions").
			op("/", m.series("haproxy_frontend_limit_sessions")).
			op(">", scalar("0.8")),
		summary: "etcd cluster " + m.cluster + ": the load balancer's listener is nearly full",
		detail: "HAProxy at {{ $labels.instance }} has more than 80 % of the connections it admits. Further clients will " +
			"hang without an error: find who opens so many, or raise loadBalancer.maxConnections.",
	}, {
		name: "EtcdLBProcessSaturated", severity: warning, wait: 5 * time.Minute,
		expr: metric("haproxy_process_current_connections", m.process...).
			op("/", metric("haproxy_process_max_connections", m.process...)).
			op(">", scalar("0.8")).
			op("and on (job, instance)", m.series("haproxy_frontend_limit_sessions")),
		summary: "etcd cluster " + m.cluster + ": the load balancer's process is nearly full",
		detail: "HAProxy at {{ $labels.instance }} holds more than 80 % of the connections its process admits, those of " +
			"its other listeners included.",
	}}
	if m.usable() > 1 {
		out = append(out, m.imbalance())
	}
	return out
}

// imbalance compares the members that get connections: a drained one (HAProxy calls it up) and one that is down have none.
func (m proxyMetrics) imbalance() alert {
	var others []matcher
	for _, name := range m.drained {
		others = append(others, isNot("server", name))
	}
	sessions := m.series("haproxy_server_current_sessions", others...).
		op("and on (job, instance, server)", m.series("haproxy_server_status", is("state", "UP")).op("==", count(1)))
	enough := m.series("haproxy_backend_current_sessions").op(">", count(10*m.usable()))
	return alert{
		name: "EtcdLBImbalanced", severity: warning, wait: 30 * time.Minute,
		expr: perProxy("max", sessions).op("/", perProxy("avg", sessions)).
			op(">", scalar("1.5")).
			op("and on (job, instance)", enough),
		summary: "etcd cluster " + m.cluster + ": one member carries most of the connections",
		detail: "Behind HAProxy at {{ $labels.instance }} the busiest member has more than 1.5 times the average of the " +
			"connections. They live long and do not move by themselves: drain that member for a while.",
	}
}
