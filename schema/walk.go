package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// walker is phase 2: it goes through schema and spec together, leaf by leaf. CUE's own validation of the whole hides
// unknown and missing fields beside other errors, and has no position of the user's for them.
type walker struct {
	*loader
	shapes *shapes
	schema cue.Value
	defs   map[string]cue.Value // definitions that were looked up
	memo   map[[2]string]bool   // does a definition admit a string?
	around diag.Span            // of the struct that is walked
}

func newWalker(l *loader, s *shapes) *walker {
	return &walker{loader: l, shapes: s, schema: l.ctx.BuildFile(s.leaves), defs: map[string]cue.Value{}, memo: map[[2]string]bool{}}
}

// spec walks a whole spec: the trees of its clusters, sorted by name, with defaults filled in.
func (w *walker) spec(v cue.Value) (trees []*topology.Tree, fleet bool) {
	single, many := w.shapes.def("#Spec"), w.shapes.def("#Fleet")
	top := w.span(v)
	if !v.LookupPath(cue.ParsePath("clusters")).Exists() {
		if v.LookupPath(cue.ParsePath("defaults")).Exists() {
			w.diags.Error(w.span(v.LookupPath(cue.ParsePath("defaults"))), "spec",
				`"defaults" stands without "clusters", so there is nothing to fill; need "clusters"`, "")
			return nil, false
		}
		t := w.walk(v, single, nil)
		w.complete(t, single, nil)
		return []*topology.Tree{t}, false
	}
	for _, f := range single.fields {
		if own := v.LookupPath(cue.ParsePath(f.name)); own.Exists() {
			w.diags.Error(w.span(own), "spec", fmt.Sprintf(
				"%q stands beside \"clusters\", so it belongs to none of them; need it in an entry, or below \"defaults\"", f.name),
				"move it below \"defaults\"")
		}
	}
	if len(w.diags) > 0 {
		return nil, true
	}
	t := w.walk(v, many, nil)
	clusters := t.Get("clusters")
	if clusters.Fields != nil && len(clusters.Fields) == 0 {
		w.diags.Error(clusters.At(top), "spec", "clusters is empty, so there is nothing to build; need at least one entry", "")
	}
	for _, name := range clusters.Keys() {
		trees = append(trees, w.entry(name, clusters.Fields[name], t.Get("defaults"), single))
	}
	return trees, true
}

// entry is one cluster of a fleet.
func (w *walker) entry(name string, t, defaults *topology.Tree, sh *shape) *topology.Tree {
	own := t
	t = merge(t, defaults)
	for _, given := range []*topology.Tree{own.Get("cluster", "name"), defaults.Get("cluster", "name")} {
		if given != nil {
			w.diags.Error(given.Span, "spec", fmt.Sprintf(
				"cluster.name is stated in a fleet, where the key %q already names the cluster; need it once", name), "remove it")
		}
	}
	if c := t.Get("cluster"); c != nil && c.Fields != nil {
		c.Fields["name"] = &topology.Tree{Leaf: name, Span: own.Span}
	}
	w.complete(t, sh, []string{"clusters", name})
	return t
}

// merge fills into own, leaf by leaf, what only shared has. A list is a leaf.
func merge(own, shared *topology.Tree) *topology.Tree {
	if own == nil {
		own, shared = shared, nil
	}
	if own == nil || own.Fields == nil {
		return own
	}
	out := &topology.Tree{Span: own.Span, Fields: make(map[string]*topology.Tree, len(own.Fields))}
	for k, v := range own.Fields {
		out.Fields[k] = merge(v, shared.Get(k))
	}
	if shared != nil {
		for k, v := range shared.Fields {
			if own.Fields[k] == nil {
				out.Fields[k] = merge(v, nil)
			}
		}
	}
	return out
}

// walk checks a value against a shape. What is wrong is reported, and stands in the tree as an empty one.
func (w *walker) walk(v cue.Value, sh *shape, path []string) *topology.Tree {
	v, _ = v.Default()
	switch {
	case sh.isStruct:
		return w.structure(v, sh, path)
	case sh.list:
		return w.list(v, sh, path)
	}
	return w.leaf(v, sh, path)
}

