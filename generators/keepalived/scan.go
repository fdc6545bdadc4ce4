package keepalived

import (
	"strings"
	"unicode/utf8"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// word is one word of a line, without quotes.
type word struct {
	text    string
	at      diag.Span
	unknown bool // only a run resolves it: a placeholder, a parameter
}

// node is one line of a block, or a line that opens one.
type node struct {
	words []word // at least one
	maybe bool   // for some machines only: @NAME stands before it
	block []*node
}

// keyword is the first word, "" where that is unknown.
func (n *node) keyword() string {
	if n.words[0].unknown {
		return ""
	}
	return n.words[0].text
}

// word is the i-th word; one that is not there is unknown.
func (n *node) word(i int) word {
	if i >= len(n.words) {
		return word{at: n.span(), unknown: true}
	}
	w := n.words[i]
	w.unknown = w.unknown || n.maybe
	return w
}

// span is the line without what its block holds.
func (n *node) span() diag.Span {
	s, last := n.words[0].at, n.words[len(n.words)-1].at
	s.EndLine, s.EndCol = last.EndLine, last.EndCol
	return s
}

// sections stand at the top of a file only: one inside a block says that a brace is missing.
var sections = map[string]bool{
	"global_defs": true, "vrrp_instance": true, "vrrp_script": true, "vrrp_sync_group": true, "virtual_server": true,
	"virtual_server_group": true,
}

// tree reads the lines of one file, whatever braces it lacks.
func tree(file target.File) []*node {
	s := scanner{file: file.Path, open: []*node{{}}}
	row, definition := 0, false
	for text := range strings.Lines(string(file.Data)) {
		row++
		text = strings.TrimRight(text, "\r\n")
		if definition = definition || isDefinition(text); definition {
			definition = strings.HasSuffix(text, `\`)
			continue
		}
		s.line(text, row)
	}
	return s.open[0].block
}

// isDefinition reports whether a line gives a parameter its value: $NAME=value.
func isDefinition(text string) bool {
	name, _, ok := strings.Cut(strings.TrimLeft(text, " \t"), "=")
	return ok && strings.HasPrefix(name, "$") && !strings.ContainsAny(name, " \t{}")
}

type scanner struct {
	file string
	open []*node // blocks not yet closed; the first is the file
	last *node   // the line that a brace belongs to
}

// line takes one line in: words, and braces wherever they stand.
func (s *scanner) line(text string, row int) {
	var words []word
	for _, w := range s.split(text, row) {
		switch w.text {
		case "{":
			s.add(words)
			s.begin()
			words = nil
		case "}":
			s.add(words)
			s.end()
			words = nil
		default:
			words = append(words, w)
		}
	}
	s.add(words)
}

// add makes a node of words. A line that begins with @NAME is for that machine only.
func (s *scanner) add(words []word) {
	maybe := len(words) > 1 && strings.HasPrefix(words[0].text, "@")
	if maybe {
		words = words[1:]
	}
	if len(words) == 0 {
		return
	}
	s.last = &node{words: words, maybe: maybe}
	if sections[s.last.keyword()] {
		s.open = s.open[:1]
	}
	top := s.open[len(s.open)-1]
	top.block = append(top.block, s.last)
}

// begin opens the block of the line before it. A brace that belongs to none opens one that nobody sees.
func (s *scanner) begin() {
	if s.last == nil {
		s.last = &node{}
	}
	s.open = append(s.open, s.last)
	s.last = nil
}

func (s *scanner) end() {
	s.last = nil
	if len(s.open) > 1 {
		s.open = s.open[:len(s.open)-1]
	}
}

// split returns the words of a line, braces alone, up to a comment: # or ! outside quotes.
func (s *scanner) split(text string, row int) []word {
	var out []word
	col := 1
	for len(text) > 0 {
		c := text[0]
		n := 1
		switch c {
		case ' ', '\t':
		case '#', '!':
			return out
		case '{', '}':
			out = append(out, word{text: text[:1], at: diag.At(s.file, row, col, 1)})
		default:
			var w word
			w, n = s.word(text, row, col)
			out = append(out, w)
		}
		col += utf8.RuneCountInString(text[:n])
		text = text[n:]
	}
	return out
}

// word is the word that a text begins with, and its length in bytes. Quotes may stand within.
func (s *scanner) word(text string, row, col int) (word, int) {
	var value strings.Builder
	quoted, n := false, 0
	for ; n < len(text); n++ {
		c := text[n]
		if c == '"' {
			quoted = !quoted
			continue
		}
		if c == '\\' && quoted && n+1 < len(text) {
			n++
		} else if !quoted && strings.IndexByte(" \t#!{}", c) >= 0 {
			break
		}
		value.WriteByte(text[n])
	}
	w := word{text: value.String(), at: diag.At(s.file, row, col, utf8.RuneCountInString(text[:n]))}
	w.unknown = topology.IsHole(w.text) || strings.Contains(w.text, "$") || strings.HasPrefix(w.text, "~")
	return w, n
}
