package rules

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var alertAlwaysFires = Rule{
	ID:       "alert-always-fires",
	Title:    "an alert that fires whatever happens",
	Severity: "error",
	Why: "A gauge that is 0 or 1 is always below 2: haproxy_backend_up says whether a backend is up, not how many of its servers are. " +
		"An alert that always fires is silenced, and nobody looks when it is right. A comparison with bool gives 0 or 1, and either " +
		"fires.",
	Fix: "Compare a number of servers: haproxy_backend_active_servers, or a count() of a filtered gauge. Leave bool out of the " +
		"outermost comparison.",
	References: []string{
		"https://github.com/prometheus/haproxy_exporter/blob/main/haproxy_exporter.go",
		"https://prometheus.io/docs/prometheus/latest/querying/operators/#comparison-binary-operators",
	},
	Check: checkAlertAlwaysFires,
}

func checkAlertAlwaysFires(g *topology.Group) diag.List {
	var out diag.List
	m := monitoringOf(g)
	for _, t := range g.Sources {
		for _, a := range t.Alerts {
			at := slices.IndexFunc(a.Compares, func(c topology.Comparison) bool {
				dead, _ := m.dead(c.Of)
				return c.Decides && !dead.sure && (c.Bool || cannotFail(c))
			})
			if at < 0 {
				continue
			}
			c := a.Compares[at]
			hint := "compare with a value that it can have, or count the series first"
			if c.Bool {
				hint = "leave bool out"
			}
			out = append(out, diag.Diagnostic{
				Span:     a.Expr.Span,
				Severity: diag.Error,
				Message:  fmt.Sprintf("%s %s, so it always fires; need a comparison that can be false", called("alert", a.Name), why(c)),
				Hint:     hint,
				Subject:  "alert " + a.Name.V,
			})
		}
	}
	return out
}

// why is the middle of a sentence: what is odd about a comparison.
func why(c topology.Comparison) string {
	number := strconv.FormatFloat(c.Number, 'g', -1, 64)
	what := c.Of.Metric
	for _, f := range c.Functions {
		what = f + " of " + what
	}
	if c.Bool {
		return fmt.Sprintf("gives 0 or 1 for %s %s bool %s", what, c.Op, number)
	}
	low, high := bounds(c)
	values := "which is never below " + strconv.FormatFloat(low, 'g', -1, 64)
	if !math.IsInf(high, 1) {
		values = fmt.Sprintf("which is %g to %g", low, high)
	}
	return fmt.Sprintf("asks whether %s, %s, is %s %s", what, values, c.Op, number)
}

// cannotFail reports whether a comparison holds for every value that its series can have.
func cannotFail(c topology.Comparison) bool {
	low, high := bounds(c)
	switch c.Op {
	case "<":
		return high < c.Number
	case "<=":
		return high <= c.Number
	case ">":
		return low > c.Number
	case ">=":
		return low >= c.Number
	case "!=":
		return c.Number < low || c.Number > high
	}
	return false
}

// bounds are what the values of a compared series lie between, as far as that is known.
func bounds(c topology.Comparison) (low, high float64) {
	low, high = boundsOf(c.Of)
	for _, f := range c.Functions {
		low, high = apply(f, low, high)
	}
	return low, high
}

var infinite = math.Inf(1)

// switches are gauges that are 0 or 1.
var switches = []string{
	"up", "haproxy_up", "haproxy_backend_up", "haproxy_server_up", "etcd_server_has_leader", "etcd_server_is_leader",
	"etcd_server_is_learner", "probe_success",
}

// states are gauges that are 0 or 1 where they are told apart by state; without that label, as old versions had it, the
// value is the state's number.
var states = []string{"haproxy_backend_status", "haproxy_frontend_status", "haproxy_server_status"}

// counts are gauges that are never negative.
var counts = []string{
	"haproxy_backend_active_servers", "haproxy_backend_backup_servers", "haproxy_backend_current_sessions",
	"haproxy_backend_current_queue", "haproxy_server_current_sessions", "haproxy_server_current_queue",
	"haproxy_frontend_current_sessions", "haproxy_process_current_connections",
}

func boundsOf(s topology.Selector) (low, high float64) {
	switch {
	case slices.Contains(switches, s.Metric), slices.Contains(states, s.Metric) && requires(s, "state"):
		return 0, 1
	case slices.Contains(counts, s.Metric), strings.HasSuffix(s.Metric, "_total"):
		return 0, infinite
	}
	return -infinite, infinite
}

// apply is what a function makes of values between two bounds. A count is never 0 where there is something to count, but
// that there is may be just what the alert asks.
func apply(function string, low, high float64) (float64, float64) {
	switch strings.TrimSuffix(function, "_over_time") {
	case "min", "max", "avg", "quantile", "last", "sort", "sort_desc", "topk", "bottomk", "label_replace", "label_join":
		return low, high
	case "sum":
		if low >= 0 {
			return low, infinite
		}
	case "rate", "irate", "increase", "changes", "resets":
		return 0, infinite
	}
	return -infinite, infinite
}
