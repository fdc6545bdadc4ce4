package prometheus

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metricsql"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// foreign are files by other hands.
var foreign = map[string]string{
	"rules": `groups:
- name: etcd
  rules:
  - record: job:up:sum
    expr: sum(up)
  - alert: "Ünten"
    expr: 'haproxy_backend_up{backend = "etcd"}<2'
    for: 1m30s
    labels: {severity: page, team: x}
    annotations:
      summary: "{{ $labels.backend }} down"
  - alert: Broken
    expr: sum(
  - alert: Templated
    expr: up{job="{{ .job }}"} == 0
    for: soon
    labels: {severity: '{{ if true }}a{{ end }}'}
`,
	"block": `groups:
  - name: a
    rules:
      - alert: A
        expr: |
          sum by(job) (up)
            < 2
---
groups: [{name: b, rules: [{alert: B, expr: up == 0}]}]
`,
	"object": `apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: x}
spec:
  groups:
    - name: a
      rules:
        - &base {alert: A, expr: up == 0, for: 5m}
        - {<<: *base, alert: B}
        - *base
`,
	"chart": `{{- if .Values.alerts }}
groups:
  - name: {{ .Release.Name }}-etcd
    rules:
      - alert: A
        expr: up{job="etcd"} == 0
        for: {{ .Values.for }}
      - alert: B
        expr: {{ .Values.expr | quote }}
{{- end }}
`,
	"config": `global: {scrape_interval: 15s}
rule_files: [rules/*.yml]
scrape_configs:
  - job_name: etcd
    scheme: https
    tls_config: {ca_file: /ca, cert_file: /cert, key_file: /key, insecure_skip_verify: true}
    static_configs:
      - targets: [10.0.0.1:2379, '{{ host }}:2379']
        labels: {dc: a, rack: "1"}
      - targets: [10.0.0.2:2379]
        labels: {dc: a, rack: "2"}
  - job_name: discovered
    file_sd_configs: [{files: [x.json]}]
`,
	"pasted": "- alert: A\n  expr: up == 0\n- record: a:b\n  expr: sum(up)\n",
	"one":    "alert: A\nexpr: up == 0\nfor: 1m\n",
	"list":   "- job_name: a\n  metrics_path: /m\n  static_configs:\n    - targets: [a:1]\n",
	"tab":    "groups:\n  - name: a\n\trules: []\n",
}

func parsed(t *testing.T, text string) (*topology.Topology, diag.List) {
	t.Helper()
	return parse(target.Source{Path: "x.yml", Files: []target.File{{Path: "x.yml", Data: []byte(text)}}})
}

func TestForeignRules(t *testing.T) {
	top, diags := parsed(t, foreign["rules"])
	if len(diags) > 0 || len(top.Alerts) != 3 {
		t.Fatalf("got %d alerts, %v; want 3", len(top.Alerts), diags)
	}
	a := top.Alerts[0]
	if a.Name.V != "Ünten" || a.Name.Span != diag.At("x.yml", 6, 12, 7) {
		t.Errorf("the name is %q at %+v", a.Name.V, a.Name.Span)
	}
	if a.Expr.V != `haproxy_backend_up{backend = "etcd"}<2` || a.Expr.Span != diag.At("x.yml", 7, 11, 40) {
		t.Errorf("the expression is %s at %+v", a.Expr.V, a.Expr.Span)
	}
	if a.For.V != 90*time.Second || a.For.Span != diag.At("x.yml", 8, 10, 5) {
		t.Errorf("for is %v at %+v", a.For.V, a.For.Span)
	}
	if a.Severity.V != "page" || len(a.Labels) != 1 || a.Labels["team"] != "x" || a.Summary != "{{ $labels.backend }} down" {
		t.Errorf("severity %q, labels %v, summary %q", a.Severity.V, a.Labels, a.Summary)
	}
	if a.Span.Line != 6 || a.Span.Col != 5 {
		t.Errorf("the rule is at %+v", a.Span)
	}
	if b := top.Alerts[1]; b.Expr.Known() || b.Expr.Span.Line != 13 || b.For.State != topology.Defaulted || b.For.V != 0 {
		t.Errorf("an expression that does not parse is %+v, no for is %+v", b.Expr, b.For)
	}
	if c := top.Alerts[2]; c.Expr.Known() || c.For.Known() || c.Severity.Known() {
		t.Errorf("templates are taken as they stand: %+v", c)
	}
}

