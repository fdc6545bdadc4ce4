package schema

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	cueerrors "cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
	"cuelang.org/go/encoding/yaml"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

// evaluate is phase 1: the user's own CUE, before our schema has any say.
func (l *loader) evaluate(v cue.Value) {
	l.value = v
	if err := v.Validate(); err != nil {
		l.report(err, "spec")
	}
}

// report turns CUE's errors into diagnostics: one each, at its first position, the others related. Without a rule,
// what has a position in the syntax is a syntax error.
func (l *loader) report(err error, rule string) {
	for _, e := range cueerrors.Errors(cueerrors.Sanitize(cueerrors.Promote(err, ""))) {
		l.reportOne(e, rule)
	}
}

func (l *loader) reportOne(e cueerrors.Error, rule string) {
	format, args := e.Msg()
	msg := tidy(fmt.Sprintf(format, args...))
	switch cause := cueerrors.Unwrap(e); {
	case msg == "import failed": // why stands in the error that it wraps
		msg = tidy(e.Error())
	case strings.HasPrefix(msg, "invalid JSON for file") && cause != nil:
		msg = "no JSON: " + tidy(cause.Error())
	case msg == "":
		msg = tidy(e.Error())
	}
	if rule == "" {
		rule = "spec"
		if strings.HasPrefix(fmt.Sprintf("%T", e), "*errors.posError") && len(e.Path()) == 0 {
			rule = "syntax"
		}
	}
	var hint string
	switch {
	case strings.HasPrefix(msg, "import failed"):
		hint = "copy the package into the spec's own module, or vendor it below cue.mod/pkg"
	case strings.HasPrefix(msg, "conflicting values") && slices.Contains(e.Path(), "clusters"):
		hint = `let "defaults" beside "clusters" hold the shared value: an entry's own value wins over it`
	}
	if p := e.Path(); len(p) > 0 {
		msg = strings.Join(p, ".") + ": " + msg
	}
	var at []token.Pos
	for _, p := range cueerrors.Positions(e) {
		if p.IsValid() && p.Filename() != "" {
			l.learn(p.Filename())
			at = append(at, p)
		}
	}
	d := diag.Diagnostic{Severity: diag.Error, Rule: rule, Message: msg, Hint: hint, Span: l.deepest(e.Path())}
	if len(at) > 0 {
		d.Span = l.src.span(at[0], token.NoPos)
		for _, p := range at[1:] {
			if s := l.src.span(p, token.NoPos); s != d.Span {
				d.Related = append(d.Related, diag.Related{Span: s, Message: "this takes part"})
			}
		}
	}
	l.diags = append(l.diags, d)
}

// learn makes a file known that is no file of an instance: one that cannot be parsed, or a module's own.
func (l *loader) learn(file string) {
	if l.src.files[file] != nil || !filepath.IsAbs(file) {
		return
	}
	data, parsed := l.texts[file]
	if !parsed {
		data, _ = os.ReadFile(file) // without it there is no snippet
	}
	l.src.add(file, l.shown(file), data)
}

// deepest is where the last field of a path stands that has a place, for errors that CUE gives none.
func (l *loader) deepest(path []string) diag.Span {
	for n := len(path); n > 0; n-- {
		var sel []cue.Selector
		for _, p := range path[:n] {
			sel = append(sel, cue.ParsePath(p).Selectors()...)
		}
		if f, ok := l.value.LookupPath(cue.MakePath(sel...)).Source().(*ast.Field); ok && f.Pos().IsValid() {
			return l.src.node(f)
		}
	}
	return l.whole()
}

// whole is the spec as a whole, for what has no place of its own.
func (l *loader) whole() diag.Span {
	if len(l.in.Paths) > 0 {
		return diag.Span{File: l.in.Paths[0], Line: 1, Col: 1}
	}
	return diag.Span{}
}

var (
	emptyDisjunction = pattern.New(`\d+ errors in empty disjunction:?`)
	position         = pattern.New(`\S+:\d+:\d+: `)
	moduleLookup     = pattern.New(`cannot find package "([^"]+)"[^\n]*`)
	leftOut          = pattern.New(`build constraints exclude all CUE files in \S+:\s*(?:\S*/)?`)
	packages         = pattern.New(`^(found packages .*) in "[^"]*"$`)
	more             = pattern.New(` \(and \d+ more errors\)`)
)

