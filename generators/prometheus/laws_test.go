package prometheus

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// sameFacts ignores positions, and whether a value is written or a default.
var sameFacts = cmp.Options{
	cmpopts.IgnoreTypes(diag.Span{}),
	cmpopts.EquateEmpty(),
	cmp.Transformer("known", func(s topology.State) bool { return s != topology.Unknown }),
}

// What is written reads back as the same facts.
func TestRoundTrip(t *testing.T) {
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			top, files, _ := rendered(t, spec)
			src := target.Source{Path: "prometheus"}
			for path, data := range files {
				if Target.Detect(path, data) {
					src.Files = append(src.Files, target.File{Path: path, Data: data})
				}
			}
			if len(src.Files) != 2 {
				t.Fatalf("%d files are recognised; want the rules and the scrapes", len(src.Files))
			}
			got, diags := parse(src)
			if len(diags) > 0 {
				t.Errorf("reading raises %v", diags)
			}
			want := topology.Restrict(top, Target.Name, Target.Facts)
			if diff := cmp.Diff(want, got, sameFacts); diff != "" {
				t.Errorf("the files say something else (-spec +files):\n%s", diff)
			}
		})
	}
}

// promql is Prometheus' own parser.
var promql = parser.NewParser(parser.Options{})

// Lower writes expressions without a parser; they must be spelled as Prometheus' own spells them.
func TestExpressionsAreCanonical(t *testing.T) {
	for name, spec := range specs {
		top, _ := lowered(t, spec)
		for _, a := range top.Alerts {
			e, err := promql.ParseExpr(a.Expr.V)
			if err != nil {
				t.Errorf("%s: %s: %v", name, a.Name.V, err)
			} else if e.String() != a.Expr.V || parser.Prettify(e) != a.Layout {
				t.Errorf("%s: %s: the parser writes\n%s\n%s\nlower\n%s\n%s", name, a.Name.V, e, parser.Prettify(e), a.Expr.V, a.Layout)
			}
		}
	}
}

