package schema

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
)

// Source is the schema in CUE.
//
//go:embed spec.cue
var Source []byte

// shape is what the schema allows at one place: fields, a map, a list or a leaf.
type shape struct {
	fields   []*field // of a struct, in the schema's order
	byName   map[string]*field
	elem     *shape // of a map or list
	key      *shape // of a map: what its keys must be
	list     bool
	isStruct bool
	defs     []string // of a leaf: definitions, any of which it may match
	enum     []any    // of a leaf: its values, where they are listed
	basic    cue.Kind // of a leaf: a bare type
	need     string   // of a leaf: what is needed, for messages
}

type field struct {
	name     string
	optional bool
	doc      string
	def      any  // what holds where it is left out, or nil
	fill     bool // a struct that stands even where it is left out, since defaults stand below it
	*shape
}

// shapes reads the schema's own syntax, once a process: what CUE's evaluator knows of a schema it cannot enumerate
// next to a user's errors.
type shapes struct {
	leaves *ast.File // the definitions of leaves alone: all that is left for CUE to evaluate
	defs   map[string]*ast.Field
	built  map[string]*shape
}

func newShapes() (*shapes, error) {
	f, err := parser.ParseFile("spec.cue", Source, parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("embedded schema: %w", err)
	}
	s := &shapes{leaves: &ast.File{Filename: f.Filename}, defs: map[string]*ast.Field{}, built: map[string]*shape{}}
	for _, d := range f.Decls {
		fd, ok := d.(*ast.Field)
		if ok {
			name, _, err := ast.LabelName(fd.Label)
			if err != nil {
				return nil, fmt.Errorf("embedded schema: %w", err)
			}
			s.defs[name] = fd
		}
		if !ok || !isStruct(fd) {
			s.leaves.Decls = append(s.leaves.Decls, d)
		}
	}
	return s, nil
}

func isStruct(d *ast.Field) bool {
	_, ok := d.Value.(*ast.StructLit)
	return ok
}

// def is the shape of a definition.
func (s *shapes) def(name string) *shape {
	if sh, ok := s.built[name]; ok {
		return sh
	}
	sh := &shape{}
	s.built[name] = sh
	d := s.defs[name]
	if lit, ok := d.Value.(*ast.StructLit); ok {
		s.fill(sh, lit, d)
		return sh
	}
	*sh = shape{defs: []string{name}, need: doc(d)}
	return sh
}

func (s *shapes) expr(e ast.Expr, in *ast.Field) *shape {
	switch e := e.(type) {
	case *ast.Ident:
		if strings.HasPrefix(e.Name, "#") {
			return s.def(e.Name)
		}
		return &shape{basic: cue.BoolKind, need: "true or false"}
	case *ast.StructLit:
		sh := &shape{}
		s.fill(sh, e, in)
		return sh
	case *ast.ListLit:
		return &shape{list: true, elem: s.expr(e.Elts[0].(*ast.Ellipsis).Type, in)}
	case *ast.BasicLit:
		v := literal(e)
		return &shape{enum: []any{v}, need: quote(v)}
	case *ast.BinaryExpr:
		a, b := s.expr(e.X, in), s.expr(e.Y, in)
		return &shape{
			defs: append(a.defs, b.defs...),
			enum: append(a.enum, b.enum...),
			need: strings.Replace(a.need, " or ", ", ", len(a.enum)) + " or " + b.need,
		}
	}
	panic(fmt.Sprintf("schema: unexpected syntax %T", e))
}

func (s *shapes) fill(sh *shape, lit *ast.StructLit, in *ast.Field) {
	sh.isStruct, sh.byName = true, map[string]*field{}
	for _, d := range lit.Elts {
		if e, ok := d.(*ast.EmbedDecl); ok { // another definition's fields
			for _, f := range s.expr(e.Expr, in).fields {
				own := *f
				sh.fields = append(sh.fields, &own)
				sh.byName[own.name] = &own
			}
			continue
		}
		fd, ok := d.(*ast.Field)
		if !ok {
			continue
		}
		if _, ok := fd.Label.(*ast.ListLit); ok { // [string]: elem
			sh.elem = s.expr(fd.Value, fd)
			for _, a := range in.Attrs {
				if name, body := a.Split(); name == "key" {
					sh.key = s.def(body)
				}
			}
			continue
		}
		name, _, err := ast.LabelName(fd.Label)
		if err != nil {
			panic(err)
		}
		f := &field{name: name, optional: fd.Constraint == token.OPTION, doc: doc(fd), shape: s.expr(fd.Value, fd)}
		sh.fields = append(sh.fields, f)
		sh.byName[name] = f
	}
}

func literal(e *ast.BasicLit) any {
	if e.Kind == token.STRING {
		v, err := strconv.Unquote(e.Value)
		if err != nil {
			panic(err)
		}
		return v
	}
	v, err := strconv.Atoi(e.Value)
	if err != nil {
		panic(err)
	}
	return v
}

func quote(v any) string {
	if s, ok := v.(string); ok {
		return strconv.Quote(s)
	}
	return fmt.Sprint(v)
}

func doc(n ast.Node) string {
	var lines []string
	for _, g := range ast.Comments(n) {
		if g.Doc {
			for _, c := range g.List {
				lines = append(lines, strings.TrimSpace(strings.TrimPrefix(c.Text, "//")))
			}
		}
	}
	return strings.Join(lines, " ")
}

// setDefaults puts the table of defaults at the fields of the spec's shape.
func setDefaults(sh *shape, path string) (any bool) {
	if sh.elem != nil && !sh.list {
		setDefaults(sh.elem, path+"*.")
	}
	for _, f := range sh.fields {
		at := path + f.name
		if v, ok := defaults[at]; ok {
			f.def, any = v, true
		}
		if f.isStruct && setDefaults(f.shape, at+".") && !optional[at] {
			f.fill, any = f.optional, true
		}
	}
	return any
}
