package lower

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// promql is an expression, spelled and laid out as the PromQL parser prints it, so that a rule file reads back as the
// same text.
type promql struct {
	line   string // on one line
	layout string // broken where that line is too long
	reads  []topology.Selector

	number    float64            // where it is one
	of        *topology.Selector // the one that is read, where nothing but functions is applied to it
	functions []string           // from the inside
	compares  []topology.Comparison
}

// longestLine is how long an expression may be until it is broken, in bytes.
const longestLine = 100

// scalar is a number.
func scalar(text string) promql {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err) // our own number
	}
	return promql{line: text, layout: text, number: n}
}

// count is a whole number.
func count(n int) promql { return scalar(strconv.Itoa(n)) }

// metric is a selector: a metric's name and its matchers, in the order of their text.
func metric(name string, matchers ...matcher) promql {
	matchers = slices.Clone(matchers)
	slices.SortFunc(matchers, func(a, b matcher) int { return strings.Compare(a.text, b.text) })
	read := topology.Selector{Metric: name, Labels: make(map[string]string, len(matchers))}
	var line strings.Builder
	line.WriteString(name)
	separator := "{"
	for _, m := range matchers {
		line.WriteString(separator)
		line.WriteString(m.text)
		separator = ","
		if m.equal {
			read.Labels[m.label] = m.value
		}
	}
	if len(matchers) > 0 {
		line.WriteString("}")
	}
	return promql{line: line.String(), layout: line.String(), reads: []topology.Selector{read}, of: &read}
}

// over is what a selector holds in a time: 5m.
func (p promql) over(time string) promql {
	p.line += "[" + time + "]"
	p.layout = p.line
	return p
}

// op applies a binary operator, with the labels it matches on if any.
func (p promql) op(operator string, q promql) promql {
	out := promql{
		line: p.line + " " + operator + " " + q.line, reads: slices.Concat(p.reads, q.reads),
		compares: p.compared(operator, q),
	}
	out.layout = out.line
	if len(out.line) > longestLine {
		out.layout = p.indented() + "\n" + operator + "\n" + q.indented()
	}
	return out
}

// call applies a function, or an aggregation with what it aggregates by.
func call(function string, p promql) promql {
	out := promql{line: function + "(" + p.line + ")", reads: p.reads, of: p.of, compares: p.compares}
	name, _, _ := strings.Cut(function, " ")
	out.functions = append(slices.Clone(p.functions), name)
	out.layout = out.line
	if len(out.line) > longestLine {
		out.layout = function + "(\n" + p.indented() + "\n)"
	}
	return out
}

// compared are the comparisons of an operation: its own with a number, then those of its sides, which it restricts.
func (p promql) compared(operator string, q promql) []topology.Comparison {
	var out []topology.Comparison
	if strings.ContainsAny(operator, "<>=") && p.of != nil && len(q.reads) == 0 {
		out = append(out, topology.Comparison{Of: *p.of, Functions: p.functions, Op: operator, Number: q.number, Decides: true})
	}
	for _, c := range slices.Concat(p.compares, q.compares) {
		c.Decides = false
		out = append(out, c)
	}
	return out
}

func (p promql) indented() string { return "  " + strings.ReplaceAll(p.layout, "\n", "\n  ") }

// perProxy aggregates over what one scraped proxy process says.
func perProxy(aggregation string, p promql) promql {
	return call(aggregation+" by (job, instance) ", p)
}

// rate is the increase per second over five minutes.
func rate(counter promql) promql { return call("rate", counter.over("5m")) }

// matcher is what a selector asks of one label.
type matcher struct {
	text         string // as in PromQL
	label, value string
	equal        bool
}

func is(label, value string) matcher {
	return matcher{label + "=" + strconv.Quote(value), label, value, true}
}

func isNot(label, value string) matcher {
	return matcher{label + "!=" + strconv.Quote(value), label, value, false}
}

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
func (s selection) matchers() []matcher {
	var out []matcher
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
