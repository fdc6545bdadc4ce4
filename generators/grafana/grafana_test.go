package grafana

import (
	"bytes"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const cluster = `
cluster: {name: "prod", metrics: port: 2381, members: {"etcd-1": address: "10.0.1.10", "etcd-2": address: "10.0.1.11", "etcd-3": address: "10.0.1.12"}}
loadBalancer: vip: "10.0.1.100"
clients: certificate: {ca: "/etc/ca.crt", cert: "/etc/c.crt", key: "/etc/c.key"}
`

var specs = map[string]string{
	"probed":        cluster + "targets: {haproxy: {}, prometheus: probe: {}, grafana: {}}",
	"haproxy alone": cluster + "targets: {haproxy: {}, grafana: {}}",
	"etcd alone":    cluster + "targets: {nginx: {}, grafana: {}}",
	"own job":       cluster + `targets: {haproxy: {}, prometheus: select: haproxy: job: "lb \"x\"", grafana: {}}`,
}

func rendered(t *testing.T, spec string) (*topology.Topology, []byte) {
	t.Helper()
	top, options := lowertest.Topology(t, spec, "grafana")
	artifacts, diags := render(top, options, target.Header{Spec: "spec.cue"})
	if len(artifacts) != 1 || len(diags) > 0 {
		t.Fatalf("%d artifacts, %v", len(artifacts), diags)
	}
	return top, artifacts[0].Data
}

// Grafana's own model takes the dashboard, with nothing in it that the model does not know.
func TestDashboardIsGrafanas(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			top, data := rendered(t, spec)
			var d dashboard.Dashboard
			if err := said(d.UnmarshalJSONStrict(data)); err != "" {
				t.Fatalf("%s\n%s", err, data)
			}
			if err := said(d.Validate()); err != "" {
				t.Error(err)
			}
			var other dashboard.Dashboard
			if said(other.UnmarshalJSONStrict(bytes.Replace(data, []byte(`"legendFormat"`), []byte(`"legend"`), 1))) == "" {
				t.Error("a field that Grafana does not know is taken")
			}
			if len(d.Panels) != len(top.Panels) {
				t.Errorf("%d panels, want %d", len(d.Panels), len(top.Panels))
			}
			taken := map[position]bool{}
			for _, p := range board(top, target.Header{}).Panels {
				if taken[p.GridPos] || p.GridPos.X+p.GridPos.W > 24 {
					t.Errorf("%s stands at %+v", p.Title, p.GridPos)
				}
				taken[p.GridPos] = true
			}
		})
	}
}

// said is an error's text: without one the model returns an empty list of errors, which is not nil.
func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Every expression is PromQL, spelled as Prometheus spells it.
func TestExpressions(t *testing.T) {
	promql := parser.NewParser(parser.Options{})
	for name, spec := range specs {
		top, data := rendered(t, spec)
		for _, p := range top.Panels {
			for _, q := range p.Queries {
				expr, err := promql.ParseExpr(q.Expr)
				if err != nil {
					t.Errorf("%s: %s: %v", name, q.Expr, err)
				} else if expr.String() != q.Expr {
					t.Errorf("%s: %s\nis spelled %s", name, q.Expr, expr)
				}
			}
		}
		_, again := rendered(t, spec)
		if !bytes.Equal(data, again) {
			t.Errorf("%s: two dashboards of one spec", name)
		}
	}
}

func TestWhatIsShown(t *testing.T) {
	all := []string{"Backends up", "Connections per member", "Connection errors", "Latency direct and through the load balancer"}
	for name, shown := range map[string][]bool{
		"probed": {true, true, true, true}, "haproxy alone": {true, true, true, false}, "etcd alone": {false, false, false, false},
	} {
		_, data := rendered(t, specs[name])
		for i, title := range all {
			if strings.Contains(string(data), `"title": "`+title+`"`) != shown[i] {
				t.Errorf("%s: %s: want %v", name, title, shown[i])
			}
		}
	}
}

func TestNothingToShow(t *testing.T) {
	top, options := lowertest.Topology(t, `
cluster: {name: "prod", members: m: address: "10.0.1.10"}
loadBalancer: vip: "10.0.1.100"
targets: {nginx: {}, grafana: {}}`, "grafana")
	artifacts, diags := render(top, options, target.Header{Spec: "spec.cue"})
	if len(artifacts) != 0 || len(diags) != 1 || diags[0].Severity != diag.Warning || diags[0].Rule != "unsupported" {
		t.Errorf("%v %v", artifacts, diags)
	}
}
