package terraform

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
	"github.com/zclconf/go-cty/cty"
)

// Bounds on what one folder may cost to evaluate: its values may refer to each other and so multiply.
const (
	maxSteps  = 1_000_000
	maxText   = 64 << 10
	maxLength = 4096
	maxDepth  = 500

	maxResources = 10_000 // written out
	maxInstances = 10_000 // that count, for_each and dynamic blocks make, in all
)

// scope is where an expression is evaluated: the folder's variables and locals, and the iterators around it.
type scope struct {
	folder *folder
	// iterators are "each", "count" and those of dynamic blocks, as maps.
	iterators map[string]value
	depth     int
}

// with is the scope inside of one more iterator.
func (s scope) with(name string, v value) scope {
	out := scope{folder: s.folder, iterators: map[string]value{name: v}, depth: s.depth}
	for key, old := range s.iterators {
		if key != name {
			out.iterators[key] = old
		}
	}
	return out
}

// eval reads literals, variables, locals, and what is made of them by operators and a few functions.
// Everything else is unknown, but for the resources that it mentions.
func (s scope) eval(e hclsyntax.Expression) value {
	s.folder.steps++
	s.depth++
	if s.folder.steps > maxSteps || s.depth > maxDepth {
		return unknown(e.Range())
	}
	switch e := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return s.eval(e.Expression)
	case *hclsyntax.LiteralValueExpr:
		return literal(e)
	case *hclsyntax.TemplateExpr:
		return s.template(e)
	case *hclsyntax.TemplateWrapExpr:
		return s.eval(e.Wrapped)
	case *hclsyntax.TupleConsExpr:
		return s.tuple(e)
	case *hclsyntax.ObjectConsExpr:
		return s.object(e)
	case *hclsyntax.ScopeTraversalExpr:
		return s.traversal(e)
	case *hclsyntax.RelativeTraversalExpr:
		return follow(s.eval(e.Source), e.Traversal)
	case *hclsyntax.IndexExpr:
		return s.eval(e.Collection).field(s.eval(e.Key))
	case *hclsyntax.SplatExpr:
		return unknown(e.Range(), s.eval(e.Source).mentions()...)
	case *hclsyntax.ConditionalExpr:
		return s.conditional(e)
	case *hclsyntax.BinaryOpExpr:
		return s.binary(e)
	case *hclsyntax.UnaryOpExpr:
		return s.unary(e)
	case *hclsyntax.FunctionCallExpr:
		return s.call(e)
	}
	return unknown(e.Range())
}

func literal(e *hclsyntax.LiteralValueExpr) value {
	out := value{at: e.SrcRange}
	switch {
	case !e.Val.IsKnown():
	case e.Val.IsNull():
		out.data = null{}
	case e.Val.Type() == cty.String:
		out.data = e.Val.AsString()
	case e.Val.Type() == cty.Number:
		out.data, _ = e.Val.AsBigFloat().Float64()
	case e.Val.Type() == cty.Bool:
		out.data = e.Val.True()
	}
	return out
}

func (s scope) template(e *hclsyntax.TemplateExpr) value {
	var (
		text string
		refs []string
		ok   = true
	)
	for _, part := range e.Parts {
		v := s.eval(part)
		refs = union(refs, v.refs)
		if !ok {
			continue
		}
		t, known := v.text()
		if ok = known && len(text)+len(t) <= maxText; ok {
			text += t
		}
	}
	switch {
	case ok:
		return value{data: text, at: e.Range()}
	case text != "": // how it begins may say enough
		return value{data: text + topology.Hole, at: e.Range(), refs: refs}
	}
	return unknown(e.Range(), refs...)
}

func (s scope) tuple(e *hclsyntax.TupleConsExpr) value {
	items := make([]value, 0, len(e.Exprs))
	for _, item := range e.Exprs {
		items = append(items, s.eval(item))
	}
	return value{data: items, at: e.Range()}
}

func (s scope) object(e *hclsyntax.ObjectConsExpr) value {
	out := &mapping{fields: map[string]value{}}
	for _, item := range e.Items {
		key, ok := hcl.ExprAsKeyword(item.KeyExpr), true
		if key == "" {
			key, ok = s.key(item.KeyExpr)
		}
		if !ok {
			out.open = true
			continue
		}
		out.put(key, s.eval(item.ValueExpr))
	}
	return value{data: out, at: e.Range()}
}

func (s scope) key(e hclsyntax.Expression) (string, bool) {
	if k, ok := e.(*hclsyntax.ObjectConsKeyExpr); ok {
		e = k.Wrapped
	}
	return s.eval(e).text()
}

func (s scope) traversal(e *hclsyntax.ScopeTraversalExpr) value {
	root, rest := e.Traversal.RootName(), e.Traversal[1:]
	if v, ok := s.iterators[root]; ok {
		return follow(v, rest)
	}
	if root == "var" || root == "local" {
		if step, ok := first(rest); ok {
			v := s.folder.named(root+"."+step, s.depth)
			if !v.known() {
				v.at = e.Range()
			}
			return follow(v, rest[1:])
		}
	}
	if address := resourceOf(e.Traversal); address != "" {
		return unknown(e.Range(), address)
	}
	return unknown(e.Range())
}

