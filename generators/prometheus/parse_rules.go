package prometheus

import (
	"regexp"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// rules are the alerting rules of a rule file, of a PrometheusRule object, or of a rule or a list of them that is to be
// pasted into one, and the metrics that recording rules make.
func (r reader) rules(root *yaml.Node) (alerts []topology.Alert, recorded []string) {
	groups := target.Field(root, "groups")
	if kind := target.Field(root, "kind"); kind != nil && kind.Value == "PrometheusRule" {
		groups = target.Field(root, "spec", "groups")
	}
	rules := target.Items(root)
	if target.Field(root, "alert") != nil {
		rules = append(rules, root)
	}
	for _, group := range target.Items(groups) {
		rules = append(rules, target.Items(target.Field(group, "rules"))...)
	}
	for _, rule := range rules {
		switch record := r.text(target.Field(rule, "record")); {
		case target.Field(rule, "alert") != nil:
			alerts = append(alerts, r.alert(rule))
		case record.Known():
			recorded = append(recorded, record.V)
		}
	}
	return alerts, recorded
}

func (r reader) alert(n *yaml.Node) topology.Alert {
	labels := r.labels(target.Field(n, "labels"))
	delete(labels, "severity")
	for name, value := range labels {
		labels[name] = unescapeTemplate(value)
	}
	a := topology.Alert{
		Name:        r.text(target.Field(n, "alert")),
		For:         r.duration(target.Field(n, "for"), n),
		Severity:    r.severity(target.Field(n, "labels", "severity")),
		Labels:      labels,
		Summary:     r.text(target.Field(n, "annotations", "summary")).V,
		Description: r.text(target.Field(n, "annotations", "description")).V,
		Span:        r.span(n),
	}
	r.expr(&a, target.Field(n, "expr"))
	return a
}

// longest is the size of the longest expression that is read, in bytes.
const longest = 16 << 10

// expanding matches VictoriaMetrics' templates, whose expansion grows without bound, and escapes by which one is spelled.
var expanding = regexp.MustCompile(`(?i)\b(with|ru|ttf)\s*\(|\\[xurtf]`)

// expr reads an alert's expression, on one line, and what it says; unknown where it does not parse. It may be written in
// VictoriaMetrics' language, which has all of Prometheus' own.
func (r reader) expr(a *topology.Alert, n *yaml.Node) {
	a.Expr = r.text(n)
	if !a.Expr.Known() {
		return
	}
	if len(a.Expr.V) > longest || strings.Contains(a.Expr.V, opening) || expanding.MatchString(a.Expr.V) {
		a.Expr = topology.UnknownAt[string](a.Expr.Span)
		return
	}
	e, err := metricsql.Parse(a.Expr.V)
	if err != nil {
		a.Expr = topology.UnknownAt[string](a.Expr.Span)
		return
	}
	a.Expr.V, a.Reads, a.Compares = oneLine(a.Expr.V), selectors(e), comparisons(e)
}

// severity is a label; one that a template computes is unknown.
func (r reader) severity(n *yaml.Node) topology.Value[string] {
	v := r.text(n)
	if strings.Contains(v.V, opening) {
		return topology.UnknownAt[string](v.Span)
	}
	return v
}

// duration is how long an expression must hold: not at all, where the rule does not say.
func (r reader) duration(n, rule *yaml.Node) topology.Value[time.Duration] {
	if n == nil {
		return topology.DefaultAt(time.Duration(0), r.span(rule))
	}
	v := r.text(n)
	d, err := model.ParseDuration(v.V)
	if !v.Known() || err != nil {
		return topology.UnknownAt[time.Duration](v.Span)
	}
	return topology.SetAt(time.Duration(d), v.Span)
}
