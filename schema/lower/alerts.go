package lower

import (
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// The severities of alerts: critical is for what clients feel now, warning for what they will feel next.
const (
	critical = "critical"
	warning  = "warning"
)

// alert is an alerting rule before the cluster's labels are added.
type alert struct {
	name     string
	severity string
	wait     time.Duration // how long the expression must hold
	expr     promql
	summary  string
	detail   string // what it means and what to look at first
}

// alerts decides what somebody is told of: what HAProxy, where it is a target, says of its servers, and what etcd says
// of itself, where the scrapes or the user's own job reach it. The topology is lowered but for its alerts, options are
// those of the prometheus target.
func alerts(t *topology.Topology, options *topology.Tree) []topology.Alert {
	var rules []alert
	proxy, balanced := haproxyMetrics(t, options)
	if balanced {
		rules = append(rules, proxy.poolAlerts()...)
		rules = append(rules, proxy.monitoringAlerts()...)
		rules = append(rules, proxy.trafficAlerts()...)
	}
	if etcd, scraped := etcdMetrics(t, options); scraped {
		if balanced {
			rules = append(rules, poolWithoutLeader(proxy, etcd))
		}
		rules = append(rules, etcd.alerts()...)
	}
	if len(probes(t, options)) > 0 {
		rules = append(rules, probeAlerts(t)...)
	}
	labels := alertLabels(t, options)
	span := options.At(t.Span)
	out := make([]topology.Alert, len(rules))
	for i, r := range rules {
		out[i] = r.lower(labels, span)
	}
	return out
}

func (a alert) lower(labels map[string]string, span diag.Span) topology.Alert {
	return topology.Alert{
		Name:        topology.DefaultAt(a.name, span),
		Expr:        topology.DefaultAt(a.expr.line, span),
		Layout:      a.expr.layout,
		Reads:       a.expr.reads,
		Compares:    a.expr.compares,
		For:         topology.DefaultAt(a.wait, span),
		Severity:    topology.DefaultAt(a.severity, span),
		Labels:      labels,
		Summary:     a.summary,
		Description: a.detail,
		Span:        span,
	}
}

// alertLabels are the user's routing labels and the cluster's name, which tells forty clusters in one Prometheus apart.
func alertLabels(t *topology.Topology, options *topology.Tree) map[string]string {
	out := labelsOf(options.Get("labels"))
	out["cluster"] = t.Name.V
	return out
}
