package diag

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// Text prints diagnostics for people: the position and message, the source line with a caret, the hint, and the other
// places that took part.
func Text(w io.Writer, l List, source Lookup, color bool) error {
	return text(w, l, newLines(source), color)
}

func text(w io.Writer, l List, source *lines, color bool) error {
	p := &printer{w: bufio.NewWriter(w), lines: source, color: color}
	for _, d := range l {
		p.diagnostic(d)
	}
	return p.w.Flush()
}

type printer struct {
	w     *bufio.Writer
	lines *lines
	color bool
}

// The colours, as terminals understand them.
const (
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
)

func (p *printer) paint(color, s string) string {
	if !p.color {
		return s
	}
	return color + s + "\x1b[0m"
}

func (p *printer) diagnostic(d Diagnostic) {
	color := yellow
	if d.Severity == Error {
		color = red
	}
	rule := ""
	if d.Rule != "" {
		rule = " " + p.paint(dim, "["+d.Rule+"]")
	}
	fmt.Fprintf(p.w, "%s%s: %s%s\n", p.position(d.Span), p.paint(bold+color, d.Severity.String()), printable(said(d.Message)), rule)
	p.snippet(d.Span, color)
	if d.Hint != "" {
		fmt.Fprintf(p.w, "%s: %s\n", p.paint(bold+cyan, "hint"), printable(said(d.Hint)))
	}
	for _, r := range d.Related {
		fmt.Fprintf(p.w, "%s%s: %s\n", p.position(r.Span), p.paint(bold+cyan, "note"), printable(said(r.Message)))
		p.snippet(r.Span, cyan)
	}
}

// position is "file:line:col: ", as far as it is known.
func (p *printer) position(s Span) string {
	if s.File == "" {
		return ""
	}
	at := printable(s.File)
	if s.Line > 0 {
		at += fmt.Sprintf(":%d:%d", s.Line, max(s.Col, 1))
	}
	return p.paint(bold, at+":") + " "
}

// snippet prints the line of a span and carets below what the span covers of it.
func (p *printer) snippet(s Span, color string) {
	runes := p.lines.columns(s)
	if len(runes) == 0 {
		return
	}
	from := min(max(s.Col, 1)-1, len(runes))
	to := from + 1
	switch {
	case s.EndLine == s.Line && s.EndCol > s.Col:
		to = s.EndCol - 1
	case s.EndLine > s.Line:
		to = len(runes)
	}
	text, caret, width := window(runes, from, min(max(to, from+1), max(len(runes), from+1)))
	number := fmt.Sprint(s.Line)
	gutter := strings.Repeat(" ", len(number))
	fmt.Fprintf(p.w, " %s %s\n", p.paint(dim, number+" |"), text)
	fmt.Fprintf(p.w, " %s %s%s\n", p.paint(dim, gutter+" |"), caret, p.paint(color, strings.Repeat("^", width)))
}

// maxWidth is how many columns of a source line are shown.
const maxWidth = 160

// window renders the part of a line that holds runes from to to, what must stand before the caret below it, and the
// caret's width. A long line is cut on both sides.
func window(runes []rune, from, to int) (text, before string, width int) {
	first, last := 0, len(runes)
	if len(runes) > maxWidth {
		first = max(0, min(from-maxWidth/4, len(runes)-maxWidth))
		last = min(len(runes), first+maxWidth)
	}
	var line, pad strings.Builder
	if first > 0 {
		line.WriteString("…")
		pad.WriteString(" ")
	}
	for i := first; i < last; i++ {
		s, w := glyph(runes[i])
		line.WriteString(s)
		switch {
		case i < from && s == "\t":
			pad.WriteByte('\t')
		case i < from:
			pad.WriteString(strings.Repeat(" ", w))
		case i < to:
			width += w
		}
	}
	if last < len(runes) {
		line.WriteString("…")
	}
	return strings.TrimRight(line.String(), " \t"), pad.String(), max(width, 1)
}

// glyph is what a terminal may be sent for a rune, and the columns it takes; a tab before a caret is repeated there.
func glyph(r rune) (string, int) {
	switch {
	case r == '\t':
		return "\t", 1
	case !unicode.IsPrint(r):
		return "\ufffd", 1
	}
	return string(r), runewidth.RuneWidth(r)
}

// printable is s without what would steer a terminal or break the line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\ufffd'
		}
		return r
	}, s)
}
