package lower

import (
	"strconv"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// memberMetrics is how the alerts find one cluster among etcd's own metrics.
type memberMetrics struct {
	cluster  string
	job      []matcher
	learners []string // instances that have no vote
	voters   int
}

// etcdMetrics reports false where nothing is known to scrape etcd: an alert that can never fire is no comfort.
func etcdMetrics(t *topology.Topology, options *topology.Tree) (memberMetrics, bool) {
	selected := selectionOf(options, "etcd")
	if _, ok := etcdScrape(t, options); !ok && len(selected) == 0 {
		return memberMetrics{}, false
	}
	m := memberMetrics{cluster: t.Name.V, job: selected.withJob(etcdJob(t)).matchers()}
	port, _ := etcdMetricsPort(t)
	for _, member := range t.Etcd.Members {
		if !member.Learner.V {
			m.voters++
		} else if target, ok := memberTarget(member, port); ok {
			m.learners = append(m.learners, target.V)
		}
	}
	return m, true
}

func (m memberMetrics) series(name string, more ...matcher) promql {
	return metric(name, append(more, m.job...)...)
}

func (m memberMetrics) alerts() []alert {
	var voting []matcher
	for _, instance := range m.learners {
		voting = append(voting, isNot("instance", instance))
	}
	quorum := m.voters/2 + 1
	return []alert{{
		name: "EtcdNoLeader", severity: critical, wait: time.Minute,
		expr:    m.series("etcd_server_has_leader").op("==", count(0)),
		summary: "etcd cluster " + m.cluster + ": {{ $labels.instance }} has no leader",
		detail: "The member at {{ $labels.instance }} sees no leader: it refuses writes and linearizable reads. It is cut " +
			"off from the other members, or the quorum is lost.",
	}, {
		name: "EtcdInsufficientMembers", severity: critical, wait: time.Minute,
		expr:    call("sum", m.series("up", voting...)).op("<", count(quorum)),
		summary: "etcd cluster " + m.cluster + ": fewer members answer than a quorum needs",
		detail: "Fewer than " + strconv.Itoa(quorum) + " of " + strconv.Itoa(m.voters) + " voting members answer the scrape: etcd is " +
			"without quorum, or Prometheus is cut off from the members.",
	}, {
		name: "EtcdMemberDown", severity: warning, wait: 3 * time.Minute,
		expr:    m.series("up").op("==", count(0)),
		summary: "etcd cluster " + m.cluster + ": {{ $labels.instance }} does not answer",
		detail: "The metrics of the member at {{ $labels.instance }} cannot be scraped: etcd or its machine is down, or a " +
			"firewall is between.",
	}, {
		name: "EtcdMetricsMissing", severity: warning, wait: 10 * time.Minute,
		expr:    call("absent", m.series("etcd_server_has_leader")),
		summary: "etcd cluster " + m.cluster + ": nothing is known of etcd itself",
		detail: "No member reports its metrics: all are down, or they are not scraped. The other alerts on etcd are " +
			"blind.",
	}}
}

// poolWithoutLeader tells that the health check lies: the proxy sends clients to members that cannot serve them.
func poolWithoutLeader(p proxyMetrics, m memberMetrics) alert {
	return alert{
		name: "EtcdLBUpWithoutLeader", severity: critical, wait: time.Minute,
		expr: call("max", m.series("etcd_server_has_leader")).op("==", count(0)).
			op("and", call("max", p.series("haproxy_backend_active_servers")).op(">", count(0))),
		summary: "etcd cluster " + m.cluster + ": the load balancer is up, etcd has no leader",
		detail: "No member has a leader, and HAProxy still sends clients to them: the health check does not ask for " +
			"what clients need. Clients hang until etcd has a leader again.",
	}
}
