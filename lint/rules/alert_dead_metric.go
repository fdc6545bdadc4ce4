package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var alertDeadMetric = Rule{
	ID:       "alert-dead-metric",
	Title:    "an alert reads what no exporter gives",
	Severity: "error or warning",
	Why: "An expression that selects nothing is no error in Prometheus: the alert just never fires. HAProxy's built-in exporter has " +
		"other metrics than the retired haproxy_exporter, whose haproxy_backend_up most examples still read, and labels series " +
		"by proxy, not by backend.",
	Fix: "Read haproxy_backend_active_servers{proxy=\"…\"}, haproxy_server_status{proxy=\"…\",state=\"DOWN\"} and the like; curl the " +
		"metrics page to see what there is, and test the rule with promtool.",
	References: []string{
		"https://github.com/haproxy/haproxy/blob/v2.6.0/addons/promex/README",
		"https://github.com/prometheus/haproxy_exporter#readme",
	},
	Check: checkAlertDeadMetric,
}

func checkAlertDeadMetric(g *topology.Group) diag.List {
	var out diag.List
	m := monitoringOf(g)
	for _, t := range g.Sources {
		for i := range t.Alerts {
			if d, dead := judgeReads(m, &t.Alerts[i]); dead {
				out = append(out, d)
			}
		}
	}
	return out
}

// judgeReads reports the first thing that an alert reads in vain.
func judgeReads(m monitoring, a *topology.Alert) (diag.Diagnostic, bool) {
	for _, s := range a.Reads {
		dead, ok := m.dead(s)
		if !ok {
			continue
		}
		d := diag.Diagnostic{
			Span:     a.Expr.Span,
			Severity: diag.Warning,
			Message: fmt.Sprintf("%s reads %s, which only the retired haproxy_exporter gives, so with HAProxy's built-in exporter "+
				"it sees %s; need %s", called("alert", a.Name), dead.what, dead.sees, dead.instead),
			Hint:    fmt.Sprintf("read %s, as the built-in exporter has it", dead.instead),
			Subject: "alert " + a.Name.V,
		}
		if dead.sure {
			d.Severity = diag.Error
			d.Message = fmt.Sprintf("%s reads %s, which HAProxy's built-in exporter does not give, so it sees %s; need %s",
				called("alert", a.Name), dead.what, dead.sees, dead.instead)
		}
		return d, true
	}
	return diag.Diagnostic{}, false
}
