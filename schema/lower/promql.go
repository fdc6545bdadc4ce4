package lower

import (
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

// matchers are the label matchers of a map in the options tree.
func matchers(labels *topology.Tree) []string {
	var out []string
	for _, name := range labels.Keys() {
		out = append(out, is(name, topology.Get[string](labels, name).V))
	}
	return out
}

// perProxy aggregates over what one scraped proxy process says.
func perProxy(aggregation, expr string) string {
	return aggregation + " by (job, instance) (" + expr + ")"
}

// rate is the increase per second over five minutes.
func rate(counter string) string { return "rate(" + counter + "[5m])" }
