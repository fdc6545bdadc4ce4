package prometheus

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// minutes is when the tests look: longer than any alert waits and any range reaches back, but for one day.
const minutes = 45

// testFile holds two unit tests for each alert: one that fires and one that is silent.
func testFile(t *topology.Topology, base string, header target.Header) []byte {
	var tests []*yaml.Node
	actors := newStage(t)
	for _, a := range t.Alerts {
		if build, ok := cases[a.Name.V]; ok {
			tests = append(tests, scene{t, a}.tests(build(actors))...)
		}
	}
	root := mapping(
		pair{"rule_files", sequence(text("../rules/" + base + ".yml"))},
		pair{"evaluation_interval", text("1m")},
		pair{"tests", sequence(tests...)},
	)
	return document(root, append(header.Lines(), "", "Run it with promtool test rules.")...)
}

// scene plays the case of one alert.
type scene struct {
	topology *topology.Topology
	alert    topology.Alert
}

func (s scene) tests(c testCase) []*yaml.Node {
	selected := selectedLabels(s.alert.Expr.V)
	carried := map[string]string{}
	switch {
	case c.absent:
		for _, m := range selected {
			maps.Copy(carried, m)
		}
	case c.by == nil:
		carried = s.labels(c.fires[0], selected)
	default:
		all := s.labels(c.fires[0], selected)
		for _, label := range c.by {
			carried[label] = all[label]
		}
	}
	fires := s.test("fires", c.fires, selected, s.expected(carried))
	return []*yaml.Node{fires, s.test("is silent: "+c.why, c.silent, selected)}
}

// test is one unit test. It expects the alerts to be exactly these.
func (s scene) test(name string, samples []sample, selected map[string]map[string]string, alerts ...*yaml.Node) *yaml.Node {
	var input []*yaml.Node
	for _, v := range samples {
		if _, read := selected[v.metric]; read {
			input = append(input, mapping(
				pair{"series", text(seriesText(v.metric, s.labels(v, selected)))},
				pair{"values", text(v.values)},
			))
		}
	}
	return mapping(
		pair{"name", text(s.alert.Name.V + " " + name)},
		pair{"interval", text("1m")},
		pair{"input_series", sequence(input...)},
		pair{"alert_rule_test", sequence(mapping(
			pair{"eval_time", text(strconv.Itoa(minutes) + "m")},
			pair{"alertname", text(s.alert.Name.V)},
			pair{"exp_alerts", sequence(alerts...)},
		))},
	)
}

// expected is the alert as it fires on a result with the labels carried.
func (s scene) expected(carried map[string]string) *yaml.Node {
	all := maps.Clone(carried)
	maps.Copy(all, s.alert.Labels)
	all["severity"] = s.alert.Severity.V
	return mapping(
		pair{"exp_labels", labelsNode(all)},
		pair{"exp_annotations", mapping(
			pair{"summary", text(expand(s.alert.Summary, carried))},
			pair{"description", text(expand(s.alert.Description, carried))},
			pair{"runbook_url", text(runbook(s.alert))},
		)},
	)
}

// labels are those of a series: job and instance, what the alert selects by, and the case's own.
func (s scene) labels(v sample, selected map[string]map[string]string) map[string]string {
	out := map[string]string{"instance": "lb-1:8405"}
	if len(s.topology.Scrapes) > 0 {
		out["job"] = s.topology.Scrapes[0].Job.V
	}
	maps.Copy(out, v.labels)
	for name, value := range selected[v.metric] {
		if _, own := v.labels[name]; !own {
			out[name] = value
		}
	}
	return out
}

// selectedLabels are, by metric, the labels that an expression selects by equality.
func selectedLabels(expr string) map[string]map[string]string {
	out := map[string]map[string]string{}
	e, err := promql.ParseExpr(expr)
	if err != nil {
		return out
	}
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		if out[v.Name] == nil {
			out[v.Name] = map[string]string{}
		}
		for _, m := range v.LabelMatchers {
			if m.Type == labels.MatchEqual && m.Name != labels.MetricName {
				out[v.Name][m.Name] = m.Value
			}
		}
		return nil
	})
	return out
}

// seriesText is a series as promtool reads it.
func seriesText(metric string, labels map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", name, labels[name]))
	}
	return metric + "{" + strings.Join(pairs, ",") + "}"
}

var labelTemplate = regexp.MustCompile(`\{\{ \$labels\.(\w+) \}\}`)

// expand is an annotation with its labels filled in.
func expand(annotation string, labels map[string]string) string {
	return labelTemplate.ReplaceAllStringFunc(annotation, func(template string) string {
		return labels[labelTemplate.FindStringSubmatch(template)[1]]
	})
}