// Each alert has a test that shows it firing and one that shows it silent, and no case is left over.
func TestEveryAlertHasItsCases(t *testing.T) {
	seen := map[string]bool{}
	for name, spec := range specs {
		top, files, _ := rendered(t, spec)
		var file struct {
			Tests []struct {
				Checks []struct {
					Alert  string `yaml:"alertname"`
					Alerts []any  `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		if err := yaml.Unmarshal(files["prometheus/tests/etcd-lb-"+top.Name.V+"_test.yml"], &file); err != nil {
			t.Fatal(err)
		}
		fires, silent := map[string]int{}, map[string]int{}
		for _, test := range file.Tests {
			for _, c := range test.Checks {
				if len(c.Alerts) > 0 {
					fires[c.Alert]++
				} else {
					silent[c.Alert]++
				}
			}
		}
		for _, a := range top.Alerts {
			seen[a.Name.V] = true
			if fires[a.Name.V] != 1 || silent[a.Name.V] != 1 {
				t.Errorf("%s: %s is shown firing %d times and silent %d times: add it to cases",
					name, a.Name.V, fires[a.Name.V], silent[a.Name.V])
			}
		}
	}
	for alert := range cases {
		if !seen[alert] {
			t.Errorf("no spec raises %s: drop its case or add a spec", alert)
		}
	}
}

// A user who asks for alerts where nothing can be scraped is told so.
func TestNothingToAlertOn(t *testing.T) {
	top, files, diags := rendered(t, specs["nothing"])
	if len(diags) != 1 || diags[0].Rule != "unsupported" || diags[0].Severity != diag.Warning || diags[0].Span.Line == 0 {
		t.Errorf("got %v; want one unsupported warning at the target's line", diags)
	}
	if len(top.Alerts) != 0 || !strings.Contains(string(files["prometheus/rules/etcd-lb-prod.yml"]), "rules: []") {
		t.Errorf("alerts are written that nothing feeds: %v", top.Alerts)
	}
	for name, spec := range specs {
		if _, _, diags := rendered(t, spec); name != "nothing" && len(diags) > 0 {
			t.Errorf("%s: %v", name, diags)
		}
	}
}

// Alerts are on what is scraped: HAProxy where it is a target, etcd where a way to its metrics is known.
func TestAlertsFollowTheSpec(t *testing.T) {
	names := func(spec string) []string {
		top, _ := lowered(t, specs[spec])
		var out []string
		for _, a := range top.Alerts {
			out = append(out, a.Name.V)
		}
		return out
	}
	for _, c := range []struct {
		spec       string
		has, lacks []string
	}{
		{"minimal", []string{"EtcdLBNoBackend", "EtcdLBBelowQuorum"}, []string{"EtcdNoLeader", "EtcdLBUpWithoutLeader"}},
		{"full", []string{"EtcdLBNoBackend", "EtcdNoLeader", "EtcdLBUpWithoutLeader"}, nil},
		{"certificate", []string{"EtcdNoLeader"}, nil},
		{"plaintext", []string{"EtcdNoLeader"}, nil},
		{"no haproxy", []string{"EtcdNoLeader", "EtcdMemberDown"}, []string{"EtcdLBNoBackend", "EtcdLBUpWithoutLeader"}},
		{"1 members", []string{"EtcdLBNoBackend"}, []string{"EtcdLBBelowQuorum", "EtcdLBImbalanced"}},
		{"own label", []string{"EtcdNoLeader"}, nil},
	} {
		got := names(c.spec)
		for _, n := range c.has {
			if !slices.Contains(got, n) {
				t.Errorf("%s: %s is missing from %v", c.spec, n, got)
			}
		}
		for _, n := range c.lacks {
			if slices.Contains(got, n) {
				t.Errorf("%s: %s has nothing to read", c.spec, n)
			}
		}
	}
}

// Thresholds come from the members that serve clients; the drained are listed, learners have no vote.
func TestThresholds(t *testing.T) {
	for _, c := range []struct{ spec, alert, want string }{
		{"5 members", "EtcdLBBelowQuorum", `haproxy_backend_active_servers{proxy="etcd-prod"} < 3`},
		{"drained", "EtcdLBBelowQuorum", `haproxy_backend_active_servers{proxy="etcd-prod"} < 2`},
		{"drained", "EtcdLBMembersDrifted", `count by (job, instance) (haproxy_server_status{proxy="etcd-prod",state="UP"}) != 5`},
		{"learner", "EtcdLBMembersDrifted", `count by (job, instance) (haproxy_server_status{proxy="etcd-prod",state="UP"}) != 3`},
		{"learner", "EtcdInsufficientMembers", `sum(up{instance!="10.0.1.13:2381",job="etcd-prod"}) < 2`},
		{"full", "EtcdLBExporterDown", `up{job="haproxy-etcd-prod"} == 0`},
		{"own jobs", "EtcdLBExporterDown", `up{job="lb \"x\""} == 0 and on (job, instance) ` +
			`present_over_time(haproxy_backend_active_servers{job="lb \"x\"",proxy="etcd-prod"}[1d])`},
		{"own label", "EtcdMemberDown", `up{cluster="eu",job="etcd-prod"} == 0`},
	} {
		top, _ := lowered(t, specs[c.spec])
		for _, a := range top.Alerts {
			if a.Name.V == c.alert && a.Expr.V != c.want {
				t.Errorf("%s: %s is\n%s; want\n%s", c.spec, c.alert, a.Expr.V, c.want)
			}
		}
	}
}

// Prometheus scrapes HAProxy where it listens, and etcd where it answers Prometheus.
func TestScrapes(t *testing.T) {
	for _, c := range []struct {
		spec string
		want []string // job scheme targets…
	}{
		{"minimal", []string{"haproxy-etcd-prod http 127.0.0.1:8405"}},
		{"full", []string{"haproxy-etcd-prod http 10.0.1.201:8405 10.0.1.202:8405", "etcd-prod http 10.0.1.10:2381 10.0.1.11:2381 10.0.1.12:2381"}},
		{"certificate", []string{"haproxy-etcd-prod http 127.0.0.1:8405", "etcd-prod https 10.0.1.10:2379 10.0.1.11:2379 10.0.1.12:2379"}},
		{"https", []string{"haproxy-etcd-prod http 127.0.0.1:8405", "etcd-prod https 10.0.1.10:2381 10.0.1.11:2381 10.0.1.12:2381"}},
		{"plaintext", []string{"haproxy-etcd-prod http 127.0.0.1:8405", "etcd-prod http 10.0.1.10:2379 10.0.1.11:2379 10.0.1.12:2379"}},
		{"IPv6", []string{"haproxy-etcd-six http [fd00::100]:8405", "etcd-six http [fd00::10]:2381 [fd00::11]:2381 [fd00::12]:2381"}},
		{"local open", []string{"haproxy-etcd-prod http", "etcd-prod http 10.0.1.10:2381 10.0.1.11:2381 10.0.1.12:2381"}},
		{"own label", []string{"haproxy-etcd-prod http 127.0.0.1:8405", "etcd-prod http 10.0.1.10:2381 10.0.1.11:2381 10.0.1.12:2381"}},
		{"nothing", nil},
	} {
		top, _ := lowered(t, specs[c.spec])
		var got []string
		for _, s := range top.Scrapes {
			line := s.Job.V + " " + s.Scheme.V
			for _, endpoint := range s.Targets {
				line += " " + endpoint.V
			}
			got = append(got, line)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: scrapes\n%s; want\n%s", c.spec, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// A label that every alert has, or that the exporter itself sets, cannot be the user's.
func TestReservedLabels(t *testing.T) {
	for _, spec := range []string{
		`targets: prometheus: labels: severity: "page"`,
		`targets: prometheus: labels: cluster: "x"`,
		`targets: prometheus: labels: "__name__": "x"`,
		`targets: prometheus: select: haproxy: proxy: "x"`,
		`targets: prometheus: select: etcd: instance: "x"`,
	} {
		_, diags, err := schema.Load(schema.Input{Paths: []string{"-"}, Stdin: strings.NewReader(members(3) + spec)})
		if err != nil || !diags.Has(diag.Error) {
			t.Errorf("%s is taken: %v %v", spec, diags, err)
		}
	}
}
