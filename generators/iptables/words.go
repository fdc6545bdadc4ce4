package iptables

import (
	"strings"
	"unicode/utf8"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// word is one word of a line, without its quotes.
type word struct {
	text    string
	dynamic bool // holds a variable, a command substitution or a placeholder: only a run would tell
	quoted  bool // in double quotes, at least in part: what it stands for stays one word
	span    diag.Span
}

// statement is one simple command of a script, or one line of a dump. A comment that fills its line is a statement with
// no words.
type statement struct {
	words   []word
	comment string
	chained bool // done only if, or only if not, the one before succeeded
}

// lexer cuts a text into statements. Dumps and scripts quote alike.
type lexer struct {
	file      string
	text      string
	pos       int
	line, col int
	heredoc   string // the delimiter of a here-document that begins on the next line
	chained   bool   // the next statement follows && or ||
}

func newLexer(file string, data []byte) *lexer {
	return &lexer{file: file, text: string(data), line: 1, col: 1}
}

// peek is the text from here on; "" at the end.
func (l *lexer) peek() string { return l.text[l.pos:] }

// skip moves over the next rune and returns it as text.
func (l *lexer) skip() string {
	_, n := utf8.DecodeRuneInString(l.peek())
	r := l.text[l.pos : l.pos+n]
	l.pos += n
	l.col++
	if r == "\n" {
		l.line, l.col = l.line+1, 1
	}
	return r
}

// next is the next statement; false at the end of the text.
func (l *lexer) next() (statement, bool) {
	s := statement{chained: l.chained}
	for l.pos < len(l.text) {
		switch c := l.text[l.pos]; {
		case strings.HasPrefix(l.peek(), "\\\n"):
			l.skip()
			l.skip()
		case c == ' ' || c == '\t' || c == '\r':
			l.skip()
		case c == '#':
			text := l.rest()
			if len(s.words) == 0 {
				return statement{comment: text}, true
			}
		case strings.IndexByte("\n;|&()", c) >= 0:
			l.skip()
			if c == '\n' {
				l.skipHeredoc()
			} else {
				l.chained = (c == '&' || c == '|') && strings.HasPrefix(l.peek(), string(c))
			}
			if len(s.words) > 0 {
				return s, true
			}
			s.chained = s.chained || l.chained
		default:
			l.chained = false
			s.words = append(s.words, l.word())
			l.noteHeredoc(s.words)
		}
	}
	return s, len(s.words) > 0
}

// rest is the text up to the end of the line, which it skips.
func (l *lexer) rest() string {
	text, _, _ := strings.Cut(l.peek(), "\n")
	l.pos += len(text)
	l.col += utf8.RuneCountInString(text)
	return text
}

// word reads up to the next blank or operator outside of quotes.
func (l *lexer) word() word {
	var b strings.Builder
	w := word{span: diag.Span{File: l.file, Line: l.line, Col: l.col}}
	for l.pos < len(l.text) && strings.IndexByte(" \t\r\n;|&()", l.text[l.pos]) < 0 {
		switch c := l.text[l.pos]; c {
		case '\'', '"':
			w.dynamic = l.quoted(c, &b) || w.dynamic
			w.quoted = w.quoted || c == '"'
		case '\\':
			l.escaped(&b)
		case '$', '`':
			w.dynamic = true
			l.substitution(&b)
		default:
			b.WriteString(l.skip())
		}
	}
	w.text = b.String()
	w.dynamic = w.dynamic || topology.IsHole(w.text)
	w.span.EndLine, w.span.EndCol = l.line, l.col
	return w
}

// escaped reads a backslash and what it protects; a line that it continues goes on without both.
func (l *lexer) escaped(b *strings.Builder) {
	l.skip()
	if l.pos == len(l.text) {
		return
	}
	if c := l.skip(); c != "\n" {
		b.WriteString(c)
	}
}

// quoted reads a quoted stretch, and reports whether it holds a variable. A quote that the file never closes ends with its line.
func (l *lexer) quoted(quote byte, b *strings.Builder) (dynamic bool) {
	open := *l
	l.skip()
	var text strings.Builder
	for l.pos < len(l.text) {
		switch c := l.text[l.pos]; {
		case c == quote:
			l.skip()
			b.WriteString(text.String())
			return dynamic
		case c == '\\' && quote == '"':
			l.escaped(&text)
		default:
			dynamic = dynamic || quote == '"' && (c == '$' || c == '`')
			text.WriteString(l.skip())
		}
	}
	*l = open
	l.skip()
	b.WriteString(l.rest())
	return true
}

// substitutions are the openings and ends of what a shell fills in.
var substitutions = [][2]string{{"${", "}"}, {"$(", ")"}, {"`", "`"}}

// maxSubstitution bounds, in bytes, how far the end of one is looked for.
const maxSubstitution = 500

// substitution reads ${…}, $(…) or `…` as one stretch of text, or else the sign alone.
func (l *lexer) substitution(b *strings.Builder) {
	stop := l.pos + 1
	for _, s := range substitutions {
		if body, ok := strings.CutPrefix(l.peek(), s[0]); ok {
			line, _, _ := strings.Cut(body[:min(len(body), maxSubstitution)], "\n")
			if n := strings.Index(line, s[1]); n >= 0 {
				stop = l.pos + len(s[0]) + n + len(s[1])
			}
		}
	}
	for l.pos < stop {
		b.WriteString(l.skip())
	}
}

// noteHeredoc remembers the delimiter of a here-document, unless a restore program reads it: that one holds rules.
func (l *lexer) noteHeredoc(words []word) {
	last := words[len(words)-1].text
	before := ""
	if len(words) > 1 {
		before = words[len(words)-2].text
	}
	switch {
	case before == "<<" || before == "<<-":
	case strings.HasPrefix(last, "<<") && !strings.HasPrefix(last, "<<<"):
		last = strings.TrimPrefix(last[2:], "-")
	default:
		return
	}
	for _, w := range words {
		if strings.HasSuffix(w.text, "-restore") {
			return
		}
	}
	l.heredoc = last
}

// dumped is how a dump begins, which is then not far in.
var dumped = pattern.New(`^(\s|#[^\n]*\n)*(\*filter\s|# Generated by ip6?tables-save)`)

const headOfDump = 1000

// skipHeredoc skips the lines of a here-document that has just begun, unless these are a dump.
func (l *lexer) skipHeredoc() {
	if l.heredoc == "" {
		return
	}
	if dumped.MatchString(l.peek()[:min(len(l.peek()), headOfDump)]) {
		l.heredoc = ""
	}
	for l.heredoc != "" && l.pos < len(l.text) {
		line := strings.TrimSpace(l.rest())
		if l.pos < len(l.text) {
			l.skip()
		}
		if line == l.heredoc {
			break
		}
	}
	l.heredoc = ""
}
