package prometheus

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func parse(src target.Source) (*topology.Topology, diag.List) {
	t := &topology.Topology{Format: name, Span: diag.Span{File: src.Path}}
	var diags diag.List
	for _, f := range src.Files {
		roots, err := documents(f.Data)
		if err != nil && bytes.Contains(f.Data, []byte(opening)) {
			f.Data = withoutTemplates(f.Data)
			roots, err = documents(f.Data)
		}
		if err != nil {
			diags = append(diags, target.NoYAML(f, "Prometheus", err))
		}
		r := reader{file: f.Path, lines: strings.Split(string(f.Data), "\n")}
		for _, root := range roots {
			alerts, recorded := r.rules(root)
			t.Alerts = append(t.Alerts, alerts...)
			t.Recorded = append(t.Recorded, recorded...)
			t.Scrapes = append(t.Scrapes, r.scrapes(root)...)
		}
	}
	return t, diags
}

// documents are the roots of a YAML stream, up to the first error.
func documents(data []byte) ([]*yaml.Node, error) {
	var roots []*yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(target.OneBreak(data)))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return roots, nil
		}
		if err != nil {
			return roots, err
		}
		if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
			roots = append(roots, doc.Content[0])
		}
	}
}

var (
	template    = pattern.New(`\{\{[^\n]*?\}\}`)
	controlLine = pattern.New(`(?m)^[ \t]*(\{\{[^\n]*?\}\}[ \t]*)+\r?$`)
)

// withoutTemplates makes YAML of a chart's template: lines that only control it become blank, other placeholders words
// of the same length. Placeholders in annotations are Prometheus' own, so this is for files that are no YAML as they are.
func withoutTemplates(data []byte) []byte {
	blank := func(b []byte) []byte { return bytes.Repeat([]byte(" "), len(b)) }
	data = controlLine.ReplaceAllFunc(data, blank)
	return template.ReplaceAllFunc(data, func(b []byte) []byte {
		n := len([]rune(string(b)))
		return []byte(strings.Repeat(topology.Hole, n/len(topology.Hole)+1)[:n])
	})
}

// maxLine is the length of lines in which ends are looked for: in longer ones that would take too long.
const maxLine = 8 << 10

// reader turns nodes into facts with positions.
type reader struct {
	file  string
	lines []string
}

// span is where a node stands; its end is known where it is written on one line as it reads.
func (r reader) span(n *yaml.Node) diag.Span {
	s := diag.Span{File: r.file, Line: n.Line, Col: n.Column}
	if n.Kind != yaml.ScalarNode || n.Line < 1 || n.Line > len(r.lines) {
		return s
	}
	if len(r.lines[n.Line-1]) > maxLine {
		return s
	}
	line := []rune(r.lines[n.Line-1])
	if n.Column < 1 || n.Column > len(line) {
		return s
	}
	rest := string(line[n.Column-1:])
	for _, quote := range []string{"", `"`, `'`} {
		if written := quote + n.Value + quote; n.Value != "" && strings.HasPrefix(rest, written) {
			return diag.At(r.file, n.Line, n.Column, len([]rune(written)))
		}
	}
	return s
}

// text is a scalar, unknown where it is left out or a template says it.
func (r reader) text(n *yaml.Node) topology.Value[string] {
	switch n = target.Resolve(n); {
	case n == nil:
		return topology.Value[string]{}
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null" || topology.IsHole(n.Value):
		return topology.UnknownAt[string](r.span(n))
	}
	return topology.SetAt(n.Value, r.span(n))
}

// textOr is a scalar, or the format's own default in the block.
func (r reader) textOr(n *yaml.Node, otherwise string, block *yaml.Node) topology.Value[string] {
	if n == nil {
		return topology.DefaultAt(otherwise, r.span(block))
	}
	return r.text(n)
}

// labels are the known entries of a mapping of texts.
func (r reader) labels(n *yaml.Node) map[string]string {
	out := map[string]string{}
	if n = target.Resolve(n); n == nil || n.Kind != yaml.MappingNode {
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if v := r.text(n.Content[i+1]); v.Known() {
			out[n.Content[i].Value] = v.V
		}
	}
	return out
}