// A rule file may hold several documents and blocks, a PrometheusRule its groups deeper, a chart what is no YAML yet.
func TestForms(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"block", "A sum by(job) (up) < 2 0s, B up == 0 0s"},
		{"object", "A up == 0 5m0s, B up == 0 5m0s, A up == 0 5m0s"},
		{"chart", `A up{job="etcd"} == 0 ?, B ? 0s`},
		{"pasted", "A up == 0 0s"},
		{"one", "A up == 0 1m0s"},
	} {
		top, diags := parsed(t, foreign[c.file])
		var got []string
		for _, a := range top.Alerts {
			expr, wait := "?", "?"
			if a.Expr.Known() {
				expr = a.Expr.V
			}
			if a.For.Known() {
				wait = a.For.V.String()
			}
			got = append(got, a.Name.V+" "+expr+" "+wait)
		}
		if s := strings.Join(got, ", "); s != c.want || len(diags) > 0 {
			t.Errorf("%s: %s %v; want %s", c.file, s, diags, c.want)
		}
	}
}

// TestExpressions: what an expression reads, ! where "or" has another side, and what it compares, ! where that decides.
func TestExpressions(t *testing.T) {
	for expr, want := range map[string]string{
		`haproxy_backend_up{backend="etcd"} < 2`:           "haproxy_backend_up map[backend:etcd] []; [] < 2!",
		`2 > up{job=~"a|b",env!="",x!="y"}`:                "up map[] [job env]; [] < 2!",
		`sum by (job) (rate(a_total[5m] offset 1h)) >= -1`: "a_total map[] []; [rate sum] >= -1!",
		`min_over_time(up[5m:1m]) == bool 0`:               "up map[] []; [min_over_time] == bool 0!",
		`(a == 0) or (b > 1 and c < 2)`:                    "a! map[] []; b! map[] []; c! map[] []; [] == 0!; [] > 1; [] < 2",
		`count(up == 0) > 0`:                               "up map[] []; [] == 0",
		`count by (job) (up == 0)`:                         "up map[] []; [] == 0!",
		`absent(up == 1)`:                                  "up map[] []; [] == 1",
		`a / b > 1`:                                        "a map[] []; b map[] []",
		`{__name__="a"} > 1`:                               "a map[] []; [] > 1!",
		`{__name__=~"a|b"} unless on (x) c`:                " map[] []; c map[] []",
		`quantile(0.9, a) != 1`:                            "a map[] []; [quantile] != 1!",
		`histogram_quantile(0.9, a) > 1`:                   "a map[] []; [histogram_quantile] > 1!",
		`vector(1)`:                                        "",
		`up < 2 * 3`:                                       "up map[] []; [] < 6!",
		`clamp_max(up, scalar(a)) == 0`:                    "up map[] []; a map[] []; [clamp_max] == 0!",
		`SUM(up{b!~".*"}) BY (job) == 0`:                   "up map[] [b]; [sum] == 0!",
		// VictoriaMetrics' own language.
		`up{b="etcd"} == 0 default vector(1)`: "up! map[b:etcd] []; [] == 0!",
		`{a="1" or b="2"} == 0`:               " map[] []; [] == 0!",
	} {
		top, _ := parsed(t, "groups: [{rules: [{alert: A, expr: '"+expr+"'}]}]")
		var got []string
		for _, r := range top.Alerts[0].Reads {
			either := ""
			if r.Either {
				either = "!"
			}
			got = append(got, fmt.Sprintf("%s%s %v %v", r.Metric, either, r.Labels, r.Needs))
		}
		for _, c := range top.Alerts[0].Compares {
			op, decides := c.Op, ""
			if c.Bool {
				op += " bool"
			}
			if c.Decides {
				decides = "!"
			}
			got = append(got, fmt.Sprintf("%v %s %v%s", c.Functions, op, c.Number, decides))
		}
		if s := strings.Join(got, "; "); s != want {
			t.Errorf("%s\n got %s\nwant %s", expr, s, want)
		}
	}
	if top, _ := parsed(t, foreign["rules"]); len(top.Recorded) != 1 || top.Recorded[0] != "job:up:sum" {
		t.Errorf("recorded are %v", top.Recorded)
	}
}

