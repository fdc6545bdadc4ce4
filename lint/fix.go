package lint

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

// Fixed is a file with edits applied.
type Fixed struct {
	Path string // as shown
	Data []byte
	Done diag.List // the findings that the edits are for
}

// Fix applies the edits of findings to the texts they are in, in the order of the files. Of findings whose edits overlap
// the first is served: the others may be by another run. Left are the findings in files that are built from a spec, which
// is what must be edited: their heads say so, or listed does, which looks a path up in manifests. A file that cannot be
// read in full is not edited: nobody knows what an edit means there.
func (r *Result) Fix(listed func(path string) bool) (fixed []Fixed, left diag.List) {
	accepted := map[string]replacements{}
	done := map[string]diag.List{}
	var order []string
	at := offsets{}
	broken := map[string]bool{}
	for _, d := range r.Diagnostics {
		broken[d.Span.File] = broken[d.Span.File] || aboutFile(d.Rule)
	}
next:
	for _, d := range r.Diagnostics {
		for _, e := range d.Edits {
			if broken[e.Span.File] {
				continue next
			}
			if isGenerated(r.Source(e.Span.File)) || listed(e.Span.File) {
				left = append(left, d)
				continue next
			}
		}
		wanted, ok := r.replacements(d.Edits, at)
		if !ok || clash(accepted, wanted) {
			continue
		}
		for file, list := range wanted {
			for _, w := range list {
				accepted[file] = accepted[file].with(w)
			}
		}
		first := d.Edits[0].Span.File
		done[first] = append(done[first], d)
	}
	for file := range accepted {
		order = append(order, file)
	}
	slices.Sort(order)
	for _, file := range order {
		fixed = append(fixed, Fixed{file, accepted[file].apply(r.Source(file)), done[file]})
	}
	return fixed, left
}

// isGenerated reports whether the head of a file says that build wrote it.
func isGenerated(data []byte) bool {
	mark, _, _ := strings.Cut(target.Header{}.Lines()[0], ".") // up to the spec's name
	return bytes.Contains(data[:min(len(data), 1024)], []byte(mark))
}

// replacement puts a text in the place of bytes from to to of a file.
type replacement struct {
	from, to int
	text     string
}

// replacements are those of one file, none overlapping another, in order.
type replacements []replacement

// find is where a replacement stands, or would.
func (rs replacements) find(w replacement) (int, bool) {
	return slices.BinarySearchFunc(rs, w, func(a, b replacement) int { return cmp.Or(a.from-b.from, a.to-b.to) })
}

// clashes reports whether a replacement touches what another one replaces by something else.
func (rs replacements) clashes(w replacement) bool {
	i, _ := rs.find(w)
	for _, a := range rs[max(0, i-1):min(len(rs), i+2)] {
		if a != w && w.from < max(a.to, a.from+1) && a.from < max(w.to, w.from+1) {
			return true
		}
	}
	return false
}

// with adds a replacement that does not clash, unless it is there.
func (rs replacements) with(w replacement) replacements {
	i, found := rs.find(w)
	if found {
		return rs
	}
	return slices.Insert(rs, i, w)
}

func (rs replacements) apply(data []byte) []byte {
	var out bytes.Buffer
	at := 0
	for _, w := range rs {
		out.Write(data[at:w.from])
		out.WriteString(w.text)
		at = w.to
	}
	out.Write(data[at:])
	return out.Bytes()
}

// replacements are edits by file; not ok where there are none, one does not fit its text, or they overlap.
func (r *Result) replacements(edits []diag.Edit, at offsets) (out map[string]replacements, ok bool) {
	out = map[string]replacements{}
	for _, e := range edits {
		from, to, ok := at.of(e.Span, r.Source(e.Span.File))
		w := replacement{from, to, e.Text}
		if !ok || out[e.Span.File].clashes(w) {
			return nil, false
		}
		out[e.Span.File] = out[e.Span.File].with(w)
	}
	return out, len(edits) > 0
}

// clash reports whether any of the wanted replacements clashes.
func clash(accepted, wanted map[string]replacements) bool {
	for file, list := range wanted {
		if slices.ContainsFunc(list, accepted[file].clashes) {
			return true
		}
	}
	return false
}

// offsets are the beginnings of the lines of files, by path, counted when first needed.
type offsets map[string][]int

// of are the bytes that a span covers; not ok where its end is not known, or it does not lie in the text.
func (o offsets) of(s diag.Span, text []byte) (from, to int, ok bool) {
	if s.Line < 1 || s.EndLine < s.Line {
		return 0, 0, false
	}
	lines := o[s.File]
	if lines == nil {
		at := 0
		for line := range bytes.Lines(text) {
			lines = append(lines, at)
			at += len(line)
		}
		o[s.File] = lines
	}
	if s.EndLine > len(lines) {
		return 0, 0, false
	}
	from, okFrom := column(text, lines[s.Line-1], s.Col)
	to, okTo := column(text, lines[s.EndLine-1], s.EndCol)
	return from, to, okFrom && okTo && from <= to
}

// maxColumn is how far in a line edits are made: nobody lays out longer ones by hand.
const maxColumn = 4096

