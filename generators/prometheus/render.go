package prometheus

import (
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

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
	base := "etcd-lb-" + t.Name.V
	return []target.Artifact{
		{Path: "prometheus/rules/" + base + ".yml", Data: rulesFile(t, base, header)},
		{Path: "prometheus/tests/" + base + "_test.yml", Data: testFile(t, base, header)},
		{Path: "prometheus/scrape/" + base + ".yml", Data: scrapeFile(t, header)},
		{Path: "prometheus/scrape/" + base + ".json", Data: discoveryFile(t)},
	}, diags
}

func rulesFile(t *topology.Topology, group string, header target.Header) []byte {
	var rules []*yaml.Node
	for _, a := range t.Alerts {
		rules = append(rules, ruleNode(a))
	}
	root := mapping(pair{"groups", sequence(mapping(
		pair{"name", text(group)},
		pair{"rules", sequence(rules...)},
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

func ruleNode(a topology.Alert) *yaml.Node {
	labels := mapping(pair{"severity", text(a.Severity.V)})
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		labels.Content = append(labels.Content, text(name), text(escapeTemplate(a.Labels[name])))
	}
	return mapping(
		pair{"alert", text(a.Name.V)},
		pair{"expr", block(pretty(a.Expr.V))},
		pair{"for", text(model.Duration(a.For.V).String())},
		pair{"labels", labels},
		pair{"annotations", mapping(
			pair{"summary", text(a.Summary)},
			pair{"description", text(a.Description)},
			pair{"runbook_url", text(runbook(a))},
		)},
	)
}

// pretty spreads a long expression over lines.
func pretty(expr string) string {
	e, err := promql.ParseExpr(expr)
	if err != nil {
		return expr
	}
	return parser.Prettify(e)
}

// runbook is the alert's section in the runbook.
func runbook(a topology.Alert) string { return "RUNBOOK.md#" + strings.ToLower(a.Name.V) }

// Prometheus expands the values of labels as templates; a user's text is to stand as it is.
const (
	opening        = "{{"
	escapedOpening = `{{ "{{" }}`
)

func escapeTemplate(s string) string   { return strings.ReplaceAll(s, opening, escapedOpening) }
func unescapeTemplate(s string) string { return strings.ReplaceAll(s, escapedOpening, opening) }
