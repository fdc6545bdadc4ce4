package nginx

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nginxinc/nginx-go-crossplane"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// word is one word of a file, without its quotes.
type word struct {
	text string
	span diag.Span
}

// node is one directive, with its block where it opens one.
type node struct {
	name     word
	args     []word
	block    []*node
	hasBlock bool
	repeated bool // another one of its name stands in the same block and says something else
}

// arg is the text of the first argument, or "" where there is none.
func (n *node) arg() string {
	if len(n.args) == 0 {
		return ""
	}
	return n.args[0].text
}

// filledIn reports whether an argument after so many is to come from a template, which may be any.
func (n *node) filledIn(after int) bool {
	return slices.ContainsFunc(n.args[min(after, len(n.args)):], func(w word) bool { return topology.IsHole(w.text) && !strings.Contains(w.text, "=") })
}

// span covers the directive without its block, as far as its first line goes.
func (n *node) span() diag.Span {
	s := n.name.span
	for _, a := range n.args {
		if a.span.EndLine == s.Line {
			s.EndCol = a.span.EndCol
		}
	}
	return s
}

const (
	maxNesting  = 200 // deeper blocks are no configuration
	maxRestarts = 100 // syntax errors after which a file is given up
)

// tree reads the directives of one file. It reports what NGINX refuses, and goes on with what can still be read.
func tree(file target.File) ([]*node, diag.List) {
	s := scanner{file: file.Path, text: string(withoutLua(file.Data)), line: 1, col: 1, root: &node{}}
	s.open = []*node{s.root}
	for range maxRestarts {
		if s.scan() {
			break
		}
	}
	s.end()
	return s.root.block, s.diags
}

// scanner follows the tokens of crossplane's lexer through the text, so as to know their columns, and builds the tree.
type scanner struct {
	file      string
	text      string
	at        int // byte offset of line:col
	line, col int
	root      *node
	open      []*node // blocks not yet closed, the root first
	pending   *node   // directive without its end
	last      int     // line of its last word
	diags     diag.List
}

// scan reads tokens until the end of the text (true) or to behind a character that the lexer stops at.
func (s *scanner) scan() (done bool) {
	stopped := false
	for t := range crossplane.Lex(strings.NewReader(s.text[s.at:])) {
		switch {
		case stopped: // the lexer's goroutine must be drained
		case t.Error != nil:
			stopped = true
		case !s.token(t):
			stopped, s.at = true, len(s.text)
		}
	}
	s.space()
	if s.at == len(s.text) {
		return true
	}
	// The lexer takes a brace that closes a block from before its restart for one too many.
	at := s.here(1)
	c := s.next()
	if c == '}' {
		s.close(at)
	} else {
		s.unexpected(at, string(c))
	}
	return false
}

// token takes one token in; false: the file is given up.
func (s *scanner) token(t crossplane.NgxToken) bool {
	s.space()
	if t.IsQuoted {
		s.word(word{t.Value, s.quoted()})
		return true
	}
	switch t.Value {
	case "{":
		return s.begin(s.plain(t.Value))
	case "}":
		s.close(s.plain(t.Value))
	case ";":
		at := s.plain(t.Value)
		if s.pending == nil {
			s.unexpected(at, ";")
		}
		s.pending = nil
	default:
		if strings.HasPrefix(t.Value, "#") {
			s.comment()
		} else {
			s.word(word{t.Value, s.plain(t.Value)})
		}
	}
	return true
}

// word adds a word to the directive at hand, or begins one with it.
func (s *scanner) word(w word) {
	if s.pending != nil && w.span.Line > s.last && begins[w.text] {
		s.unfinished()
	}
	s.last = w.span.EndLine
	if s.pending != nil {
		s.pending.args = append(s.pending.args, w)
		return
	}
	s.pending = &node{name: w}
	top := s.open[len(s.open)-1]
	top.block = append(top.block, s.pending)
}

// begins are the directives that, at the start of a line, are never an argument of the line before.
var begins = map[string]bool{
	"listen": true, "server": true, "upstream": true, "zone": true, "least_conn": true, "health_check": true,
	"proxy_pass": true, "proxy_timeout": true, "proxy_connect_timeout": true, "proxy_socket_keepalive": true,
}

