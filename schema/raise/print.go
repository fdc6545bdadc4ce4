package raise

import (
	"fmt"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/format"
	"cuelang.org/go/cue/token"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

// object is a struct in the order in which it is filled.
type object struct{ fields []ast.Decl }

// put adds a field, unless there is nothing to say: an empty list or object, or nil.
func (o *object) put(name string, value any) {
	var v ast.Expr
	switch value := value.(type) {
	case nil:
		return
	case *object:
		if value == nil || len(value.fields) == 0 {
			return
		}
		v = value.literal()
	case []string:
		if len(value) == 0 {
			return
		}
		list := &ast.ListLit{}
		for _, s := range value {
			list.Elts = append(list.Elts, ast.NewString(s))
		}
		v = list
	case string:
		v = ast.NewString(value)
	case bool:
		v = ast.NewBool(value)
	case int:
		v = ast.NewLit(token.INT, fmt.Sprint(value))
	default:
		panic(fmt.Sprintf("raise: unexpected %T", value))
	}
	o.fields = append(o.fields, &ast.Field{Label: label(name), Value: v})
}

// empty adds a struct without fields, which says that the thing is wanted.
func (o *object) empty(name string) {
	o.fields = append(o.fields, &ast.Field{Label: label(name), Value: ast.NewStruct()})
}

func (o *object) literal() *ast.StructLit { return &ast.StructLit{Elts: o.fields} }

var identifier = pattern.New(`^[A-Za-z][A-Za-z0-9]*$`)

func label(name string) ast.Label {
	if identifier.MatchString(name) {
		return ast.NewIdent(name)
	}
	return ast.NewString(name)
}

// text is the object as a file.
func (o *object) text(about string) ([]byte, error) {
	body, err := format.Node(&ast.File{Decls: o.fields}, format.Simplify())
	if err != nil {
		return nil, fmt.Errorf("print spec: %w", err)
	}
	return append([]byte(about), body...), nil
}
