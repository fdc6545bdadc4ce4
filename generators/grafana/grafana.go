// Package grafana writes a dashboard: backends, connections, errors and latency of one cluster's load balancer.
package grafana

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Target is a dashboard in Grafana's JSON, for import or provisioning.
var Target = target.Target{
	Name:   "grafana",
	Doc:    "grafana/etcd-lb-<cluster>.json, a dashboard",
	Render: render,
}

func render(t *topology.Topology, options *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	var diags diag.List
	if len(t.Panels) == 0 {
		diags.Warn(options.At(t.Span), "unsupported", "nothing that Prometheus could read is known, so a dashboard would stay empty and "+
			"none is written; need a source of metrics", "set cluster.metrics.port, or make haproxy a target")
		return nil, diags
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(board(t, header)); err != nil {
		panic(fmt.Sprintf("texts and numbers do not encode: %v", err)) // cannot happen
	}
	return []target.Artifact{{Path: "grafana/etcd-lb-" + t.Name.V + ".json", Data: out.Bytes()}}, nil
}

// Two panels stand side by side on a grid of 24 columns.
const (
	width, height = 12, 8
	perRow        = 2
)

func board(t *topology.Topology, header target.Header) model {
	b := model{
		UID:           "etcd-lb-" + t.Name.V, // Grafana takes 40 characters
		Title:         "etcd " + t.Name.V + " behind its load balancer",
		Description:   strings.Join(header.Lines(), " "),
		Tags:          []string{"etcd", "load-balancer"},
		Timezone:      "browser",
		Editable:      true,
		SchemaVersion: 39,
		Refresh:       "30s",
		Time:          span{"now-6h", "now"},
	}
	b.Annotations.List = []struct{}{}
	b.Templating.List = []variable{{Name: "datasource", Label: "Prometheus", Type: "datasource", Query: "prometheus"}}
	for i, p := range t.Panels {
		b.Panels = append(b.Panels, drawn(i, p))
	}
	return b
}

// source is the Prometheus that is chosen on the dashboard: which one there is differs from Grafana to Grafana.
var source = datasource{"prometheus", "${datasource}"}

func drawn(i int, p topology.Panel) panel {
	out := panel{
		ID: i + 1, Type: "timeseries", Title: p.Title, Description: p.About, Datasource: source,
		GridPos: position{H: height, W: width, X: i % perRow * width, Y: i / perRow * height},
	}
	out.FieldConfig.Defaults = field{Unit: p.Unit, Min: 0}
	out.FieldConfig.Overrides = []struct{}{}
	out.Options.Legend = legend{DisplayMode: "list", Placement: "bottom", ShowLegend: true, Calcs: []string{}}
	out.Options.Tooltip = tooltip{Mode: "multi", Sort: "desc"}
	for j, q := range p.Queries {
		out.Targets = append(out.Targets, query{RefID: string(rune('A' + j)), Datasource: source, Expr: q.Expr, LegendFormat: q.Legend})
	}
	return out
}
