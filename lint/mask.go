package lint

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// tags are the placeholders of template languages. The text of one may run over lines, but for the shell's.
var tags = []struct {
	open, end string
	control   *pattern.Pattern // what makes a tag a statement, which yields no text itself
}{
	{"{{{", "}}}", nil},
	{"{{", "}}", pattern.New(`^\{\{-?\s*([#/^!]|(if|else|end|range|with|define|block|template|include|break|continue)\b)`)},
	{"{%", "%}", pattern.New(`^`)},
	{"<%", "%>", pattern.New(`^<%[^=]`)},
	{"${", "}", nil},
}

// at matches the placeholders of autoconf.
var at = pattern.New(`^@[A-Za-z_][A-Za-z0-9_]{0,63}@`)

// maxVariable bounds the length of ${…}.
const maxVariable = 1024

// mask puts words of as many characters that are known as unknown in the place of template placeholders, so that lines
// and columns stay and every parser can read the rest. What a format owns as its syntax is left. Statements that fill
// their lines become blank.
func mask(data []byte, own []string) []byte {
	m := masker{data: data, own: own, unclosed: map[string]bool{}}
	for i := 0; i < len(data); {
		n := m.tag(data, i)
		i += max(n, 1)
	}
	if m.done == 0 {
		return data
	}
	m.out = append(m.out, data[m.done:]...)
	if m.statements {
		m.settle()
	}
	return m.out
}

type masker struct {
	data       []byte
	out        []byte // of the data before done, where something was replaced
	done       int
	own        []string
	unclosed   map[string]bool // openings that no end follows any more
	statements bool            // there are some
}

// statement and closer stand for the text of statements until it is settled what becomes of them.
const (
	statement = "\x01"
	closer    = "\x02" // ends what a line before began
	repeater  = "\x03" // begins what is there several times
	marks     = statement + closer + repeater
)

// repeats matches statements that begin a loop.
var repeats = pattern.New(`^(\{\{-?\s*range\b|\{%[-+]?\s*for\b|<%-?\s*for\b|<%.*(\bdo\b|\{)\s*(\|[^|]*\|)?\s*-?%>$)`)

// closes matches statements that end a block.
var closes = pattern.New(`^(\{\{-?\s*(/|end\b)|\{%[-+]?\s*end|<%-?\s*(end\b|\}))`)

// tag masks the placeholder at offset i, if there is one, and returns its length.
func (m *masker) tag(data []byte, i int) int {
	switch data[i] {
	case '{', '<', '$':
	case '@':
		if n := len(at.Find(data[i:min(len(data), i+80)])); n > 0 && !slices.Contains(m.own, "@") {
			m.fill(i, i+n, topology.Hole)
			return n
		}
		return 0
	default:
		return 0
	}
	for _, t := range tags {
		if !bytes.HasPrefix(data[i:], []byte(t.open)) || slices.Contains(m.own, t.open) || m.unclosed[t.open] {
			continue
		}
		n := 0
		if t.open == "${" {
			n = variable(data[i:min(len(data), i+maxVariable)])
		} else if end := bytes.Index(data[i:], []byte(t.end)); end >= 0 {
			n = end + len(t.end)
		} else {
			m.unclosed[t.open] = true
		}
		if n == 0 {
			continue
		}
		if t.control != nil && t.control.Match(data[i:i+n]) {
			m.statements = true
			word := statement
			switch {
			case closes.Match(data[i : i+n]):
				word = closer
			case repeats.Match(data[i : i+n]):
				word = repeater
			}
			m.fill(i, i+n, word)
		} else {
			m.fill(i, i+n, topology.Hole)
		}
		return n
	}
	return 0
}

// variable is the length of the ${…} at the beginning of data, braces within it counted, or 0.
func variable(data []byte) int {
	depth := 0
	for i, c := range data {
		switch c {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		case '\n':
			return 0
		}
	}
	return 0
}

// fill overwrites a stretch of the data.
func (m *masker) fill(from, to int, word string) {
	if m.out == nil {
		m.out = make([]byte, 0, len(m.data))
	}
	m.out = filled(append(m.out, m.data[m.done:from]...), m.data[from:to], word)
	m.done = to
}

// filled appends repetitions of a word for a placeholder. Of one that runs over lines only the first line is text.
func filled(out, placeholder []byte, word string) []byte {
	first, rest, over := bytes.Cut(placeholder, newline)
	if out = overwritten(out, first, word); over {
		out = overwritten(append(out, '\n'), rest, " ")
	}
	return out
}

// overwritten appends repetitions of a word of ASCII to out, a character for each of a text. Ends of lines stay.
func overwritten(out, text []byte, word string) []byte {
	for n := 0; len(text) > 0; n++ {
		c, size := word[n%len(word)], 1
		switch {
		case text[0] == '\n' || text[0] == '\r':
			c = text[0]
		case text[0] >= utf8.RuneSelf:
			_, size = utf8.DecodeRune(text)
		}
		out, text = append(out, c), text[size:]
	}
	return out
}

// settle makes the lines that hold nothing but statements blank, and what ends a block that a line before began, or begins
// a loop that goes on in the next: none of these yields text, nor does a comment behind them. Where other text stands beside
// a statement, it becomes a word: what the text becomes is unknown.
func (m *masker) settle() {
	for line := range bytes.Lines(m.out) {
		head := bytes.TrimLeft(line, " \t")
		if body := bytes.TrimLeft(head, repeater); len(body) < len(head) && !bytes.ContainsAny(body, marks) {
			head = body
		}
		rest := bytes.TrimLeft(head, marks+" \t\r\n")
		remark := bytes.HasPrefix(rest, []byte("# ")) && !bytes.ContainsAny(rest, marks)
		empty := len(rest) == 0 || remark || !bytes.ContainsAny(head, statement+repeater)
		run := 0
		for i, c := range line {
			switch {
			case !strings.ContainsRune(marks, rune(c)):
				run = 0
				continue
			case empty:
				line[i] = ' '
			default:
				line[i] = topology.Hole[run%len(topology.Hole)]
			}
			run++
		}
	}
}

func onlyBlank(b []byte) bool { return len(bytes.TrimSpace(b)) == 0 }
