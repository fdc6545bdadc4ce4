package haproxy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// word is one argument of a directive, quotes and escapes resolved.
type word struct {
	text string
	at   diag.Span // as written, quotes included
	// unknown marks a word that only a run resolves: a placeholder, an environment variable, a conditional block.
	unknown bool
	// maybe marks a word of a conditional block: all of it is unknown, not only what a placeholder covers.
	maybe bool
}

// part is a word's part, an address's port say: known where no placeholder or variable touches it.
func (w word) part(text string) word {
	return word{text: text, at: w.at, unknown: w.maybe || topology.IsHole(text) || strings.Contains(text, "$")}
}

// line is one directive.
type line struct {
	words []word
	at    diag.Span
	block int // how many statements of a template stand before it: others decide about lines with another number
}

// says reports whether two lines have the same words.
func (l line) says(o line) bool {
	return slices.EqualFunc(l.words, o.words, func(a, b word) bool { return a.text == b.text })
}

// is reports whether the line begins with these keywords.
func (l line) is(keywords ...string) bool {
	if len(l.words) < len(keywords) {
		return false
	}
	for i, k := range keywords {
		if l.words[i].text != k {
			return false
		}
	}
	return true
}

// word is the i-th word; where the line has none it is unknown.
func (l line) word(i int) word {
	if i < len(l.words) {
		return l.words[i]
	}
	return word{at: l.at, unknown: true, maybe: true}
}

// section is a section with the directives in it. Indentation means nothing: it ends where the next one begins.
type section struct {
	kind  string
	name  word
	head  diag.Span
	lines []line
	// by holds the lines again, by what they are about.
	by map[string][]line
	// torn are the topics of which nobody knows which line is there: branches of a template say different things.
	torn map[string]bool
	// dialogues are what its check rules come to, by topic, once somebody asked.
	dialogues map[string]*dialogue
	// opaque marks a section with lines that could be anything: what is not seen in it is not known to be absent.
	opaque bool
	// parent is the defaults section it inherits from; nil for HAProxy's built-in values.
	parent *section
	// loose marks a section that inherits from what this source does not show.
	loose bool
	// picks marks a section that says which defaults section it inherits from.
	picks bool
}

// alone reports whether a section of a fragment leaves it to other files what it inherits, and asks for nothing of theirs.
func (s *section) alone() bool { return s.loose && !s.picks }

// headers are the keywords that start a section.
var headers = map[string]bool{
	"global": true, "defaults": true, "frontend": true, "backend": true, "listen": true, "peers": true, "mailers": true,
	"resolvers": true, "userlist": true, "program": true, "http-errors": true, "cache": true, "ring": true,
	"log-forward": true, "fcgi-app": true, "crt-store": true, "log-profile": true, "traces": true, "acme": true,
}

// scanner splits the files of a source into sections.
type scanner struct {
	sections []*section
	fragment bool                // neither global nor defaults: other files decide what the sections inherit
	current  *section            // nil at the start of a file
	defaults *section            // the last one: it holds for what follows, in the next files too
	named    map[string]*section // defaults sections by name
	nesting  int                 // of .if blocks
	problems diag.List
}

// maxArgs is how many words of a line HAProxy takes, its MAX_LINE_ARGS.
const maxArgs = 64

func scan(files []target.File) *scanner {
	s := &scanner{named: map[string]*section{}, fragment: true}
	for _, f := range files {
		s.current, s.nesting = nil, 0
		statements := slices.Collect(f.Statements())
		row, block := 0, 0
		for text := range strings.SplitSeq(string(f.Data), "\n") {
			row++
			if block < len(statements) && statements[block] == row {
				block++
			}
			words, open := split(text, f.Path, row)
			if open && !topology.IsHole(text) { // a template may close it on a later line
				s.problems.Error(words[len(words)-1].at, "syntax",
					"a quote is opened and not closed on its line, so haproxy does not start; need the closing quote", "close the quote")
			}
			if len(words) > maxArgs {
				if !topology.IsHole(text) {
					s.problems.Error(words[maxArgs].at, "syntax", fmt.Sprintf(
						"line has %d words, so haproxy does not start; need at most %d", len(words), maxArgs), "")
				}
				words = words[:maxArgs]
			}
			if len(words) > 0 {
				first, last := words[0].at, words[len(words)-1].at
				at := diag.Span{File: f.Path, Line: row, Col: first.Col, EndLine: row, EndCol: last.EndCol}
				s.add(line{words, at, block})
			}
		}
	}
	for _, sec := range s.sections {
		sec.loose = sec.loose || s.fragment
	}
	return s
}