// longest message about a value, in runes: CUE prints a struct whole.
const longestMessage = 300

// tidy puts CUE's messages into one line that a user of etcdlbgen understands.
func tidy(msg string) string {
	msg = emptyDisjunction.ReplaceAllString(msg, "none of the alternatives holds")
	msg = position.ReplaceAllString(msg, "")
	msg = leftOut.ReplaceAllString(msg, "no CUE file is left to read: ")
	msg = packages.ReplaceAllString(msg, "$1 side by side; a spec is one package")
	msg = more.ReplaceAllString(msg, "")
	msg = moduleLookup.ReplaceAllString(msg, `cannot find package "$1": `+errNoRegistry.Error())
	msg = strings.Join(strings.Fields(msg), " ")
	return shorten(strings.TrimRight(msg, ".:"), longestMessage)
}

// shorten cuts the middle out of a text of more than limit runes.
func shorten(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	return string(r[:limit/2]) + " … " + string(r[len(r)-limit/2:])
}

var (
	yamlLine   = pattern.New(`(?:^|\s)(?:line |[^\s:]+:)(\d+)`)
	yamlPrefix = pattern.New(`^(?::\d+)?(?:: )?(?:yaml: )?(?:line \d+: )?`)
	yamlAnchor = pattern.New(`unknown anchor '([^']+)'`)
)

// before is the part of s before sep, which s holds.
func before(s, sep string) string {
	s, _, _ = strings.Cut(s, sep)
	return s
}

// yaml reads one YAML document, or reports why not.
func (l *loader) yaml(path string, data []byte) *ast.File {
	if n := secondDocument(data); n > 0 {
		l.diags.Error(diag.At(path, n, 1, 3), "syntax",
			"a second YAML document starts here, but a spec is one; need a single document",
			"put each cluster under \"clusters\", or each document into a file of its own")
		return nil
	}
	f, err := yaml.Extract(path, data)
	if err == nil {
		return f
	}
	for _, e := range cueerrors.Errors(err) {
		if e.Position().IsValid() {
			l.reportOne(e, "syntax")
			continue
		}
		// The YAML library says the line in the text only.
		line, msg := 1, e.Error()
		if m := yamlLine.FindStringSubmatch(msg); m != nil {
			line, _ = strconv.Atoi(m[1]) // digits only
			if strings.Contains(msg, "did not find expected") {
				line++ // the library's parser counts from 0, its scanner from 1
			}
		} else if m := yamlAnchor.FindStringSubmatch(msg); m != nil {
			line += strings.Count(before(string(data), "*"+m[1]), "\n")
		}
		line = min(line, 1+strings.Count(strings.TrimRight(string(data), "\n"), "\n"))
		text := l.src.line(path, line)
		indent := len(text) - len(strings.TrimLeft(text, " \t"))
		msg = yamlPrefix.ReplaceAllString(strings.TrimPrefix(msg, path), "")
		hint := ""
		if strings.HasPrefix(msg, "invalid map key") {
			msg = "a list or a mapping stands where a name is needed"
			hint = "put text that begins with { or [ in quotes"
		}
		l.diags.Error(diag.At(path, line, indent+1, max(1, utf8.RuneCountInString(strings.TrimSpace(text)))), "syntax", tidy(msg), hint)
	}
	return nil
}

// secondDocument is the line of the "---" that begins a second document with anything in it, or 0.
func secondDocument(data []byte) int {
	content, mark := false, 0
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimRight(line, "\r")
		switch {
		case !content && strings.HasPrefix(line, "%"): // a directive
		case line == "---" || strings.HasPrefix(line, "--- "):
			if content {
				mark = i + 1
			}
			content = content || len(line) > 3
		case strings.TrimSpace(line) == "" || strings.HasPrefix(strings.TrimSpace(line), "#"):
		case mark > 0:
			return mark
		default:
			content = true
		}
	}
	return 0
}