func (w *walker) structure(v cue.Value, sh *shape, path []string) *topology.Tree {
	if v.IncompleteKind() != cue.StructKind {
		w.mismatch(v, path, "need fields in braces", "")
		return &topology.Tree{}
	}
	t := &topology.Tree{Span: w.span(v), Fields: map[string]*topology.Tree{}}
	defer func(outer diag.Span) { w.around = outer }(w.around)
	w.around = t.Span
	for it, _ := v.Fields(); it.Next(); {
		name := it.Selector().Unquoted()
		at := append(slices.Clip(path), name)
		f := sh.byName[name]
		switch {
		case f != nil:
			t.Fields[name] = w.walk(it.Value(), f.shape, at)
		case sh.elem != nil:
			if sh.key != nil && !w.admits(sh.key.defs, w.ctx.Encode(name), name) {
				w.diags.Error(w.label(it.Value()), "spec",
					fmt.Sprintf("%s: the name is %s; need %s", dotted(path), shorten(quote(name), longestValue), sh.key.need), "")
				continue
			}
			t.Fields[name] = w.walk(it.Value(), sh.elem, at)
		default:
			w.unknown(it.Value(), sh, path, name)
		}
	}
	return t
}

func (w *walker) unknown(v cue.Value, sh *shape, path []string, name string) {
	var names []string
	for _, f := range sh.fields {
		names = append(names, f.name)
	}
	hint := ""
	if len(names) > 0 {
		hint = "known here: " + strings.Join(names, ", ")
	}
	if near := Nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else if where := w.elsewhere(name); where != "" {
		hint = fmt.Sprintf("%q belongs below %q", name, where)
	}
	w.diags.Error(w.label(v), "spec", fmt.Sprintf("%s has no field %s", dotted(path), shorten(quote(name), longestValue)), hint)
}

// elsewhere is the block of the spec that has a field of that name, where exactly one has.
func (w *walker) elsewhere(name string) string {
	found := ""
	for _, f := range w.shapes.def("#Spec").fields {
		if f.byName[name] != nil {
			if found != "" {
				return ""
			}
			found = f.name
		}
	}
	return found
}

func (w *walker) list(v cue.Value, sh *shape, path []string) *topology.Tree {
	it, err := v.List()
	if err != nil {
		w.mismatch(v, path, "need a list in brackets", "")
		return &topology.Tree{}
	}
	t := &topology.Tree{Span: w.span(v), List: []*topology.Tree{}}
	for i := 0; it.Next(); i++ {
		t.List = append(t.List, w.walk(it.Value(), sh.elem, append(slices.Clip(path), fmt.Sprintf("[%d]", i))))
	}
	return t
}

func (w *walker) leaf(v cue.Value, sh *shape, path []string) *topology.Tree {
	val, ok := goValue(v)
	if !v.IsConcrete() || !ok || !w.fits(v, val, sh) {
		w.mismatch(v, path, "need "+sh.need, w.respelled(v, sh))
		return &topology.Tree{}
	}
	return &topology.Tree{Leaf: val, Span: w.span(v)}
}

// truths are what other YAML readers take for a boolean.
var truths = map[string]bool{"yes": true, "on": true, "true": true, "no": false, "off": false, "false": false}

// respelled is the hint for a value that its place admits in another spelling, or "".
func (w *walker) respelled(v cue.Value, sh *shape) string {
	if !v.IsConcrete() {
		return ""
	}
	text, err := v.String()
	if err != nil { // no text
		number := fmt.Sprint(v)
		switch quoted, unit := w.ctx.Encode(number), w.ctx.Encode(number+"s"); {
		case v.Kind()&cue.NumberKind == 0:
		case w.fits(quoted, number, sh):
			return fmt.Sprintf("put it in quotes: %q", number)
		case w.fits(unit, number+"s", sh):
			return fmt.Sprintf("write it with its unit, in quotes: %q", number+"s")
		}
		return ""
	}
	if truth, ok := truths[strings.ToLower(text)]; ok && sh.basic == cue.BoolKind {
		return fmt.Sprintf("write %t, without quotes", truth)
	}
	if n, err := strconv.Atoi(text); err == nil && w.fits(w.ctx.Encode(n), n, sh) {
		return fmt.Sprintf("write %d, without quotes", n)
	}
	return ""
}

func (w *walker) fits(v cue.Value, val any, sh *shape) bool {
	if sh.basic != 0 {
		return v.Kind() == sh.basic
	}
	if slices.Contains(sh.enum, val) {
		return true
	}
	s, _ := val.(string)
	return w.admits(sh.defs, v, s)
}

// admits reports whether any of the definitions admits a value; text is the value where it is a string.
func (w *walker) admits(defs []string, v cue.Value, text string) bool {
	for _, d := range defs {
		key := [2]string{d, text}
		ok, seen := false, false
		if v.Kind() == cue.StringKind {
			ok, seen = w.memo[key]
		}
		if !seen {
			ok = w.definition(d).Unify(v).Validate() == nil
			if v.Kind() == cue.StringKind {
				w.memo[key] = ok
			}
		}
		if ok {
			return true
		}
	}
	return false
}

