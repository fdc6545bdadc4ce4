// Package diag holds what etcdlbgen tells its user: positioned messages, and the printers for them.
package diag

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Span is a stretch of text in one file. Lines and columns are 1-based, columns count runes, and the end is
// exclusive. A zero Line means the file as a whole; a zero EndLine means that the end is not known.
type Span struct {
	File            string
	Line, Col       int
	EndLine, EndCol int
}

// At is the span of width runes that starts at line:col.
func At(file string, line, col, width int) Span {
	return Span{File: file, Line: line, Col: col, EndLine: line, EndCol: col + width}
}

// Severity says whether a diagnostic must be fixed. The zero value is invalid.
type Severity uint8

// The two severities.
const (
	Warning Severity = iota + 1
	Error
)

func (s Severity) String() string {
	switch s {
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return "invalid severity"
}

// Related points at another place that took part in a diagnostic.
type Related struct {
	Span    Span
	Message string
}

// Edit replaces the text of a span: by Text, or, where the value is a duration, by To in the unit of the number that
// stands there, which is From. With Below, Text is a line of its own below the one on which the span ends. Rules know the
// values but not how a file spells them, its indents and line ends; whoever has the file resolves that.
type Edit struct {
	Span     Span
	Text     string
	From, To time.Duration
	Below    bool
}

// Diagnostic is one message for the user, about something the user should change.
type Diagnostic struct {
	Span     Span
	Severity Severity
	Rule     string // the slug in brackets at the end of the line
	Message  string // what is observed, why it hurts; what is needed. Lower case, no final stop
	Hint     string // one action
	// Subject names the thing that is judged, alike in a spec and in the file built from it: "haproxy backend etcd-prod".
	Subject string
	Firm    bool // no comment can suppress it
	Related []Related
	Edits   []Edit
}

// List is a set of diagnostics.
type List []Diagnostic

// Error adds an error. The message is a finished sentence.
func (l *List) Error(at Span, rule, message, hint string) {
	*l = append(*l, Diagnostic{Span: at, Severity: Error, Rule: rule, Message: message, Hint: hint})
}

// Warn adds a warning. The message is a finished sentence.
func (l *List) Warn(at Span, rule, message, hint string) {
	*l = append(*l, Diagnostic{Span: at, Severity: Warning, Rule: rule, Message: message, Hint: hint})
}

// Has reports whether any diagnostic is at least as severe as s.
func (l List) Has(s Severity) bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity >= s })
}

// Count is the number of diagnostics of severity s.
func (l List) Count(s Severity) int {
	n := 0
	for _, d := range l {
		if d.Severity == s {
			n++
		}
	}
	return n
}

// Sorted returns the diagnostics by position, then rule, then message, each once.
func (l List) Sorted() List {
	out := slices.Clone(l)
	slices.SortStableFunc(out, compare)
	return slices.CompactFunc(out, func(a, b Diagnostic) bool { return compare(a, b) == 0 })
}

func compare(a, b Diagnostic) int {
	return cmp.Or(
		strings.Compare(a.Span.File, b.Span.File),
		cmp.Compare(a.Span.Line, b.Span.Line),
		cmp.Compare(a.Span.Col, b.Span.Col),
		strings.Compare(a.Rule, b.Rule),
		strings.Compare(a.Message, b.Message),
	)
}
