package prometheus

import (
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func render(t *topology.Topology, options *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	var diags diag.List
	if len(t.Alerts) == 0 {
		diags.Warn(options.At(t.Span), "unsupported",
			"nothing that Prometheus could read is known, as haproxy is no target and etcd's metrics want a client "+
				"certificate, so no alert will ever fire; need a source of metrics",
			"set cluster.metrics.port, or clients.certificate")
	}
	base := "etcd-lb-" + t.Name.V
	out := []target.Artifact{
		{Path: "prometheus/rules/" + base + ".yml", Data: rulesFile(t, base, header)},
		{Path: "prometheus/tests/" + base + "_test.yml", Data: testFile(t, base, header)},
		{Path: "prometheus/scrape/" + base + ".yml", Data: scrapeFile(t, header)},
		{Path: "prometheus/scrape/" + base + ".json", Data: discoveryFile(t)},
	}
	if probes := probeScrapes(t); len(probes) > 0 {
		out = append(out, target.Artifact{Path: "prometheus/blackbox/" + base + ".yml", Data: modulesFile(t, probes[0], header)})
	}
	if slices.Contains(t.Targets, "kubernetes") {
		out = append(out, target.Artifact{Path: "prometheus/kubernetes/" + base + ".yml", Data: ruleObject(t, base, header)})
	}
	return out, diags
}

func rulesFile(t *topology.Topology, group string, header target.Header) []byte {
	head := append(header.Lines(), "", "Load it with rule_files. Its tests are in ../tests: promtool test rules.")
	if len(memberScrapes(t)) == 0 && !aboutEtcd(t) {
		head = append(head, withoutEtcd...)
	}
	d := newDocument(12<<10, head...)
	d.groups(t, group)
	return d.out.Bytes()
}

// ruleObject is the rule file as an object of the Prometheus operator.
func ruleObject(t *topology.Topology, name string, header target.Header) []byte {
	d := newDocument(12<<10, append(header.Lines(), "",
		"The rules of ../rules as an object: kubectl apply -n <namespace> -f. Add the labels that the operator's ruleSelector wants.")...)
	d.text("apiVersion", "monitoring.coreos.com/v1")
	d.text("kind", "PrometheusRule")
	d.mapping("metadata", func() { d.text("name", name) })
	d.mapping("spec", func() { d.groups(t, name) })
	return d.out.Bytes()
}

func (d *document) groups(t *topology.Topology, group string) {
	d.list("groups", func() {
		d.next()
		d.text("name", group)
		d.list("rules", func() {
			for i := range t.Alerts {
				d.next()
				d.rule(&t.Alerts[i])
			}
		})
	})
}

// aboutEtcd reports whether any alert reads etcd's own metrics.
func aboutEtcd(t *topology.Topology) bool {
	return slices.ContainsFunc(t.Alerts, func(a topology.Alert) bool {
		return strings.Contains(a.Expr.V, "etcd_server_")
	})
}

func (d *document) rule(a *topology.Alert) {
	d.text("alert", a.Name.V)
	d.layout("expr", a.Layout)
	d.text("for", model.Duration(a.For.V).String())
	d.mapping("labels", func() {
		d.text("severity", a.Severity.V)
		for _, l := range labelsOf(a.Labels) {
			d.text(l.name, escapeTemplate(l.value))
		}
	})
	d.mapping("annotations", func() {
		d.text("summary", a.Summary)
		d.text("description", a.Description)
		d.text("runbook_url", runbook(a))
	})
}

// runbook is the alert's section in the runbook.
func runbook(a *topology.Alert) string { return "RUNBOOK.md#" + strings.ToLower(a.Name.V) }

// Prometheus expands the values of labels as templates; a user's text is to stand as it is.
const (
	opening        = "{{"
	escapedOpening = `{{ "{{" }}`
)

func escapeTemplate(s string) string   { return strings.ReplaceAll(s, opening, escapedOpening) }
func unescapeTemplate(s string) string { return strings.ReplaceAll(s, escapedOpening, opening) }
