package terraform

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// folder is a parsed Terraform folder.
type folder struct {
	texts     map[string][]byte
	last      spot             // that was asked for
	lines     map[string][]int // where lines begin
	resources []*resource      // in file order
	byAddress map[string]*resource
	// names are the expressions of "var.x" (what a file sets it to, else its default) and "local.x".
	names map[string]hclsyntax.Expression
	// outputs are the expressions of what the folder tells others.
	outputs []hclsyntax.Expression
	// values are those already evaluated, or being evaluated: unknown, which ends cycles.
	values map[string]value
	steps  int // taken by eval so far
	made   int // instances, of resources and blocks
	// firsts are the first instances of resources, by address, as far as they were asked for.
	firsts map[string]node
}

// resource is one resource block, with what override files add to it.
type resource struct {
	kind, label string
	bodies      []*hclsyntax.Body // a later one overrides
	header      hcl.Range
}

func (r *resource) address() string { return r.kind + "." + r.label }

// open parses the files of a source. What a syntax error leaves readable is read.
func open(src target.Source) (*folder, diag.List) {
	f := &folder{
		texts: map[string][]byte{}, lines: map[string][]int{}, byAddress: map[string]*resource{},
		names: map[string]hclsyntax.Expression{}, values: map[string]value{}, firsts: map[string]node{},
	}
	var diags diag.List
	files := slices.Clone(src.Files)
	slices.SortStableFunc(files, func(a, b target.File) int { return rank(a.Path) - rank(b.Path) })
	for _, file := range files {
		f.texts[file.Path] = file.Data
		f.lines[file.Path] = lineStarts(file.Data)
		parsed, problems := parseFile(file.Data, file.Path)
		for _, p := range problems {
			if p.Severity == hcl.DiagError {
				f.syntax(&diags, p, file.Path)
			}
		}
		if parsed == nil {
			continue
		}
		if body, ok := parsed.Body.(*hclsyntax.Body); ok {
			if r := rank(file.Path); r >= variables {
				f.assign(body, r < optional)
				continue
			}
			f.collect(body)
		}
	}
	return f, diags
}

// The ranks of files, in the order in which Terraform reads them. An optional one is read where the command line says so.
const (
	plain = iota
	override
	variables
	automatic
	optional
)

