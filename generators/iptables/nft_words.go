package iptables

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// maxNftWords bounds the words of a file, with braces, commas and ends of lines.
const maxNftWords = 600_000

// nftWords cuts a file into words, of which it returns one too many where there are more than are read. The ends of lines and semicolons are words ";", braces and commas stand alone.
func nftWords(f target.File) []word {
	var out []word
	row, continued := 0, false
	for text := range strings.Lines(string(f.Data)) {
		if len(out) > maxNftWords {
			break
		}
		row++
		text = strings.TrimRight(text, "\r\n")
		continued = strings.HasSuffix(text, `\`)
		text = strings.TrimSuffix(text, `\`)
		col := 1
		for len(text) > 0 && len(out) <= maxNftWords {
			n := nftWord(text)
			w := word{text: strings.Trim(text[:n], `"`), span: diag.At(f.Path, row, col, utf8.RuneCountInString(text[:n]))}
			w.dynamic = topology.IsHole(w.text) || strings.HasPrefix(w.text, "$")
			if text[0] == '#' {
				break
			}
			if strings.TrimSpace(text[:n]) != "" {
				out = append(out, w)
			}
			col += utf8.RuneCountInString(text[:n])
			text = text[n:]
		}
		if !continued {
			out = append(out, word{text: ";"})
		}
	}
	return out
}

// nftWord is the length of the word that a text begins with.
func nftWord(text string) int {
	const alone = "{};, \t="
	switch {
	case strings.HasPrefix(text, "!="):
		return 2
	case text[0] == '"':
		if n := strings.IndexByte(text[1:], '"'); n >= 0 {
			return n + 2
		}
		return len(text)
	case strings.IndexByte(alone, text[0]) >= 0:
		return 1
	}
	if n := strings.IndexAny(text, alone+`"#`); n > 0 {
		return n
	}
	return len(text)
}

// nftScanner hands out lines.
type nftScanner struct {
	words []word
	pos   int
}

// blocks are what opens a block at the end of a line; other braces hold the elements of a set.
var blocks = []string{"table", "chain", "set", "map", "counter", "flowtable", "ct", "limit", "quota"}

// line is the words up to the end of the line, of which there is at least one; false at the end of the file. The brace that opens a block
// is the last word of its line, "}" that closes one a line of its own. Braces within a rule stay in it.
func (s *nftScanner) line() ([]word, bool) {
	var out []word
	depth := 0
	for ; s.pos < len(s.words); s.pos++ {
		w := s.words[s.pos]
		switch {
		case w.text == ";" && depth == 0 && len(out) > 0:
			s.pos++
			return out, true
		case w.text == ";":
		case w.text == "{":
			out = append(out, w)
			if depth == 0 && len(out) > 1 && len(out) <= 4 && slices.Contains(blocks, out[0].text) && out[1].text != "state" {
				s.pos++
				return out, true
			}
			depth++
		case w.text == "}" && depth > 0:
			depth--
			out = append(out, w)
		case w.text == "}" && len(out) > 0:
			return out, true
		case w.text == "}":
			s.pos++
			return []word{w}, true
		default:
			out = append(out, w)
		}
	}
	return out, len(out) > 0
}

// skip passes over the rest of a block.
func (s *nftScanner) skip() {
	for depth := 1; s.pos < len(s.words) && depth > 0; s.pos++ {
		switch s.words[s.pos].text {
		case "{":
			depth++
		case "}":
			depth--
		}
	}
}
