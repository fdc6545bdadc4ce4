package prometheus

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// document writes YAML in block style, entry by entry. The YAML library's own printer takes ten times as long, which a
// fleet of clusters feels; what is written here is read back with the library in tests.
type document struct {
	out    bytes.Buffer
	indent int  // of the current mapping's entries, in blanks
	item   bool // the next entry is the first of an item of a list
}

// newDocument starts a document of about so many bytes with its head comment.
func newDocument(size int, head ...string) *document {
	var d document
	d.out.Grow(size)
	d.comment(head...)
	d.out.WriteByte('\n')
	return &d
}

// comment writes lines above what comes next.
func (d *document) comment(lines ...string) {
	column := d.indent
	if d.item {
		column -= len(dash)
	}
	for _, l := range lines {
		d.blanks(column)
		d.out.WriteString(strings.TrimRight("# "+l, " "))
		d.out.WriteByte('\n')
	}
}

// text is an entry: a string, on one line.
func (d *document) text(key, value string) {
	d.key(key)
	d.out.WriteByte(' ')
	d.quoted(value)
	d.out.WriteByte('\n')
}

// flag is an entry: a truth value.
func (d *document) flag(key string, value bool) {
	d.key(key)
	d.out.WriteString(" " + strconv.FormatBool(value) + "\n")
}

// layout is an entry: a string of printable characters, on the lines it has, the last of which is not empty.
func (d *document) layout(key, value string) {
	if !strings.Contains(value, "\n") {
		d.text(key, value)
		return
	}
	d.key(key)
	d.out.WriteString(" |2-\n") // two blanks deeper, without a line break at the end
	for line := range strings.SplitSeq(value, "\n") {
		d.blanks(d.indent + 2)
		d.out.WriteString(line)
		d.out.WriteByte('\n')
	}
}

// texts is an entry: a list of strings, each on one line.
func (d *document) texts(key string, values ...string) {
	d.list(key, func() {
		for _, v := range values {
			d.next()
			d.begin()
			d.quoted(v)
			d.out.WriteByte('\n')
		}
	})
}

// mapping is an entry: a mapping of the entries that are written meanwhile.
func (d *document) mapping(key string, entries func()) { d.nested(key, 2, "{}", entries) }

// list is an entry: a list of mappings, each of the entries that are written after a call of next.
func (d *document) list(key string, items func()) { d.nested(key, 2+len(dash), "[]", items) }

// next begins an item of a list, which is not to be empty.
func (d *document) next() { d.item = true }

func (d *document) nested(key string, deeper int, empty string, content func()) {
	d.key(key)
	before := d.out.Len()
	d.out.WriteByte('\n')
	d.indent += deeper
	content()
	d.indent -= deeper
	if d.out.Len() == before+1 {
		d.out.Truncate(before)
		d.out.WriteString(" " + empty + "\n")
	}
}

// dash opens an item of a list.
const dash = "- "

// key begins an entry.
func (d *document) key(key string) {
	d.begin()
	d.quoted(key)
	d.out.WriteByte(':')
}

// begin starts a line.
func (d *document) begin() {
	if !d.item {
		d.blanks(d.indent)
		return
	}
	d.blanks(d.indent - len(dash))
	d.out.WriteString(dash)
	d.item = false
}

func (d *document) blanks(n int) { d.out.WriteString(strings.Repeat(" ", n)) }

// quoted writes a text so that YAML reads a string: plain where nothing in it can mean anything else, else in double
// quotes, whose escapes in YAML include all of Go's.
func (d *document) quoted(s string) {
	if plain(s) {
		d.out.WriteString(s)
		return
	}
	d.out.Write(appendQuoted(d.out.AvailableBuffer(), s))
}

// appendQuoted is strconv.AppendQuote, at once where nothing is to be escaped.
func appendQuoted(out []byte, s string) []byte {
	if !printable(s) || strings.ContainsAny(s, `"\`) {
		return strconv.AppendQuote(out, s)
	}
	out = append(out, '"')
	out = append(out, s...)
	return append(out, '"')
}

// printable reports whether a text is all printable ASCII.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// plain is stricter than YAML: printable ASCII that begins as a word, a path or a duration does.
func plain(s string) bool {
	if s == "" || strings.HasSuffix(s, ":") || strings.HasSuffix(s, " ") ||
		strings.Contains(s, ": ") || strings.Contains(s, " #") || !printable(s) {
		return false
	}
	switch first := s[0]; {
	case '1' <= first && first <= '9':
		return strings.ContainsAny(s, "smhdwy") && !strings.ContainsAny(s, ":-.+_eEx ")
	case first == '/', first == '_':
		return true
	case first|0x20 >= 'a' && first|0x20 <= 'z':
		return len(s) > len("false") || !slices.Contains(words, strings.ToLower(s))
	}
	return false
}

// words are what some YAML reader takes for a truth value or nothing.
var words = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
