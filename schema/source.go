package schema

import (
	"slices"
	"strings"
	"unicode/utf8"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// sources are the files of a spec, by the path that CUE knows them by.
type sources struct {
	files map[string]*source
}

type source struct {
	display string
	data    []byte
	lines   []string // split when first needed
}

func (s *sources) add(path, display string, data []byte) {
	s.files[path] = &source{display: display, data: data}
}

// text returns the file by its display path, or nil.
func (s *sources) text(display string) []byte {
	for _, f := range s.files {
		if f.display == display {
			return f.data
		}
	}
	return nil
}

// names are the display paths, sorted.
func (s *sources) names() []string {
	var out []string
	for _, f := range s.files {
		out = append(out, f.display)
	}
	slices.Sort(out)
	return out
}

func (s *sources) display(path string) string {
	if f := s.files[path]; f != nil {
		return f.display
	}
	return path
}

// line returns a line of a file, 1-based, without its end.
func (s *sources) line(path string, n int) string {
	f := s.files[path]
	if f == nil {
		return ""
	}
	if f.lines == nil {
		f.lines = strings.Split(string(f.data), "\n")
	}
	if n < 1 || n > len(f.lines) {
		return ""
	}
	return strings.TrimSuffix(f.lines[n-1], "\r")
}

// span converts a position of CUE, whose columns count bytes.
func (s *sources) span(from token.Pos, to token.Pos) diag.Span {
	if !from.IsValid() {
		return diag.Span{}
	}
	p := from.Position()
	line := s.line(p.Filename, p.Line)
	start := runeColumn(line, p.Column)
	out := diag.Span{File: s.display(p.Filename), Line: p.Line, Col: start}
	if to.IsValid() {
		if q := to.Position(); q.Filename == p.Filename {
			out.EndLine, out.EndCol = q.Line, runeColumn(s.line(q.Filename, q.Line), q.Column)
			return out
		}
	}
	rest := ""
	if i := p.Column - 1; i >= 0 && i < len(line) {
		rest = line[i:]
	}
	out.EndLine, out.EndCol = p.Line, start+utf8.RuneCountInString(firstToken(rest))
	return out
}

// node is the span of a piece of syntax; of a struct or list only its opening, so that a caret has a width.
func (s *sources) node(n ast.Node) diag.Span {
	switch n := n.(type) {
	case *ast.BasicLit:
		if s.stands(n) {
			return s.span(n.Pos(), n.End())
		}
	case *ast.Field:
		return s.span(n.Label.Pos(), n.Label.End())
	}
	return s.span(n.Pos(), token.NoPos)
}

// stands reports whether a literal is in its file as CUE has it. Of YAML's strings only those in double quotes are.
func (s *sources) stands(n *ast.BasicLit) bool {
	p := n.Pos().Position()
	line := s.line(p.Filename, p.Line)
	first, _, _ := strings.Cut(n.Value, "\n")
	return p.Column >= 1 && p.Column <= len(line)+1 && strings.HasPrefix(line[p.Column-1:], first)
}

// runeColumn turns a column in bytes into one in runes.
func runeColumn(line string, col int) int {
	if col < 1 {
		return 1
	}
	return utf8.RuneCountInString(line[:min(col-1, len(line))]) + 1
}

// firstToken is the first token of a line: a quoted string, or what runs to a blank or a sign.
func firstToken(s string) string {
	if s == "" {
		return ""
	}
	if q := s[0]; q == '"' || q == '\'' {
		for i := 1; i < len(s); i++ {
			switch s[i] {
			case '\\':
				i++
			case q:
				return s[:i+1]
			}
		}
		return s
	}
	if i := strings.IndexAny(s, " \t,:{}[]()&|"); i > 0 {
		return s[:i]
	}
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}