func (w *walker) definition(name string) cue.Value {
	v, ok := w.defs[name]
	if !ok {
		v = w.schema.LookupPath(cue.ParsePath(name))
		w.defs[name] = v
	}
	return v
}

func goValue(v cue.Value) (any, bool) {
	switch v.Kind() {
	case cue.StringKind:
		s, err := v.String()
		return s, err == nil
	case cue.IntKind:
		n, err := v.Int64()
		return int(n), err == nil && int64(int(n)) == n
	case cue.BoolKind:
		b, err := v.Bool()
		return b, err == nil
	}
	return nil, false
}

// longestValue is how much of a value a message holds, in runes.
const longestValue = 80

// mismatch reports a value that its place does not admit.
func (w *walker) mismatch(v cue.Value, path []string, need, hint string) {
	var is string
	switch {
	case v.Err() != nil && !v.IsConcrete():
		is = "has no value: " + tidy(strings.TrimPrefix(v.Err().Error(), strings.Join(path, ".")+": "))
	case v.IsConcrete() && v.Kind() == cue.FloatKind:
		is = fmt.Sprintf("is the number %v", v)
	case v.IsConcrete() && (v.Kind() == cue.StringKind || v.Kind() == cue.BoolKind):
		val, _ := goValue(v)
		is = "is " + shorten(quote(val), longestValue)
	case v.IsConcrete() && v.Kind() == cue.IntKind:
		is = "is " + shorten(fmt.Sprint(v), longestValue)
	case v.IncompleteKind() == cue.StructKind:
		is = "is a struct"
	case v.IncompleteKind() == cue.ListKind:
		is = "is a list"
	case v.Kind() == cue.NullKind:
		is = "is null"
		if len(path) > 0 {
			hint = "leave it out instead"
		}
	default:
		is = fmt.Sprintf("is not a single value (%v)", v.IncompleteKind())
	}
	w.diags.Error(w.span(v), "spec", fmt.Sprintf("%s %s; %s", dotted(path), is, need), hint)
}

// complete reports what is required and missing, and fills in the table of defaults.
func (w *walker) complete(t *topology.Tree, sh *shape, path []string) {
	if sh.elem != nil && !sh.list {
		for _, k := range t.Keys() {
			w.complete(t.Fields[k], sh.elem, append(slices.Clip(path), k))
		}
	}
	if t.Fields == nil {
		return
	}
	for _, f := range sh.fields {
		at := append(slices.Clip(path), f.name)
		c := t.Fields[f.name]
		switch {
		case c != nil && f.isStruct:
			w.complete(c, f.shape, at)
		case c != nil:
		case f.fill:
			c = &topology.Tree{Span: t.Span, Defaulted: true, Fields: map[string]*topology.Tree{}}
			t.Fields[f.name] = c
			w.complete(c, f.shape, at)
		case f.def != nil:
			t.Fields[f.name] = &topology.Tree{Leaf: f.def, Span: t.Span, Defaulted: true}
		case !f.optional:
			need := f.need
			if f.isStruct {
				need = "a struct"
				if f.doc != "" {
					need = strings.ToLower(f.doc[:1]) + strings.TrimSuffix(f.doc[1:], ".")
				}
			}
			w.diags.Error(t.Span, "spec", fmt.Sprintf("%s has no %q; need %s", dotted(path), f.name, need), "")
		}
	}
}

// span is where a value stands; of a struct, where it begins. What has no place, as a field that YAML merges in, is
// where the struct around it is.
func (w *walker) span(v cue.Value) diag.Span {
	var at diag.Span
	switch src := v.Source().(type) {
	case *ast.Field:
		if lit, ok := src.Value.(*ast.BasicLit); ok {
			at = w.src.node(lit)
		} else {
			at = w.src.node(src)
		}
	case *ast.BasicLit:
		at = w.src.node(src)
	default:
		at = w.src.span(v.Pos(), token.NoPos)
	}
	switch {
	case at.Line > 0:
		return at
	case w.around.Line > 0:
		return w.around
	}
	return w.whole()
}

// label is where the name of a field stands.
func (w *walker) label(v cue.Value) diag.Span {
	if f, ok := v.Source().(*ast.Field); ok && f.Label.Pos().IsValid() {
		return w.src.node(f)
	}
	return w.span(v)
}
