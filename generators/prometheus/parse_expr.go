package prometheus

import (
	"regexp"
	"slices"
	"strings"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/prometheus/common/model"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// selectors are the series that an expression reads.
func selectors(e metricsql.Expr) []topology.Selector {
	var out []topology.Selector
	var visit func(e metricsql.Expr, around surroundings)
	visit = func(e metricsql.Expr, around surroundings) {
		switch e := e.(type) {
		case *metricsql.MetricExpr:
			s := selector(e)
			s.Either, s.By = around.either, around.by
			out = append(out, s)
		case *metricsql.RollupExpr:
			visit(e.Expr, around)
		case *metricsql.AggrFuncExpr:
			around.by = kept(e.Modifier, around.by)
			for _, arg := range e.Args {
				visit(arg, around)
			}
		case *metricsql.FuncExpr:
			if strings.HasPrefix(e.Name, "label_") { // may make the labels
				around.by = nil
			}
			for _, arg := range e.Args {
				visit(arg, around)
			}
		case *metricsql.BinaryOpExpr:
			around.either = around.either || isOr(e)
			if e.JoinModifier.Op != "" { // brings labels over from the other side
				around.by = nil
			}
			visit(e.Left, around)
			visit(e.Right, around)
		}
	}
	visit(e, surroundings{})
	return out
}

// surroundings are what is around a selector.
type surroundings struct {
	either bool     // something else may take its place
	by     []string // as Selector.By
}

// kept adds the labels backend and frontend by which an aggregation sorts.
func kept(m metricsql.ModifierExpr, by []string) []string {
	out := slices.Clone(by)
	for _, label := range m.Args {
		if strings.EqualFold(m.Op, "by") && (label == "backend" || label == "frontend") {
			out = append(out, label)
		}
	}
	return out
}

// isOr reports whether one side of an expression takes the other's place, as VictoriaMetrics' "default" has it too.
func isOr(e *metricsql.BinaryOpExpr) bool { return e.Op == "or" || e.Op == "default" }

func selector(e *metricsql.MetricExpr) topology.Selector {
	s := topology.Selector{Labels: map[string]string{}}
	if len(e.LabelFilterss) != 1 { // VictoriaMetrics' "or" between labels: neither need hold
		return s
	}
	for _, f := range e.LabelFilterss[0] {
		equal := !f.IsNegative && !f.IsRegexp
		switch {
		case f.Label == model.MetricNameLabel && equal:
			s.Metric = f.Value
		case f.Label == model.MetricNameLabel:
		case equal:
			s.Labels[f.Label] = f.Value
		case !admitsNone(f):
			s.Needs = append(s.Needs, f.Label)
		}
	}
	return s
}

// admitsNone reports whether series without the label pass a filter that is no equality.
func admitsNone(f metricsql.LabelFilter) bool {
	empty := f.Value == ""
	if f.IsRegexp {
		re, err := metricsql.CompileRegexpAnchored(f.Value)
		empty = err == nil && re.MatchString("")
	}
	return empty != f.IsNegative
}

// comparisons are those of series with numbers.
func comparisons(e metricsql.Expr) []topology.Comparison {
	var c comparer
	c.visit(e, true)
	return c.found
}

type comparer struct{ found []topology.Comparison }

// visit looks for comparisons. Deciding ones are not restricted by what is around them: where they hold, the whole
// expression has a result.
func (c *comparer) visit(e metricsql.Expr, deciding bool) {
	switch e := e.(type) {
	case *metricsql.RollupExpr:
		c.visit(e.Expr, deciding)
	case *metricsql.AggrFuncExpr:
		for _, arg := range e.Args {
			c.visit(arg, deciding)
		}
	case *metricsql.FuncExpr:
		for _, arg := range e.Args {
			c.visit(arg, deciding && !strings.HasPrefix(e.Name, "absent"))
		}
	case *metricsql.BinaryOpExpr:
		c.compare(e, deciding)
		deciding = deciding && isOr(e)
		c.visit(e.Left, deciding)
		c.visit(e.Right, deciding)
	}
}

// compare takes a comparison in, with the number on the right.
func (c *comparer) compare(e *metricsql.BinaryOpExpr, deciding bool) {
	if !metricsql.IsBinaryOpCmp(e.Op) {
		return
	}
	op, series := e.Op, e.Left
	value, ok := e.Right.(*metricsql.NumberExpr)
	if !ok {
		if value, ok = e.Left.(*metricsql.NumberExpr); !ok {
			return
		}
		op, series = mirrored(op), e.Right
	}
	if s, functions, ok := chain(series); ok {
		c.found = append(c.found, topology.Comparison{
			Of: s, Functions: functions, Op: op, Number: value.N, Bool: e.Bool, Decides: deciding,
		})
	}
}

// mirrored is an operator with its sides changed.
func mirrored(op string) string {
	return strings.NewReplacer("<", ">", ">", "<").Replace(op)
}

// chain is the one selector of an expression and the functions and aggregations that are applied to it, from the
// inside; false where there is more to the expression.
func chain(e metricsql.Expr) (topology.Selector, []string, bool) {
	switch e := e.(type) {
	case *metricsql.MetricExpr:
		return selector(e), nil, true
	case *metricsql.RollupExpr:
		return chain(e.Expr)
	case *metricsql.AggrFuncExpr:
		return applied(e.Args, e.Name)
	case *metricsql.FuncExpr:
		return applied(e.Args, e.Name)
	}
	return topology.Selector{}, nil, false
}

func applied(args []metricsql.Expr, function string) (topology.Selector, []string, bool) {
	series := slices.DeleteFunc(slices.Clone(args), isScalar)
	if len(series) != 1 {
		return topology.Selector{}, nil, false
	}
	s, functions, ok := chain(series[0])
	return s, append(functions, function), ok
}

func isScalar(e metricsql.Expr) bool {
	switch e := e.(type) {
	case *metricsql.NumberExpr, *metricsql.StringExpr:
		return true
	case *metricsql.FuncExpr:
		return e.Name == "scalar" || e.Name == "time" || e.Name == "pi"
	}
	return false
}

// oneLine is an expression whose layout is undone: Prometheus' own breaks lines behind brackets and indents.
func oneLine(expr string) string {
	return strings.TrimSpace(layout.ReplaceAllStringFunc(expr, func(part string) string {
		switch {
		case strings.ContainsAny(part[:1], "\"'`"):
			return part
		case part[0] == '(':
			return "("
		case part[len(part)-1] == ')':
			return ")"
		}
		return " "
	}))
}

// layout matches strings, and what parts the words between them.
var layout = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|` + "`[^`]*`" + `|\(` + gap + `|` + gap + `\)|` + gap)

const gap = `(?:\s|#.*\n)+`