// column is where a column of the line at offset at begins. The column behind the last one is the line's end.
func column(text []byte, at, col int) (int, bool) {
	if col > maxColumn {
		return 0, false
	}
	for ; col > 1; col-- {
		if at == len(text) || text[at] == '\n' {
			return 0, false
		}
		_, n := utf8.DecodeRune(text[at:])
		at += n
	}
	return at, col == 1
}

// spellEdits makes the text of each edit one that its file understands, and takes edits away where there is none.
func (r *Result) spellEdits() {
	at := offsets{}
	for i := range r.Diagnostics {
		r.Diagnostics[i].Edits = r.spelled(r.Diagnostics[i].Edits, at)
	}
	for i := range r.Suppressed {
		r.Suppressed[i].Edits = nil
	}
}

func (r *Result) spelled(edits []diag.Edit, at offsets) []diag.Edit {
	var out []diag.Edit
	for _, e := range edits {
		from, to, ok := at.of(e.Span, r.Source(e.Span.File))
		if !ok {
			return nil
		}
		if e.Below {
			added, ok := below(r.Source(e.Span.File), e, to)
			if !ok {
				return nil
			}
			out = append(out, added)
			continue
		}
		if e == (diag.Edit{Span: e.Span}) {
			out = append(out, diag.Edit{Span: line(e.Span, r.Source(e.Span.File), from, to)})
			continue
		}
		literal, quote := unquote(string(r.Source(e.Span.File)[from:to]))
		if e.To != 0 {
			if e.Text, ok = spell(literal, e.From, e.To); !ok {
				return nil
			}
		}
		out = append(out, diag.Edit{Span: e.Span, Text: quote + e.Text + quote})
	}
	return out
}

// below spells an edit that adds a line below the one in which a byte of the text stands: with that line's end, and the
// indent of the first line further down that says something. It is not ok where more than a comment follows: a script
// that writes line by line, say.
func below(text []byte, e diag.Edit, at int) (edit diag.Edit, ok bool) {
	line, rest, _ := bytes.Cut(text[at:], []byte("\n"))
	end := "\n"
	if trimmed := bytes.TrimSuffix(line, []byte("\r")); len(trimmed) < len(line) {
		line, end = trimmed, "\r\n"
	}
	if behind := bytes.TrimSpace(line); len(behind) > 0 && behind[0] != '#' {
		return diag.Edit{}, false
	}
	indent := "    "
	for next := range bytes.Lines(rest) {
		said := bytes.TrimLeft(next, " \t")
		if len(bytes.TrimSpace(said)) == 0 || said[0] == '#' {
			continue
		}
		indent = string(next[:len(next)-len(said)])
		break
	}
	col := e.Span.EndCol + utf8.RuneCount(line)
	span := diag.Span{File: e.Span.File, Line: e.Span.EndLine, Col: col, EndLine: e.Span.EndLine, EndCol: col}
	return diag.Edit{Span: span, Text: end + indent + e.Text}, true
}

// line widens a span that is to be removed to its whole line, where nothing else stands there.
func line(s diag.Span, text []byte, from, to int) diag.Span {
	start := bytes.LastIndexByte(text[:from], '\n') + 1
	rest, _, more := bytes.Cut(text[to:], []byte("\n"))
	if next := to + len(rest) + 1; !more || next == len(text) || len(bytes.TrimSpace(text[start:from]))+len(bytes.TrimSpace(rest)) > 0 {
		return s
	}
	return diag.Span{File: s.File, Line: s.Line, Col: 1, EndLine: s.EndLine + 1, EndCol: 1}
}

// unquote takes a text out of its quotes, if it has any.
func unquote(s string) (text, quote string) {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1], s[:1]
	}
	return s, ""
}

var (
	digits       = pattern.New(`^[0-9]{1,12}$`)
	withUnits    = pattern.New(`^([0-9]{1,12}(us|ms|[smhd]))+$`)
	withUnit     = pattern.New(`([0-9]+)(us|ms|[smhd])`)
	unitsOfTimes = map[string]time.Duration{
		"us": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}
)

// spell writes a duration in the manner of a literal that is another one. Where that is a bare number, the two tell its
// unit. It is not ok where the literal is not what it is taken for: an expression, say.
func spell(literal string, is, to time.Duration) (string, bool) {
	switch {
	case digits.MatchString(literal):
		n, err := strconv.ParseInt(literal, 10, 64)
		if err != nil || n == 0 || is%time.Duration(n) != 0 || to%(is/time.Duration(n)) != 0 {
			return "", false
		}
		return strconv.FormatInt(int64(to/(is/time.Duration(n))), 10), true
	case withUnits.MatchString(literal):
		var sum time.Duration
		for _, m := range withUnit.FindAllStringSubmatch(literal, -1) {
			n, _ := strconv.ParseInt(m[1], 10, 64) // digits, and not too many
			sum += time.Duration(n) * unitsOfTimes[m[2]]
		}
		return number(to), sum == is
	}
	return "", false
}

// number is a duration as one number with one unit, which all formats read.
func number(d time.Duration) string {
	for _, unit := range []string{"h", "m", "s", "ms"} {
		if of := unitsOfTimes[unit]; d%of == 0 {
			return strconv.FormatInt(int64(d/of), 10) + unit
		}
	}
	return strconv.FormatInt(int64(d/time.Microsecond), 10) + "us"
}
