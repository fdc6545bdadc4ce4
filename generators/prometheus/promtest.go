package prometheus

import (
	"slices"
	"strconv"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// minutes is when the tests look: longer than any alert waits and any range reaches back, but for one day.
const minutes = 45

// testFile holds two unit tests for each alert: one that fires and one that is silent.
func testFile(t *topology.Topology, base string, header target.Header) []byte {
	d := newDocument(32<<10, append(header.Lines(), "", "Run it with promtool test rules.")...)
	d.texts("rule_files", "../rules/"+base+".yml")
	d.text("evaluation_interval", "5m")
	d.list("tests", func() {
		actors, job := newStage(t), scrapeJob(t)
		for i := range t.Alerts {
			if build, ok := cases[t.Alerts[i].Name.V]; ok {
				newScene(d, &t.Alerts[i], job).tests(build(actors))
			}
		}
	})
	return d.out.Bytes()
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
	*document
	alert *topology.Alert
	// read are the metrics that the alert's expression reads, with what is said of all their series: job, instance and
	// what the expression selects by.
	read map[string]labelSet
}

func newScene(d *document, a *topology.Alert, job string) scene {
	s := scene{d, a, make(map[string]labelSet, len(a.Reads))}
	for _, r := range a.Reads {
		labels, ok := s.read[r.Metric]
		if !ok {
			labels = append(make(labelSet, 0, 2+len(r.Labels)), label{"instance", "lb-1:8405"}, label{"job", job})
		}
		labels.setAll(r.Labels)
		s.read[r.Metric] = labels
	}
	return s
}

func (s scene) tests(c testCase) {
	s.test("fires", c.fires, func() { s.expected(s.carried(c)) })
	s.test("is silent: "+c.why, c.silent, func() {})
}

// carried are the labels of the result on which the alert fires.
func (s scene) carried(c testCase) labelSet {
	var out labelSet
	if c.absent {
		for _, r := range s.alert.Reads {
			out.setAll(r.Labels)
		}
		return out
	}
	out = s.labels(c.fires[0])
	if c.by != nil {
		out = slices.DeleteFunc(out, func(l label) bool { return !slices.Contains(c.by, l.name) })
	}
	return out
}

// test writes one unit test. The alerts are to be exactly these.
func (s scene) test(name string, samples []sample, alerts func()) {
	s.next()
	s.text("name", s.alert.Name.V+" "+name)
	s.text("interval", "1m")
	s.list("input_series", func() {
		for _, v := range samples {
			if _, ok := s.read[v.metric]; ok {
				s.next()
				s.text("series", s.labels(v).series(v.metric))
				s.text("values", v.values)
			}
		}
	})
	s.list("alert_rule_test", func() {
		s.next()
		s.text("eval_time", strconv.Itoa(minutes)+"m")
		s.text("alertname", s.alert.Name.V)
		s.list("exp_alerts", alerts)
	})
}

// expected writes the alert as it fires on a result with the labels carried.
func (s scene) expected(carried labelSet) {
	all := slices.Clone(carried)
	all.setAll(s.alert.Labels)
	all.set("severity", s.alert.Severity.V)
	s.next()
	s.labelled("exp_labels", all)
	s.mapping("exp_annotations", func() {
		s.text("summary", carried.expand(s.alert.Summary))
		s.text("description", carried.expand(s.alert.Description))
		s.text("runbook_url", runbook(s.alert))
	})
}

// labels are those of a series: its metric's and its own.
func (s scene) labels(v sample) labelSet {
	shared := s.read[v.metric]
	out := append(make(labelSet, 0, len(shared)+len(v.labels)), shared...)
	for _, l := range v.labels {
		out.set(l.name, l.value)
	}
	return out
}