// standIn is a word in the place of directives, as scripts replace it.
var standIn = pattern.New(`^_*[A-Z][A-Z0-9_]+$`)

// unfinished ends the directive at hand, which lacks its semicolon.
func (s *scanner) unfinished() {
	n := s.pending
	s.pending = nil
	if len(n.args) == 0 && standIn.MatchString(n.name.text) {
		return // somebody puts directives there, with their ends
	}
	s.syntax(n.span(), quote(n.name.text)+` has no ";" at its end, so nginx refuses the file; need one`,
		`add ";"`)
}

// begin opens the block of the directive at hand.
func (s *scanner) begin(at diag.Span) bool {
	if len(s.open) > maxNesting {
		s.syntax(at, "more than 200 nested blocks are no nginx configuration; need fewer", "")
		return false
	}
	if s.pending == nil {
		s.unexpected(at, "{")
		s.pending = &node{name: word{span: at}}
	}
	n := s.pending
	s.pending = nil
	if i := len(s.open) - 1; s.open[i].name.text == "upstream" && n.name.text == "server" {
		up := s.open[i]
		s.unclosed(up)
		up.block = up.block[:len(up.block)-1]
		s.open = s.open[:i]
		s.open[i-1].block = append(s.open[i-1].block, n)
	}
	n.hasBlock = true
	s.open = append(s.open, n)
	return true
}

// close ends the innermost block.
func (s *scanner) close(at diag.Span) {
	if s.pending != nil {
		s.unfinished()
	}
	if len(s.open) == 1 {
		s.unexpected(at, "}")
		return
	}
	s.open = s.open[:len(s.open)-1]
}

// end reports what the end of the file leaves open.
func (s *scanner) end() {
	if s.pending != nil {
		s.unfinished()
	}
	if i := len(s.open) - 1; i > 0 {
		s.unclosed(s.open[i])
	}
}

func (s *scanner) unclosed(n *node) {
	s.syntax(n.span(), "block "+quote(n.name.text)+` is never closed, so nginx refuses the file; need a "}"`,
		`add "}" at its end`)
}

func (s *scanner) unexpected(at diag.Span, what string) {
	s.syntax(at, quote(what)+" stands where no directive has begun, so nginx refuses the file; need a directive, or nothing",
		"remove it, or complete the line before it")
}

func (s *scanner) syntax(at diag.Span, message, hint string) {
	s.diags.Error(at, "syntax", message, hint)
}

func quote(s string) string { return `"` + s + `"` }

// next steps over one rune.
func (s *scanner) next() rune {
	r, size := utf8.DecodeRuneInString(s.text[s.at:])
	s.at += size
	s.col++
	if r == '\n' {
		s.line, s.col = s.line+1, 1
	}
	return r
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		if r, _ := utf8.DecodeRuneInString(s.text[s.at:]); !unicode.IsSpace(r) {
			return
		}
		s.next()
	}
}

// plain steps over an unquoted token. The lexer drops carriage returns.
func (s *scanner) plain(value string) diag.Span {
	span := s.here(0)
	for _, r := range value {
		for s.at < len(s.text) && s.next() != r {
		}
	}
	return s.until(span)
}

// comment steps to the end of the line. The lexer's token may lack the comment's last character.
func (s *scanner) comment() {
	for s.at < len(s.text) && s.text[s.at] != '\n' {
		s.next()
	}
}

// quoted steps over a quoted word.
func (s *scanner) quoted() diag.Span {
	span := s.here(0)
	mark := s.next()
	for s.at < len(s.text) {
		switch s.next() {
		case '\\':
			if s.at < len(s.text) {
				s.next()
			}
		case mark:
			return s.until(span)
		}
	}
	return s.until(span)
}

func (s *scanner) here(width int) diag.Span { return diag.At(s.file, s.line, s.col, width) }

func (s *scanner) until(span diag.Span) diag.Span {
	span.EndLine, span.EndCol = s.line, s.col
	return span
}
