package lower

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// The functions of this file write PromQL the way its parser prints it, so that a rule file reads back as the same text.

// metric is a selector: a metric name and its matchers, in the order of their text.
func metric(name string, matchers ...string) string {
	if len(matchers) == 0 {
		return name
	}
	return name + "{" + strings.Join(slices.Sorted(slices.Values(matchers)), ",") + "}"
}

// is and isNot are matchers of one label.
func is(label, value string) string    { return label + "=" + strconv.Quote(value) }
func isNot(label, value string) string { return label + "!=" + strconv.Quote(value) }

// selection are the labels by which the user's own scrape configuration, if there is one, tells a cluster's exporters.
type selection map[string]string

func selectionOf(options *topology.Tree, exporter string) selection {
	return labelsOf(options.Get("select", exporter))
}

// labelsOf reads a map of labels. An empty label is none.
func labelsOf(labels *topology.Tree) map[string]string {
	out := map[string]string{}
	for _, name := range labels.Keys() {
		if value := topology.Get[string](labels, name).V; value != "" {
			out[name] = value
		}
	}
	return out
}

// matchers are those that hold for every series of the exporters.
func (s selection) matchers() []string {
	var out []string
	for name, value := range s {
		out = append(out, is(name, value))
	}
	return out
}

// withJob is the selection of the scrape itself: by job, ours unless the user names his.
func (s selection) withJob(job string) selection {
	out := selection{"job": job}
	maps.Copy(out, s)
	return out
}

// perProxy aggregates over what one scraped proxy process says.
func perProxy(aggregation, expr string) string {
	return aggregation + " by (job, instance) (" + expr + ")"
}

// rate is the increase per second over five minutes.
func rate(counter string) string { return "rate(" + counter + "[5m])" }
