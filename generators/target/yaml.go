package target

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// YAML is a stream of YAML documents with positions.
type YAML struct {
	Roots []*yaml.Node // up to the first error
	file  string
	lines []string
}

var errorLine = pattern.New(`line (\d+): (.*)`)

// ParseYAML reads all documents of a file. Where one is no YAML, though no template is in the file, a diagnostic says
// that the program loads nothing of it.
func ParseYAML(f File, program string) (*YAML, diag.List) {
	y := &YAML{file: f.Path, lines: strings.Split(string(f.Data), "\n")}
	dec := yaml.NewDecoder(bytes.NewReader(OneBreak(f.Data)))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		switch {
		case errors.Is(err, io.EOF):
			return y, nil
		case err != nil && topology.IsHole(string(f.Data)):
			if rest := holes.ReplaceAllFunc(f.Data, blank); !bytes.Equal(rest, f.Data) {
				f.Data = rest
				if y, diags := ParseYAML(f, program); diags == nil {
					return y, nil
				}
			}
			return y, nil
		case err != nil:
			return y, diag.List{NoYAML(f, program, err)}
		}
		if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
			y.Roots = append(y.Roots, doc.Content[0])
		}
	}
}

// holes are lines that a placeholder fills, which takes its place with whatever indentation is needed there, and entries
// of a list between the marks of a condition.
var holes = pattern.New(`(?m)^[ \t]*(?:` + topology.Hole + `)+[a-z_]{0,2}[ \t]*(?:-[ \t].*` + topology.Hole + `[a-z_]{0,2})?[ \t]*$`)

func blank(line []byte) []byte { return bytes.Repeat([]byte(" "), len(line)) }

// otherBreaks end a line for YAML, but for no editor: others of their length stand in for them.
var otherBreaks = strings.NewReplacer("\r\n", "\r\n", "\r", " ", "\u0085", "\u00a0", "\u2028", "\u2007", "\u2029", "\u2007")

// OneBreak is a text in which YAML counts the lines that everybody else does.
func OneBreak(data []byte) []byte {
	if !bytes.ContainsAny(data, "\r\u0085\u2028\u2029") {
		return data
	}
	return []byte(otherBreaks.Replace(string(data)))
}

// fromZero matches the errors of the YAML library that count lines from 0: its parser's, not its scanner's.
var fromZero = pattern.New(`^did not find expected (<|node content|'-'|key|',')`)

// NoYAML is an error of the YAML library in a file, at the line on which what is not whole begins.
func NoYAML(f File, program string, err error) diag.Diagnostic {
	line, what := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := errorLine.FindStringSubmatch(what); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line, what = max(n, 1), m[2]
		}
		if fromZero.MatchString(what) {
			line++
		}
	}
	line = min(line, 1+bytes.Count(bytes.TrimRight(f.Data, "\r\n"), []byte("\n"))) // the end of the text is no line
	return diag.Diagnostic{
		Span:     diag.Span{File: f.Path, Line: line, Col: 1},
		Severity: diag.Error,
		Rule:     "syntax",
		Message:  "this is no YAML (" + what + "), so " + program + " loads nothing of it; need a well-formed document",
		Hint:     "look around this line for a wrong indentation, a tab, or a quote or bracket that is not closed",
	}
}

// maxLine is the length of lines in which ends are looked for: in longer ones that would take too long.
const maxLine = 8 << 10

// Span is where a node stands; its end is known where it is written on one line as it reads.
func (y *YAML) Span(n *yaml.Node) diag.Span {
	s := diag.Span{File: y.file, Line: n.Line, Col: n.Column}
	if n.Kind != yaml.ScalarNode || n.Line < 1 || n.Line > len(y.lines) || n.Value == "" {
		return s
	}
	line := y.lines[n.Line-1]
	if len(line) > maxLine {
		return s
	}
	rest := fromColumn(line, n.Column)
	for _, quote := range []string{"", `"`, `'`} {
		if written := quote + n.Value + quote; strings.HasPrefix(rest, written) {
			return diag.At(y.file, n.Line, n.Column, len([]rune(written)))
		}
	}
	return s
}

// fromColumn is the part of a line from a column on, counted in runes from 1.
func fromColumn(line string, column int) string {
	n := 1
	for i := range line {
		if n == column {
			return line[i:]
		}
		n++
	}
	return ""
}

// Text is a scalar as it stands, placeholders included; unknown where it is left out or no scalar.
func (y *YAML) Text(n *yaml.Node) topology.Value[string] {
	switch n = Resolve(n); {
	case n == nil:
		return topology.Value[string]{}
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null":
		return topology.UnknownAt[string](y.Span(n))
	}
	return topology.SetAt(n.Value, y.Span(n))
}

// Lines are the lines of a text, each where it stands, if it is a literal block; else the whole is one.
func (y *YAML) Lines(n *yaml.Node) []topology.Value[string] {
	v := y.Text(n)
	if n = Resolve(n); !v.Known() || n.Style&yaml.LiteralStyle == 0 {
		return []topology.Value[string]{v}
	}
	var out []topology.Value[string]
	number := n.Line
	for text := range strings.Lines(n.Value) {
		text = strings.TrimSpace(text)
		number++
		if number > len(y.lines) || text == "" {
			continue
		}
		before, _, ok := strings.Cut(y.lines[number-1], text)
		if !ok {
			return []topology.Value[string]{v}
		}
		out = append(out, topology.SetAt(text, diag.At(y.file, number, 1+len([]rune(before)), len([]rune(text)))))
	}
	return out
}

// Words are the words of a text as a shell would split it, each where it stands, quotes around it taken off.
func (y *YAML) Words(n *yaml.Node) []topology.Value[string] {
	n = Resolve(n)
	v := y.Text(n)
	if !v.Known() {
		return nil
	}
	var out []topology.Value[string]
	number, col := n.Line, n.Column
	for _, w := range strings.Fields(v.V) {
		at := v.Span
		for row := number; row <= len(y.lines) && row < number+maxGap; row++ {
			from := 1
			if row == number {
				from = col
			}
			before, _, ok := strings.Cut(fromColumn(y.lines[row-1], from), w)
			if len(y.lines[row-1]) <= maxLine && ok {
				start := from + len([]rune(before))
				number, col = row, start+len([]rune(w))
				at = diag.At(y.file, row, start, len([]rune(w)))
				break
			}
		}
		out = append(out, unquoted(topology.SetAt(w, at)))
	}
	return out
}

// maxGap is how many lines on the next word of a text is looked for: comments and blank lines may stand between them.
const maxGap = 20

func unquoted(v topology.Value[string]) topology.Value[string] {
	for _, quote := range []string{`"`, `'`} {
		if text, ok := strings.CutPrefix(v.V, quote); ok && strings.HasSuffix(text, quote) {
			v.V = strings.TrimSuffix(text, quote)
			v.Span.Col++
			v.Span.EndCol--
		}
	}
	return v
}

// Resolve follows an alias.
func Resolve(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// Field is an entry of a mapping, merged ones included, or nil.
func Field(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		n = Resolve(n)
		own := entry(n, key)
		if own == nil {
			own = entry(Resolve(entry(n, "<<")), key)
		}
		n = own
	}
	return n
}

func entry(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// Items are the entries of a list.
func Items(n *yaml.Node) []*yaml.Node {
	n = Resolve(n)
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	out := make([]*yaml.Node, 0, len(n.Content))
	for _, c := range n.Content {
		out = append(out, Resolve(c))
	}
	return out
}