// first is the name that a traversal goes on with.
func first(t hcl.Traversal) (string, bool) {
	if len(t) == 0 {
		return "", false
	}
	step, ok := t[0].(hcl.TraverseAttr)
	return step.Name, ok
}

// follow walks into a value.
func follow(v value, t hcl.Traversal) value {
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseAttr:
			v = v.field(value{data: step.Name})
		case hcl.TraverseIndex:
			v = v.field(literal(&hclsyntax.LiteralValueExpr{Val: step.Key}))
		default:
			return unknown(v.at, v.refs...)
		}
	}
	return v
}

func (s scope) conditional(e *hclsyntax.ConditionalExpr) value {
	yes, ok := s.eval(e.Condition).truth()
	switch {
	case !ok:
		out := unknown(e.Range(), union(s.eval(e.TrueResult).mentions(), s.eval(e.FalseResult).mentions())...)
		out.choice = true
		return out
	case yes:
		return s.eval(e.TrueResult)
	}
	return s.eval(e.FalseResult)
}

func (s scope) binary(e *hclsyntax.BinaryOpExpr) value {
	left, right := s.eval(e.LHS), s.eval(e.RHS)
	switch e.Op {
	case hclsyntax.OpEqual, hclsyntax.OpNotEqual:
		if same, ok := equal(left, right); ok {
			return value{data: same == (e.Op == hclsyntax.OpEqual), at: e.Range()}
		}
	case hclsyntax.OpLogicalAnd, hclsyntax.OpLogicalOr:
		x, okX := left.truth()
		y, okY := right.truth()
		decides := e.Op == hclsyntax.OpLogicalOr // the operand that settles the matter alone
		switch {
		case okX && x == decides, okY && y == decides:
			return value{data: decides, at: e.Range()}
		case okX && okY:
			return value{data: !decides, at: e.Range()}
		}
	case hclsyntax.OpAdd, hclsyntax.OpMultiply:
		x, okX := left.whole()
		y, okY := right.whole()
		switch {
		case okX && okY && e.Op == hclsyntax.OpMultiply:
			return value{data: float64(x) * float64(y), at: e.Range()}
		case okX && okY:
			return value{data: float64(x + y), at: e.Range()}
		}
	case hclsyntax.OpGreaterThan, hclsyntax.OpLessThan:
		x, okX := left.whole()
		y, okY := right.whole()
		if okX && okY {
			return value{data: e.Op == hclsyntax.OpGreaterThan && x > y || e.Op == hclsyntax.OpLessThan && x < y, at: e.Range()}
		}
	}
	return unknown(e.Range())
}

func (s scope) unary(e *hclsyntax.UnaryOpExpr) value {
	v := s.eval(e.Val)
	switch d := v.data.(type) {
	case bool:
		if e.Op == hclsyntax.OpLogicalNot {
			return value{data: !d, at: e.Range()}
		}
	case float64:
		if e.Op == hclsyntax.OpNegate {
			return value{data: -d, at: e.Range()}
		}
	}
	return unknown(e.Range())
}

// call evaluates the functions by which facts are commonly put together.
func (s scope) call(e *hclsyntax.FunctionCallExpr) value {
	args := make([]value, len(e.Args))
	var refs []string
	for i, arg := range e.Args {
		args[i] = s.eval(arg)
		refs = union(refs, args[i].mentions())
	}
	out := unknown(e.Range(), refs...)
	if e.ExpandFinal || len(args) == 0 {
		return out
	}
	switch e.Name {
	case "tostring", "tonumber", "tobool", "tolist", "tomap":
		return args[0]
	case "toset":
		return toset(args[0])
	case "length":
		if items, ok := args[0].items(); ok {
			out.data = float64(len(items))
		}
	case "concat":
		return concat(args, out)
	case "merge":
		return merge(args, out)
	}
	return out
}

// toset drops repeated strings and keeps the order in which they are written.
func toset(v value) value {
	items, ok := v.items()
	if !ok {
		return v
	}
	seen := map[string]bool{}
	items = slices.DeleteFunc(slices.Clone(items), func(item value) bool {
		t, known := item.text()
		repeated := known && seen[t]
		seen[t] = known || seen[t]
		return repeated
	})
	return value{data: items, at: v.at}
}

func concat(args []value, out value) value {
	var all []value
	for _, arg := range args {
		items, ok := arg.items()
		if !ok || len(all)+len(items) > maxLength {
			return out
		}
		all = append(all, items...)
	}
	out.data = all
	return out
}

// merge knows the keys of the last maps even where an earlier one is unknown.
func merge(args []value, out value) value {
	all := &mapping{fields: map[string]value{}}
	for _, arg := range args {
		m, ok := arg.data.(*mapping)
		if !ok {
			all = &mapping{fields: map[string]value{}, open: true}
			continue
		}
		all.open = all.open || m.open
		for _, key := range m.keys {
			all.put(key, m.fields[key])
		}
		if len(all.keys) > maxLength {
			return out
		}
	}
	out.data = all
	return out
}
