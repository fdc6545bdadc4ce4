package etcd

import (
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/process"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// line is one line of a file that goes on in the next one where it ends in a backslash.
type line struct {
	file   string
	number int
	text   string
}

// logical are the lines of a file, those that continue put together. Comments among them are left out.
func logical(f target.File) [][]line {
	var out [][]line
	open := false
	for i, text := range strings.Split(string(f.Data), "\n") {
		text = strings.TrimRight(text, "\r")
		if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";") {
			continue
		}
		goesOn := strings.HasSuffix(text, `\`)
		l := line{f.Path, i + 1, strings.TrimSuffix(text, `\`)}
		if open {
			out[len(out)-1] = append(out[len(out)-1], l)
		} else {
			out = append(out, []line{l})
		}
		open = goesOn
	}
	return out
}

// words are the words of a line from a byte on, quotes around a word or its value taken off.
func (l line) words(from int) []topology.Value[string] {
	var out []topology.Value[string]
	col := 1
	var word strings.Builder
	start, quote := 0, rune(0)
	finish := func(end int) {
		if start > 0 {
			out = append(out, topology.SetAt(word.String(), diag.At(l.file, l.number, start, end-start)))
			word.Reset()
			start = 0
		}
	}
	for i, c := range l.text {
		switch {
		case i < from:
		case quote == 0 && (c == ' ' || c == '\t'):
			finish(col)
		case quote == c:
			quote = 0
		case quote == 0 && (c == '"' || c == '\'') && (start == 0 || strings.HasSuffix(word.String(), "=")):
			quote = c
			if start == 0 {
				start = col
			}
		default:
			if start == 0 {
				start = col
			}
			word.WriteRune(c)
		}
		col++
	}
	finish(col)
	return out
}

// environment reads a file of variables.
func environment(f target.File, facts *process.Facts) diag.List {
	var vars process.Settings
	for _, lines := range logical(f) {
		v, ok := assignment(lines[0])
		if !ok {
			continue
		}
		if held := flags(lines); held != nil {
			held.run(facts)
			continue
		}
		if len(lines) > 1 { // a value over several lines
			v.Value = topology.UnknownAt[string](v.Value.Span)
		}
		vars = append(vars, v)
	}
	facts.Run(process.Run{Program: process.Etcd, Env: vars, Span: diag.Span{File: f.Path, Line: 1, Col: 1}})
	return nil
}

var assigns = pattern.New(`^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)=`)

// assignment reads NAME=value; quotes around the value are none of it.
func assignment(l line) (process.Setting, bool) {
	m := assigns.FindStringSubmatchIndex(l.text)
	if m == nil {
		return process.Setting{}, false
	}
	value := strings.TrimRight(l.text[m[1]:], " \t")
	at := diag.At(l.file, l.number, 1+len([]rune(l.text[:m[1]])), len([]rune(value)))
	for _, quote := range []string{`"`, `'`} {
		if len(value) >= 2 && strings.HasPrefix(value, quote) && strings.HasSuffix(value, quote) {
			value = value[1 : len(value)-1]
		}
	}
	return process.Setting{Name: l.text[m[2]:m[3]], Value: topology.SetAt(value, at)}, true
}
