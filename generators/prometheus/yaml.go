package prometheus

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// node is a value of a YAML document to be: a text, a mapping or a list. The YAML library's own printer takes ten times
// as long, which a fleet of clusters feels; what is printed here is read back with the library in tests.
type node struct {
	kind    kind
	text    string
	pairs   []pair
	items   []node
	comment []string // lines above an item of a list
}

type kind uint8

const (
	absent kind = iota // is not printed
	scalar
	dict
	list
)

// pair is one entry of a mapping.
type pair struct {
	key   string
	value node
}

// text is a string, on several lines where it has them.
func text(s string) node { return node{kind: scalar, text: s} }

// mapping keeps the order of its entries; those without value are left out.
func mapping(pairs ...pair) node {
	return node{kind: dict, pairs: slices.DeleteFunc(pairs, func(p pair) bool { return p.value.kind == absent })}
}

func sequence(items ...node) node { return node{kind: list, items: items} }

// document prints a document with its head comment.
func document(root node, head ...string) []byte {
	var p printer
	p.comment(0, head)
	p.out.WriteByte('\n')
	p.mapping(0, root.pairs)
	return p.out.Bytes()
}

// printer writes block style; an indent is a number of blanks.
type printer struct{ out bytes.Buffer }

func (p *printer) indent(n int) {
	for range n {
		p.out.WriteByte(' ')
	}
}

func (p *printer) comment(indent int, lines []string) {
	for _, l := range lines {
		p.indent(indent)
		p.out.WriteString(strings.TrimRight("# "+l, " ") + "\n")
	}
}

// mapping prints its first entry where the cursor is.
func (p *printer) mapping(indent int, pairs []pair) {
	for i, e := range pairs {
		if i > 0 {
			p.indent(indent)
		}
		p.quoted(e.key)
		p.out.WriteByte(':')
		p.value(indent+2, e.value)
	}
}

// value prints what follows a key.
func (p *printer) value(indent int, n node) {
	switch {
	case n.kind == scalar:
		p.out.WriteByte(' ')
		p.scalar(indent, n.text)
	case n.kind == list && len(n.items) == 0:
		p.out.WriteString(" []\n")
	case n.kind == list:
		p.out.WriteByte('\n')
		for _, item := range n.items {
			p.comment(indent, item.comment)
			p.indent(indent)
			p.out.WriteString("- ")
			p.item(indent+2, item)
		}
	case len(n.pairs) == 0:
		p.out.WriteString(" {}\n")
	default:
		p.out.WriteByte('\n')
		p.indent(indent)
		p.mapping(indent, n.pairs)
	}
}

// item prints a text or a mapping in a list.
func (p *printer) item(indent int, n node) {
	if n.kind == scalar {
		p.scalar(indent, n.text)
		return
	}
	p.mapping(indent, n.pairs)
}

func (p *printer) scalar(indent int, s string) {
	if !strings.Contains(s, "\n") {
		p.quoted(s)
		p.out.WriteByte('\n')
		return
	}
	p.out.WriteString("|2-\n") // two blanks deeper, without a line break at the end
	for line := range strings.SplitSeq(s, "\n") {
		p.indent(indent)
		p.out.WriteString(line)
		p.out.WriteByte('\n')
	}
}

// quoted writes a text so that YAML reads a string: plain where nothing in it can mean anything else, else in double
// quotes, whose escapes in YAML include all of Go's.
func (p *printer) quoted(s string) {
	if plain(s) {
		p.out.WriteString(s)
		return
	}
	p.out.Write(strconv.AppendQuote(p.out.AvailableBuffer(), s))
}

// plain is stricter than YAML: printable ASCII that begins as a word, a path or a duration does.
func plain(s string) bool {
	if s == "" || strings.HasSuffix(s, ":") || strings.HasSuffix(s, " ") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' || c == ' ' && (s[i-min(i, 1)] == ':' || s[i+1] == '#') {
			return false
		}
	}
	switch first := s[0]; {
	case '1' <= first && first <= '9':
		return strings.ContainsAny(s, "smhdwy") && !strings.ContainsAny(s, ":-.+_eEx ")
	case first == '/', first == '_':
		return true
	case first|0x20 >= 'a' && first|0x20 <= 'z':
		return !slices.Contains(words, strings.ToLower(s[:min(len(s), 6)]))
	}
	return false
}

// words are what some YAML reader takes for a truth value or nothing.
var words = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
