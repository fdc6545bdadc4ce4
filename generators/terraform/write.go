package terraform

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
)

// file is one file of a module: its path below the module's folder and what stands in it.
type file struct {
	path string
	root *body
	hcl  *hclwrite.File
}

func newFile(path string) file {
	f := hclwrite.NewEmptyFile()
	return file{path: path, root: &body{hcl: f.Body()}, hcl: f}
}

// bytes is the text below its head comment, laid out as terraform fmt does.
func (f file) bytes(header target.Header) []byte {
	var head bytes.Buffer
	for _, line := range header.Lines() {
		fmt.Fprintf(&head, "# %s\n", line)
	}
	head.WriteByte('\n')
	return append(head.Bytes(), hclwrite.Format(f.hcl.Bytes())...)
}

// body is what stands between the braces of a block, or in a file.
type body struct {
	hcl  *hclwrite.Body
	used bool // something stands in it: what follows is set off by an empty line
}

// set writes an attribute.
func (b *body) set(name string, value hclwrite.Tokens) {
	b.hcl.SetAttributeRaw(name, value)
	b.used = true
}

// block opens a nested block, set off by an empty line from what precedes it.
func (b *body) block(kind string, labels ...string) *body {
	b.gap()
	return &body{hcl: b.hcl.AppendNewBlock(kind, labels).Body()}
}

// note writes a comment line above what comes next.
func (b *body) note(text string) {
	b.hcl.AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte("# " + text + "\n")}})
	b.used = true
}

func (b *body) gap() {
	if b.used {
		b.hcl.AppendNewline()
	}
	b.used = true
}

// text is a quoted string; template sequences in it are escaped.
func text(s string) hclwrite.Tokens { return hclwrite.TokensForValue(cty.StringVal(s)) }

// number is an integer.
func number(n int) hclwrite.Tokens { return hclwrite.TokensForValue(cty.NumberIntVal(int64(n))) }

// boolean is true or false.
func boolean(b bool) hclwrite.Tokens { return hclwrite.TokensForValue(cty.BoolVal(b)) }

// list is a tuple of quoted strings.
func list(items []string) hclwrite.Tokens {
	elems := make([]hclwrite.Tokens, len(items))
	for i, s := range items {
		elems[i] = text(s)
	}
	return hclwrite.TokensForTuple(elems)
}

// pair is one entry of an object.
type pair struct {
	key   string
	value hclwrite.Tokens
}

// object has keys of this package's own, printed bare and in their order.
func object(pairs ...pair) hclwrite.Tokens {
	attrs := make([]hclwrite.ObjectAttrTokens, len(pairs))
	for i, p := range pairs {
		attrs[i] = hclwrite.ObjectAttrTokens{Name: hclwrite.TokensForIdentifier(p.key), Value: p.value}
	}
	return hclwrite.TokensForObject(attrs)
}

// mapOf is a map of strings, sorted by key. Keys are quoted: a user's may be the keyword "for".
func mapOf(values map[string]string) hclwrite.Tokens {
	var attrs []hclwrite.ObjectAttrTokens
	for _, key := range slices.Sorted(maps.Keys(values)) {
		attrs = append(attrs, hclwrite.ObjectAttrTokens{Name: text(key), Value: text(values[key])})
	}
	return hclwrite.TokensForObject(attrs)
}

// code is an expression written in this package. It never holds a user's text: that is composed with text, list, mapOf
// and the functions below. A wrong one is a bug, hence the panic, which the first test run meets.
func code(expression string) hclwrite.Tokens {
	f, diags := hclwrite.ParseConfig([]byte("v = "+expression+"\n"), "", hcl.InitialPos)
	if diags.HasErrors() {
		panic("terraform: " + expression + ": " + diags.Error())
	}
	return f.Body().GetAttribute("v").Expr().BuildTokens(nil)
}

// call is a call of a function.
func call(function string, args ...hclwrite.Tokens) hclwrite.Tokens {
	return hclwrite.TokensForFunctionCall(function, args...)
}

// equals compares two expressions.
func equals(left, right hclwrite.Tokens) hclwrite.Tokens {
	return slices.Concat(left, sign(hclsyntax.TokenEqualOp, "=="), right)
}

// choose is a conditional expression.
func choose(condition, yes, no hclwrite.Tokens) hclwrite.Tokens {
	return slices.Concat(condition, sign(hclsyntax.TokenQuestion, "?"), yes, sign(hclsyntax.TokenColon, ":"), no)
}

func sign(kind hclsyntax.TokenType, text string) hclwrite.Tokens {
	return hclwrite.Tokens{{Type: kind, Bytes: []byte(text), SpacesBefore: 1}}
}

// either is true where one of two conditions holds.
func either(left, right hclwrite.Tokens) hclwrite.Tokens {
	return slices.Concat(left, sign(hclsyntax.TokenOr, "||"), right)
}