func rank(path string) int {
	switch base := path[strings.LastIndexAny(path, `/\`)+1:]; {
	case base == "override.tf" || strings.HasSuffix(base, "_override.tf"):
		return override
	case base == "terraform.tfvars":
		return variables
	case strings.HasSuffix(base, ".auto.tfvars"):
		return automatic
	case strings.HasSuffix(base, ".tfvars"):
		return optional
	}
	return plain
}

// assign takes what a file sets variables to. Of those of an optional file nobody knows whether they are set.
func (f *folder) assign(body *hclsyntax.Body, sure bool) {
	for name, a := range body.Attributes {
		if sure {
			f.names["var."+name] = a.Expr
		} else {
			delete(f.names, "var."+name)
		}
	}
}

// syntax reports a problem of the parser in this program's words.
func (f *folder) syntax(diags *diag.List, p *hcl.Diagnostic, path string) {
	at := diag.Span{File: path}
	if p.Subject != nil {
		at = f.span(*p.Subject)
	}
	what := strings.ToLower(strings.ReplaceAll(p.Summary, "\n", " "))
	diags.Error(at, "syntax", "terraform cannot read this ("+what+"), so nothing here can be judged; need valid HCL",
		"run terraform validate in this folder")
}

func (f *folder) collect(body *hclsyntax.Body) {
	for _, b := range body.Blocks {
		switch {
		case b.Type == "resource" && len(b.Labels) == 2:
			f.add(b)
		case b.Type == "variable" && len(b.Labels) == 1:
			if a := b.Body.Attributes["default"]; a != nil {
				f.names["var."+b.Labels[0]] = a.Expr
			}
		case b.Type == "output":
			if a := b.Body.Attributes["value"]; a != nil {
				f.outputs = append(f.outputs, a.Expr)
			}
		case b.Type == "locals":
			for _, a := range b.Body.Attributes {
				f.names["local."+a.Name] = a.Expr
			}
		}
	}
}

func (f *folder) add(b *hclsyntax.Block) {
	r := &resource{kind: canonicalKind(b.Labels[0]), label: b.Labels[1], header: b.DefRange()}
	if old := f.byAddress[r.address()]; old != nil {
		old.bodies = append(old.bodies, b.Body)
		return
	}
	r.bodies = []*hclsyntax.Body{b.Body}
	f.resources = append(f.resources, r)
	f.byAddress[r.address()] = r
}

// named is the value of a variable, by its default, or of a local.
func (f *folder) named(name string, depth int) value {
	if v, ok := f.values[name]; ok {
		return v
	}
	e, ok := f.names[name]
	if !ok {
		return value{}
	}
	f.values[name] = unknown(e.Range())
	f.values[name] = scope{folder: f, depth: depth}.eval(e)
	return f.values[name]
}

// of are the resources of a kind, each instance by itself.
func (f *folder) of(kind string) []node {
	var out []node
	for _, r := range f.resources {
		if r.kind == kind {
			out = append(out, f.instances(r)...)
		}
	}
	return out
}

// instances expands for_each and count. Where these are unknown there is one instance that stands for any number.
func (f *folder) instances(r *resource) []node {
	one := f.block(r)
	if each, ok := one.get("for_each"); ok {
		return expand(one, "each", each)
	}
	count, ok := one.get("count")
	if !ok {
		return []node{one}
	}
	n, known := count.whole()
	if !known || n > maxLength || !f.room(n) {
		one.many = true
		return []node{one}
	}
	var out []node
	for i := range max(n, 0) {
		next := one
		next.scope = one.scope.with("count", iterator("index", value{data: float64(i), at: count.at}, value{}))
		out = append(out, next)
	}
	return out
}

// room reports whether the folder may have so many more instances of resources or blocks.
func (f *folder) room(n int) bool {
	f.made += max(n, 0)
	return f.made <= maxInstances
}

// block is a resource without regard to its instances.
func (f *folder) block(r *resource) node {
	return node{resource: r, bodies: r.bodies, header: r.header, scope: scope{folder: f}}
}

// expand makes an instance for each element of a map or set.
func expand(one node, name string, each value) []node {
	unsure := one
	unsure.many = true
	unsure.scope = one.scope.with(name, unknown(each.at, each.mentions()...))
	var out []node
	switch d := each.data.(type) {
	case *mapping:
		if d.open || len(d.keys) > maxLength || !one.scope.folder.room(len(d.keys)) {
			return []node{unsure}
		}
		for _, key := range d.keys {
			v := d.fields[key]
			out = append(out, one.in(name, value{data: key, at: v.at}, v))
		}
	case []value:
		if !one.scope.folder.room(min(len(d), maxLength)) {
			return []node{unsure}
		}
		for _, v := range d[:min(len(d), maxLength)] {
			out = append(out, one.in(name, v, v))
		}
	default:
		return []node{unsure}
	}
	return out
}

// iterator is the map behind "each", "count" or the name of a dynamic block.
func iterator(key string, k, v value) value {
	return value{data: &mapping{keys: []string{key, "value"}, fields: map[string]value{key: k, "value": v}}}
}

// span is a range in lines and runes. HCL counts columns in graphemes.
func (f *folder) span(r hcl.Range) diag.Span {
	s := diag.Span{File: r.Filename}
	s.Line, s.Col = f.position(r.Filename, r.Start.Byte)
	s.EndLine, s.EndCol = f.position(r.Filename, r.End.Byte)
	return s
}

// position is the line and column of an offset: those of the parser are of a text that may have been rewritten. Many
// positions in one long line are found one from the other.
func (f *folder) position(file string, offset int) (line, column int) {
	text, starts := f.texts[file], f.lines[file]
	offset = min(max(offset, 0), len(text))
	line, found := slices.BinarySearch(starts, offset)
	if found {
		line++
	}
	at := spot{file: file, line: line, offset: starts[line-1], column: 1}
	if l := f.last; l.file == file && l.line == line && l.offset <= offset {
		at = l
	}
	for at.offset < offset {
		_, size := utf8.DecodeRune(text[at.offset:])
		if at.offset+size > offset { // within a character
			break
		}
		at.offset += size
		at.column++
	}
	f.last = at
	return line, at.column
}

// spot is a position whose offset is known.
type spot struct {
	file                 string
	line, offset, column int
}

// lineStarts are the offsets at which lines begin.
func lineStarts(text []byte) []int {
	starts := []int{0}
	for i := range text {
		if text[i] == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}