func TestForeignScrapes(t *testing.T) {
	top, diags := parsed(t, foreign["config"])
	if len(diags) > 0 || len(top.Scrapes) != 2 {
		t.Fatalf("got %d jobs, %v; want 2", len(top.Scrapes), diags)
	}
	s := top.Scrapes[0]
	if s.Job.V != "etcd" || s.Scheme.V != "https" || s.Path.V != "/metrics" || s.Path.State != topology.Defaulted {
		t.Errorf("job %q, scheme %q, path %+v", s.Job.V, s.Scheme.V, s.Path)
	}
	if len(s.Targets) != 3 || s.Targets[0].Span != diag.At("x.yml", 8, 19, 13) || s.Targets[1].Known() || !s.Targets[2].Known() {
		t.Errorf("targets %+v", s.Targets)
	}
	if len(s.Labels) != 1 || s.Labels["dc"] != "a" {
		t.Errorf("labels of all targets: %v; want dc", s.Labels)
	}
	if s.Certificate.CA.V != "/ca" || s.Certificate.Cert.V != "/cert" || s.Certificate.Key.V != "/key" {
		t.Errorf("certificate %+v", s.Certificate)
	}
	list, _ := parsed(t, foreign["list"])
	if len(list.Scrapes) != 1 || list.Scrapes[0].Path.V != "/m" {
		t.Errorf("a bare list of jobs reads as %+v", list.Scrapes)
	}
}

func TestBrokenYAML(t *testing.T) {
	top, diags := parsed(t, "groups: [{rules: [{alert: A, expr: up}]}]\n---\n"+foreign["tab"])
	if len(diags) != 1 || diags[0].Rule != "syntax" || diags[0].Severity != diag.Error || diags[0].Span.Line < 4 {
		t.Errorf("got %+v; want one syntax error", diags)
	}
	if len(top.Alerts) != 1 {
		t.Errorf("the document before the broken one is lost")
	}
}

// Expressions that are nobody's, or grow without bound, are not read.
func TestHugeExpression(t *testing.T) {
	for _, expr := range []string{
		strings.Repeat("1+", 1<<20) + "1",
		strings.Repeat("ru(a, ", 40) + "b" + strings.Repeat(")", 40),
		strings.Repeat(`tt\f(`, 40) + "b" + strings.Repeat(")", 40),
		"WITH(f(x) = x+x) " + strings.Repeat("f(", 40) + "b" + strings.Repeat(")", 40),
	} {
		top, _ := parsed(t, "groups: [{rules: [{alert: A, expr: '"+expr+"'}]}]")
		if len(top.Alerts) != 1 || top.Alerts[0].Expr.Known() {
			t.Errorf("%.40s... is read", expr)
		}
	}
}

func TestDetect(t *testing.T) {
	for name, text := range foreign {
		if !detect("some/"+name+".yaml", []byte(text)) {
			t.Errorf("%s is not recognised", name)
		}
	}
	_, files, _ := rendered(t, specs["full"])
	for path, text := range map[string]string{
		"x.yml":      string(files["prometheus/tests/etcd-lb-prod_test.yml"]),
		"sd.json":    string(files["prometheus/scrape/etcd-lb-prod.json"]),
		"play.yml":   "- hosts: all\n  roles: [x]\n",
		"role.yaml":  "kind: ClusterRole\nrules:\n  - apiGroups: ['']\n",
		"x.go":       foreign["rules"],
		"hosts.yaml": "groups:\n  a: [b]\n",
	} {
		if detect(path, []byte(text)) {
			t.Errorf("%s is taken for Prometheus", path)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range foreign {
		f.Add([]byte(text))
	}
	for _, name := range []string{"full", "minimal", "free text", "own jobs"} {
		_, files, _ := rendered(f, specs[name])
		for _, data := range files {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		top, _ := parse(target.Source{Path: "x.yml", Files: []target.File{{Path: "x.yml", Data: data}}})
		for _, a := range top.Alerts {
			if !a.Expr.Known() {
				continue
			}
			if _, err := metricsql.Parse(a.Expr.V); err != nil || oneLine(a.Expr.V) != a.Expr.V {
				t.Errorf("a known expression does not parse, or is on several lines: %q: %v", a.Expr.V, err)
			}
		}
	})
}
