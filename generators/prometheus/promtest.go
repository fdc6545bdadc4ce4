package prometheus

import (
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// minutes is when the tests look: longer than any alert waits and any range reaches back, but for one day.
const minutes = 45

// testFile holds two unit tests for each alert: one that fires and one that is silent.
func testFile(t *topology.Topology, rules []rule, base string, header target.Header) []byte {
	var tests []node
	actors := newStage(t)
	for _, r := range rules {
		if build, ok := cases[r.Name.V]; ok {
			tests = append(tests, scene{r, scrapeJob(t), r.selected()}.tests(build(actors))...)
		}
	}
	root := mapping(
		pair{"rule_files", sequence(text("../rules/" + base + ".yml"))},
		pair{"evaluation_interval", text("5m")},
		pair{"tests", sequence(tests...)},
	)
	return document(root, append(header.Lines(), "", "Run it with promtool test rules.")...)
}

// scrapeJob is the job label of series that no alert selects by job.
func scrapeJob(t *topology.Topology) string {
	if len(t.Scrapes) == 0 {
		return "etcd"
	}
	return t.Scrapes[0].Job.V
}

// scene plays the case of one alert.
type scene struct {
	rule     rule
	job      string
	selected map[string]map[string]string // by metric, what the expression selects by
}

func (s scene) tests(c testCase) []node {
	carried := map[string]string{}
	switch {
	case c.absent:
		for _, labels := range s.selected {
			maps.Copy(carried, labels)
		}
	case c.by == nil:
		carried = s.labels(c.fires[0])
	default:
		all := s.labels(c.fires[0])
		for _, label := range c.by {
			carried[label] = all[label]
		}
	}
	return []node{s.test("fires", c.fires, s.expected(carried)), s.test("is silent: "+c.why, c.silent)}
}

// test is one unit test. It expects the alerts to be exactly these.
func (s scene) test(name string, samples []sample, alerts ...node) node {
	var input []node
	for _, v := range samples {
		if _, read := s.selected[v.metric]; read {
			input = append(input, mapping(
				pair{"series", text(seriesText(v.metric, s.labels(v)))},
				pair{"values", text(v.values)},
			))
		}
	}
	return mapping(
		pair{"name", text(s.rule.Name.V + " " + name)},
		pair{"interval", text("1m")},
		pair{"input_series", sequence(input...)},
		pair{"alert_rule_test", sequence(mapping(
			pair{"eval_time", text(strconv.Itoa(minutes) + "m")},
			pair{"alertname", text(s.rule.Name.V)},
			pair{"exp_alerts", sequence(alerts...)},
		))},
	)
}

// expected is the alert as it fires on a result with the labels carried.
func (s scene) expected(carried map[string]string) node {
	all := maps.Clone(carried)
	maps.Copy(all, s.rule.Labels)
	all["severity"] = s.rule.Severity.V
	return mapping(
		pair{"exp_labels", labelsNode(all)},
		pair{"exp_annotations", mapping(
			pair{"summary", text(expand(s.rule.Summary, carried))},
			pair{"description", text(expand(s.rule.Description, carried))},
			pair{"runbook_url", text(s.rule.runbook())},
		)},
	)
}

// labels are those of a series: job and instance, what the alert selects by, and the case's own.
func (s scene) labels(v sample) map[string]string {
	out := map[string]string{"instance": "lb-1:8405", "job": s.job}
	maps.Copy(out, s.selected[v.metric])
	maps.Copy(out, v.labels)
	return out
}

// selected are, by metric, the labels that the expression selects by equality.
func (r rule) selected() map[string]map[string]string {
	out := map[string]map[string]string{}
	parser.Inspect(r.parsed, func(n parser.Node, _ []parser.Node) error {
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
	out := []byte(metric)
	separator := byte('{')
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		out = append(append(append(out, separator), name...), '=')
		out = strconv.AppendQuote(out, labels[name])
		separator = ','
	}
	return string(append(out, '}'))
}

var labelTemplate = regexp.MustCompile(`\{\{ \$labels\.(\w+) \}\}`)

// expand is an annotation with its labels filled in.
func expand(annotation string, labels map[string]string) string {
	return labelTemplate.ReplaceAllStringFunc(annotation, func(template string) string {
		return labels[labelTemplate.FindStringSubmatch(template)[1]]
	})
}
