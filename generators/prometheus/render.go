package prometheus

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// promql reads expressions; experimental functions are the reader's business, not ours.
var promql = parser.NewParser(parser.Options{EnableExperimentalFunctions: true})

func render(t *topology.Topology, options *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	var diags diag.List
	if len(t.Alerts) == 0 {
		diags.Warn(options.At(t.Span), "unsupported",
			"nothing that Prometheus could read is known, as haproxy is no target and etcd's metrics want a client "+
				"certificate, so no alert will ever fire; need a source of metrics",
			"set cluster.metrics.port, or clients.certificate")
	}
	rules := make([]rule, len(t.Alerts))
	for i, a := range t.Alerts {
		rules[i] = newRule(a)
	}
	base := "etcd-lb-" + t.Name.V
	return []target.Artifact{
		{Path: "prometheus/rules/" + base + ".yml", Data: rulesFile(t, rules, base, header)},
		{Path: "prometheus/tests/" + base + "_test.yml", Data: testFile(t, rules, base, header)},
		{Path: "prometheus/scrape/" + base + ".yml", Data: scrapeFile(t, header)},
		{Path: "prometheus/scrape/" + base + ".json", Data: discoveryFile(t)},
	}, diags
}

// rule is an alert with its expression parsed.
type rule struct {
	topology.Alert
	parsed parser.Expr
}

func newRule(a topology.Alert) rule {
	parsed, err := promql.ParseExpr(a.Expr.V)
	if err != nil {
		panic(fmt.Sprintf("alert %s: %v", a.Name.V, err)) // our own expression: a test parses all there are
	}
	return rule{a, parsed}
}

func rulesFile(t *topology.Topology, rules []rule, group string, header target.Header) []byte {
	var nodes []node
	for _, r := range rules {
		nodes = append(nodes, r.node())
	}
	root := mapping(pair{"groups", sequence(mapping(
		pair{"name", text(group)},
		pair{"rules", sequence(nodes...)},
	))})
	head := append(header.Lines(), "", "Load it with rule_files. Its tests are in ../tests: promtool test rules.")
	if len(memberScrapes(t)) == 0 && !aboutEtcd(t) {
		head = append(head, withoutEtcd...)
	}
	return document(root, head...)
}

// aboutEtcd reports whether any alert reads etcd's own metrics.
func aboutEtcd(t *topology.Topology) bool {
	return slices.ContainsFunc(t.Alerts, func(a topology.Alert) bool {
		return strings.Contains(a.Expr.V, "etcd_server_")
	})
}

func (r rule) node() node {
	labels := mapping(pair{"severity", text(r.Severity.V)})
	for _, name := range slices.Sorted(maps.Keys(r.Labels)) {
		labels.pairs = append(labels.pairs, pair{name, text(escapeTemplate(r.Labels[name]))})
	}
	return mapping(
		pair{"alert", text(r.Name.V)},
		pair{"expr", text(parser.Prettify(r.parsed))}, // a long one on several lines
		pair{"for", text(model.Duration(r.For.V).String())},
		pair{"labels", labels},
		pair{"annotations", mapping(
			pair{"summary", text(r.Summary)},
			pair{"description", text(r.Description)},
			pair{"runbook_url", text(r.runbook())},
		)},
	)
}

// runbook is the alert's section in the runbook.
func (r rule) runbook() string { return "RUNBOOK.md#" + strings.ToLower(r.Name.V) }

// Prometheus expands the values of labels as templates; a user's text is to stand as it is.
const (
	opening        = "{{"
	escapedOpening = `{{ "{{" }}`
)

func escapeTemplate(s string) string   { return strings.ReplaceAll(s, opening, escapedOpening) }
func unescapeTemplate(s string) string { return strings.ReplaceAll(s, escapedOpening, opening) }
