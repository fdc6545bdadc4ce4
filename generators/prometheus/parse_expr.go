package prometheus

import (
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// selectors are the series that an expression reads.
func selectors(e parser.Expr) []topology.Selector {
	var out []topology.Selector
	parser.Inspect(e, func(n parser.Node, above []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			s := selector(v)
			s.Either = slices.ContainsFunc(above, isOr)
			out = append(out, s)
		}
		return nil
	})
	return out
}

func isOr(n parser.Node) bool {
	b, ok := n.(*parser.BinaryExpr)
	return ok && b.Op == parser.LOR
}

func selector(v *parser.VectorSelector) topology.Selector {
	s := topology.Selector{Metric: v.Name, Labels: map[string]string{}}
	for _, m := range v.LabelMatchers {
		switch {
		case m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual:
			s.Metric = m.Value
		case m.Name == model.MetricNameLabel:
		case m.Type == labels.MatchEqual:
			s.Labels[m.Name] = m.Value
		case !m.Matches(""):
			s.Needs = append(s.Needs, m.Name)
		}
	}
	return s
}

// comparisons are those of series with numbers.
func comparisons(e parser.Expr) []topology.Comparison {
	var c comparer
	c.visit(e, true)
	return c.found
}

type comparer struct{ found []topology.Comparison }

// visit looks for comparisons. Deciding ones are not restricted by what is around them: where they hold, the whole
// expression has a result.
func (c *comparer) visit(e parser.Expr, deciding bool) {
	switch e := e.(type) {
	case *parser.ParenExpr:
		c.visit(e.Expr, deciding)
	case *parser.AggregateExpr:
		c.visit(e.Expr, deciding)
	case *parser.SubqueryExpr:
		c.visit(e.Expr, deciding)
	case *parser.Call:
		for _, arg := range e.Args {
			c.visit(arg, deciding && !strings.HasPrefix(e.Func.Name, "absent"))
		}
	case *parser.BinaryExpr:
		c.compare(e, deciding)
		deciding = deciding && e.Op == parser.LOR
		c.visit(e.LHS, deciding)
		c.visit(e.RHS, deciding)
	}
}

// compare takes a comparison in, with the number on the right.
func (c *comparer) compare(e *parser.BinaryExpr, deciding bool) {
	if !e.Op.IsComparisonOperator() {
		return
	}
	op, series := e.Op.String(), e.LHS
	value, ok := number(e.RHS)
	if !ok {
		if value, ok = number(e.LHS); !ok {
			return
		}
		op, series = mirrored(op), e.RHS
	}
	if s, functions, ok := chain(series); ok {
		c.found = append(c.found, topology.Comparison{
			Of: s, Functions: functions, Op: op, Number: value, Bool: e.ReturnBool, Decides: deciding,
		})
	}
}

// mirrored is an operator with its sides changed.
func mirrored(op string) string {
	return strings.NewReplacer("<", ">", ">", "<").Replace(op)
}

func number(e parser.Expr) (float64, bool) {
	switch e := e.(type) {
	case *parser.NumberLiteral:
		return e.Val, true
	case *parser.ParenExpr:
		return number(e.Expr)
	case *parser.UnaryExpr:
		v, ok := number(e.Expr)
		if e.Op == parser.SUB {
			v = -v
		}
		return v, ok
	}
	return 0, false
}

// chain is the one selector of an expression and the functions and aggregations that are applied to it, from the
// inside; false where there is more to the expression.
func chain(e parser.Expr) (topology.Selector, []string, bool) {
	switch e := e.(type) {
	case *parser.VectorSelector:
		return selector(e), nil, true
	case *parser.MatrixSelector:
		return chain(e.VectorSelector)
	case *parser.SubqueryExpr:
		return chain(e.Expr)
	case *parser.ParenExpr:
		return chain(e.Expr)
	case *parser.AggregateExpr:
		return applied(e.Expr, e.Op.String())
	case *parser.Call:
		series := slices.DeleteFunc(slices.Clone(e.Args), func(a parser.Expr) bool {
			return a.Type() != parser.ValueTypeVector && a.Type() != parser.ValueTypeMatrix
		})
		if len(series) == 1 {
			return applied(series[0], e.Func.Name)
		}
	}
	return topology.Selector{}, nil, false
}

func applied(e parser.Expr, function string) (topology.Selector, []string, bool) {
	s, functions, ok := chain(e)
	return s, append(functions, function), ok
}