// add takes a line into the current section, or begins a section with it.
func (s *scanner) add(l line) {
	keyword := l.words[0]
	if strings.HasPrefix(keyword.text, ".") {
		switch keyword.text {
		case ".if":
			s.nesting++
		case ".endif":
			s.nesting = max(0, s.nesting-1)
		}
		return
	}
	conditional := s.nesting > 0
	if conditional {
		for i := range l.words {
			l.words[i].unknown, l.words[i].maybe = true, true
		}
	}
	if headers[keyword.text] {
		s.begin(l, conditional)
		return
	}
	if s.current == nil {
		return
	}
	s.current.take(l)
	if keyword.unknown && !conditional || vague(l) {
		s.current.opaque = true
	}
	if vague(l) && keyword.text == "option" { // it may choose how servers are checked
		s.current.tear(checkMethod)
	}
}

// legacy are keywords that versions before 2.1 had for timeouts.
var legacy = map[string]string{"contimeout": "connect", "clitimeout": "client", "srvtimeout": "server"}

func (s *section) take(l line) {
	if which, ok := legacy[l.words[0].text]; ok {
		kind := l.words[0]
		kind.text = "timeout"
		l.words = append([]word{kind, {text: which, at: kind.at}}, l.words[1:]...)
	}
	s.lines = append(s.lines, l)
	topic := l.words[0].text
	switch {
	case isCheckMethod(l):
		topic = checkMethod
	case topic == "timeout":
		topic = "timeout " + l.word(1).text
	}
	if n := len(s.by[topic]); n > 0 && s.by[topic][n-1].block != l.block && !s.by[topic][n-1].says(l) {
		s.tear(topic)
	}
	s.by[topic] = append(s.by[topic], l)
}

func (s *section) tear(topic string) {
	if s.torn == nil {
		s.torn = map[string]bool{}
	}
	s.torn[topic] = true
}

// checkMethod is the topic of the options that say how servers are checked: the last one holds.
const checkMethod = "check method"

// vague reports whether a line says less than which setting it is about: "option {{ x }}".
func vague(l line) bool {
	switch l.words[0].text {
	case "option", "timeout", "no", "http-check", "tcp-check":
		return topology.IsHole(l.word(1).text)
	}
	return false
}

// begin starts a section. In a conditional block nobody knows whether it is there, hence to which section the lines
// that follow belong.
func (s *scanner) begin(l line, conditional bool) {
	next := &section{kind: l.words[0].text, head: l.at, opaque: conditional, by: map[string][]line{}, dialogues: map[string]*dialogue{}}
	if conditional && s.current != nil {
		s.current.opaque = true
	}
	rest := l.words[1:]
	if len(rest) > 0 && rest[0].text != "from" {
		next.name, rest = rest[0], rest[1:]
	}
	if next.kind != "defaults" {
		next.parent = s.defaults
	}
	if len(rest) > 1 && rest[0].text == "from" {
		parent, ok := s.named[rest[1].text]
		next.parent, next.loose, next.picks = parent, !ok || rest[1].unknown, true
	}
	if len(rest) > 0 && rest[0].text != "from" && (next.kind == "listen" || next.kind == "frontend") {
		bind := word{text: "bind", at: rest[0].at} // versions before 1.7 took the address here
		next.take(line{append([]word{bind}, rest...), l.at, l.block})
	}
	s.fragment = s.fragment && next.kind != "defaults" && next.kind != "global"
	if next.kind == "defaults" {
		s.defaults = next
		s.named[next.name.text] = next
	}
	s.sections = append(s.sections, next)
	s.current = next
}

// split splits a line into words by HAProxy's rules: blanks part them, single quotes keep everything, double quotes
// keep blanks, a backslash takes the next character, # starts a comment. It reports whether a quote stayed open.
func split(text, file string, row int) (words []word, open bool) {
	var (
		b       strings.Builder
		quote   rune // 0, ' or "
		started bool
		unknown bool
		start   int
		col     = 1
	)
	end := func() {
		if started {
			t := b.String()
			words = append(words, word{text: t, at: diag.At(file, row, start, col-start), unknown: unknown || topology.IsHole(t)})
		}
		b.Reset()
		started, unknown = false, false
	}
	for i := 0; i < len(text); col++ {
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		if quote == 0 {
			if r == '#' {
				break
			}
			if isBlank(r) {
				end()
				continue
			}
		}
		if !started {
			started, start = true, col
		}
		switch {
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case r == '\\' && quote != '\'' && i < len(text):
			next, width := utf8.DecodeRuneInString(text[i:])
			i += width
			col++
			b.WriteString(escaped(next))
		default:
			unknown = unknown || r == '$' && quote != '\'' && variable(text[i:])
			b.WriteRune(r)
		}
	}
	end()
	return words, quote != 0
}

func isBlank(r rune) bool { return r == ' ' || '\t' <= r && r <= '\r' }

// escaped is what a backslash makes of the character after it.
func escaped(r rune) string {
	switch r {
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case ' ', '#', '\\', '"', '\'', '$':
		return string(r)
	}
	return `\` + string(r)
}

// variable reports whether text after a $ is the name of an environment variable.
func variable(text string) bool {
	return text != "" && (text[0] == '{' || text[0] == '_' ||
		'a' <= text[0] && text[0] <= 'z' || 'A' <= text[0] && text[0] <= 'Z')
}
