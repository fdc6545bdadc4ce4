package prometheus

import (
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// promql reads expressions; experimental functions are the reader's business, not ours.
var promql = parser.NewParser(parser.Options{EnableExperimentalFunctions: true})

// alerts are the alerting rules of a rule file or of a PrometheusRule object.
func (r reader) alerts(root *yaml.Node) []topology.Alert {
	groups := field(root, "groups")
	if kind := field(root, "kind"); kind != nil && kind.Value == "PrometheusRule" {
		groups = field(root, "spec", "groups")
	}
	var out []topology.Alert
	for _, group := range items(groups) {
		for _, rule := range items(field(group, "rules")) {
			if field(rule, "alert") != nil {
				out = append(out, r.alert(rule))
			}
		}
	}
	return out
}

func (r reader) alert(n *yaml.Node) topology.Alert {
	labels := r.labels(field(n, "labels"))
	delete(labels, "severity")
	for name, value := range labels {
		labels[name] = unescapeTemplate(value)
	}
	expr, reads := r.expr(field(n, "expr"))
	return topology.Alert{
		Name:        r.text(field(n, "alert")),
		Expr:        expr,
		Reads:       reads,
		For:         r.duration(field(n, "for"), n),
		Severity:    r.severity(field(n, "labels", "severity")),
		Labels:      labels,
		Summary:     r.text(field(n, "annotations", "summary")).V,
		Description: r.text(field(n, "annotations", "description")).V,
		Span:        r.span(n),
	}
}

// longest is the size of the longest expression that is read, in bytes: the parser's printer takes quadratic time.
const longest = 16 << 10

// expr is an expression in the parser's own spelling and what it reads, unknown where it does not parse.
func (r reader) expr(n *yaml.Node) (topology.Value[string], []topology.Selector) {
	v := r.text(n)
	if !v.Known() {
		return v, nil
	}
	if len(v.V) > longest || strings.Contains(v.V, opening) {
		return topology.UnknownAt[string](v.Span), nil
	}
	e, err := promql.ParseExpr(v.V)
	if err != nil {
		return topology.UnknownAt[string](v.Span), nil
	}
	v.V = e.String()
	return v, selectors(e)
}

// selectors are the series that an expression reads.
func selectors(e parser.Expr) []topology.Selector {
	var out []topology.Selector
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			s := topology.Selector{Metric: v.Name, Labels: map[string]string{}}
			for _, m := range v.LabelMatchers {
				if m.Type == labels.MatchEqual && m.Name != model.MetricNameLabel {
					s.Labels[m.Name] = m.Value
				}
			}
			out = append(out, s)
		}
		return nil
	})
	return out
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
