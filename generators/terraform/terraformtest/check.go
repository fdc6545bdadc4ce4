package terraformtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// meta are arguments and blocks of Terraform itself.
var meta = []string{"for_each", "count", "depends_on", "provider", "lifecycle"}

// checker gathers what is wrong with a module.
type checker struct {
	blocks    []*hclsyntax.Block // of its .tf files
	resources map[string]Block
	problems  []string
}

// Check holds the text of a module, by path, against what its provider knows, and lists what is wrong: arguments that
// are unknown, missing or of another type, references that lead nowhere, variables that nobody uses or explains.
func Check(files map[string]string) []string {
	c := &checker{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, diags := hclsyntax.ParseConfig([]byte(files[name]), name, hcl.InitialPos)
		if diags.HasErrors() {
			c.problem("%s: %v", name, diags)
		} else if path.Ext(name) == ".tf" {
			c.blocks = append(c.blocks, f.Body.(*hclsyntax.Body).Blocks...)
		}
	}
	p, err := c.provider()
	if err != nil {
		return append(c.problems, err.Error())
	}
	if c.resources, err = p.Resources(); err != nil {
		return append(c.problems, err.Error())
	}
	for _, b := range c.of("resource") {
		if known, ok := c.resources[b.Labels[0]]; ok {
			c.block(strings.Join(b.Labels, "."), known, b.Body)
		} else {
			c.problem("provider %s %s has no %s", p.Name, p.Version, b.Labels[0])
		}
	}
	c.references()
	return c.problems
}

func (c *checker) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

func (c *checker) of(kind string) []*hclsyntax.Block {
	var out []*hclsyntax.Block
	for _, b := range c.blocks {
		if b.Type == kind {
			out = append(out, b)
		}
	}
	return out
}

// provider is the one that the module asks for, of the major version that its range begins with and, at the latest, ends
// before the next but one of.
func (c *checker) provider() (Provider, error) {
	for _, b := range c.of("terraform") {
		for _, required := range b.Body.Blocks {
			for name, a := range required.Body.Attributes {
				v, diags := a.Expr.Value(nil)
				if diags.HasErrors() {
					return Provider{}, diags
				}
				wanted := v.GetAttr("version").AsString()
				for _, p := range Providers {
					major, _, _ := strings.Cut(p.Version, ".")
					n, _ := strconv.Atoi(major)
					if p.Name == name && strings.HasPrefix(wanted, ">= "+major+".") && bounded(wanted, n+1, n+2) {
						return p, nil
					}
				}
				return Provider{}, fmt.Errorf("provider %s %q is none that is known", name, wanted)
			}
		}
	}
	return Provider{}, fmt.Errorf("the module requires no provider")
}

// bounded reports whether a range ends before one of some major versions.
func bounded(wanted string, majors ...int) bool {
	return slices.ContainsFunc(majors, func(n int) bool { return strings.HasSuffix(wanted, fmt.Sprintf("< %d.0", n)) })
}

func (c *checker) block(where string, known Block, body *hclsyntax.Body) {
	for name, a := range body.Attributes {
		attribute, ok := known.Attributes[name]
		switch {
		case slices.Contains(meta, name):
		case !ok || !attribute.Required && !attribute.Optional:
			c.problem("%s has no argument %s", where, name)
		case attribute.Deprecated != "":
			c.problem("%s.%s is deprecated: %s", where, name, attribute.Deprecated)
		case !plausible(attribute.Type, a.Expr):
			c.problem("%s.%s is of type %s, which %T is not", where, name, attribute.Type, a.Expr)
		}
	}
	for name, a := range known.Attributes {
		if a.Required && body.Attributes[name] == nil {
			c.problem("%s lacks %s", where, name)
		}
	}
	count := map[string]int{}
	for _, b := range body.Blocks {
		kind, inner := b.Type, b.Body
		if kind == "dynamic" {
			kind, inner = b.Labels[0], content(b)
		}
		if slices.Contains(meta, kind) {
			continue
		}
		nested, ok := known.Blocks[kind]
		if !ok {
			c.problem("%s has no block %s", where, kind)
			continue
		}
		count[kind]++
		c.block(where+"."+kind, nested, inner)
	}
	for kind, nested := range known.Blocks {
		if n := count[kind]; n < nested.MinItems || nested.MaxItems > 0 && n > nested.MaxItems {
			c.problem("%s has %d blocks %s", where, n, kind)
		}
	}
}

// content is the body that a dynamic block repeats.
func content(dynamic *hclsyntax.Block) *hclsyntax.Body {
	for _, b := range dynamic.Body.Blocks {
		if b.Type == "content" {
			return b.Body
		}
	}
	return &hclsyntax.Body{}
}

// plausible reports whether an expression can be of a type: scalars convert among each other, collections do not.
func plausible(kind json.RawMessage, e hclsyntax.Expression) bool {
	collection := strings.HasPrefix(string(kind), "[") || string(kind) == `"object-list"`
	switch e.(type) {
	case *hclsyntax.TupleConsExpr:
		return collection && !strings.HasPrefix(string(kind), `["map"`)
	case *hclsyntax.ObjectConsExpr:
		return strings.HasPrefix(string(kind), `["map"`)
	case *hclsyntax.TemplateExpr, *hclsyntax.LiteralValueExpr:
		return !collection
	}
	return true
}
