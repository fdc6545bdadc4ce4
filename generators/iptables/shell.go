package iptables

import (
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// shell runs a script as far as its text tells what happens: literals in variables, and loops over literals. What only a
// run would tell stays dynamic.
type shell struct {
	do     func(statement)
	vars   map[string]string // what is surely in a variable
	branch int               // conditions around the statement at hand
	left   int               // statements that loops may still repeat
	budget int               // bytes that variables may still unfold to
}

// maxRepeated bounds what loops within loops may grow to.
const maxRepeated = 10_000

// maxUnfolded bounds what the variables of a script may come to, in bytes.
const maxUnfolded = 1 << 20

// maxBody bounds the statements of a loop that are kept to be done again.
const maxBody = 1_000

// run does the statements of a script, or the lines of a dump.
func run(next func() (statement, bool), do func(statement)) {
	sh := &shell{do: do, vars: map[string]string{}, left: maxRepeated, budget: maxUnfolded}
	for s, ok := next(); ok; s, ok = next() {
		if !isFor(s) {
			sh.statement(s)
			continue
		}
		body := []statement{s}
		for depth := 1; depth > 0 && len(body) < maxBody; {
			s, ok := next()
			if !ok {
				break
			}
			body = append(body, s)
			depth += nesting(s)
		}
		sh.block(body)
	}
}

// block does statements that are all at hand, loops and all.
func (sh *shell) block(statements []statement) {
	for i := 0; i < len(statements); i++ {
		s := statements[i]
		if isFor(s) {
			if end := endOfLoop(statements, i); end > 0 {
				sh.loop(s, statements[i+1:end])
				i = end
				continue
			}
		}
		sh.statement(s)
	}
}

func (sh *shell) statement(s statement) {
	if len(s.words) == 0 {
		sh.do(s)
		return
	}
	switch keyword := command(s.words)[0].text; {
	case opens[keyword]:
		sh.branch++
	case closes[keyword] && sh.branch > 0:
		sh.branch--
	}
	if sh.assigns(s) {
		return
	}
	if s.words = sh.expandAll(s.words); len(s.words) > 0 {
		sh.do(s)
	}
}

// isFor reports whether a loop over words begins.
func isFor(s statement) bool {
	if len(s.words) == 0 {
		return false
	}
	words := command(s.words)
	return len(words) > 3 && words[0].text == "for" && words[2].text == "in"
}

var (
	opens  = map[string]bool{"if": true, "case": true, "while": true, "until": true}
	closes = map[string]bool{"fi": true, "esac": true}
	loops  = map[string]bool{"for": true, "while": true, "until": true, "select": true}
)

// endOfLoop is the index of the "done" of the loop that begins at i, or 0.
func endOfLoop(statements []statement, i int) int {
	for depth := 0; i < len(statements); i++ {
		if depth += nesting(statements[i]); depth <= 0 {
			return i
		}
	}
	return 0
}

// keywords may stand before a command.
var keywords = []string{"do", "then", "else", "{", "!"}

// command is a statement's words without the keywords before them.
func command(words []word) []word {
	for len(words) > 1 && slices.Contains(keywords, words[0].text) {
		words = words[1:]
	}
	return words
}

// nesting is 1 for a statement that begins a loop, -1 for one that ends it.
func nesting(s statement) int {
	if len(s.words) == 0 {
		return 0
	}
	switch words := command(s.words); {
	case loops[words[0].text]:
		return 1
	case words[0].text == "done":
		return -1
	}
	return 0
}

// loop does the body of a loop for each value, or once, with any value, where these are not all there to read.
func (sh *shell) loop(s statement, body []statement) {
	words := command(s.words)
	name, values := words[1].text, sh.expandAll(words[3:])
	plain := !slices.ContainsFunc(values, func(w word) bool { return w.dynamic || strings.ContainsAny(w.text, "*{") })
	if sh.left -= len(values) * len(body); !plain || sh.left < 0 {
		delete(sh.vars, name)
		sh.block(body)
		return
	}
	for _, v := range values {
		sh.vars[name] = v.text
		sh.block(body)
	}
	delete(sh.vars, name)
}

// maxValue keeps variables that are made of variables from growing without end.
const maxValue = 4096

var (
	assignment = pattern.New(`^([A-Za-z_]\w*)(\+?=)(?s:(.*))$`)
	reference  = pattern.New(`\$\{(\w+)(?::?-([^}$]*))?\}|\$(\w+)`)
	// declares are commands whose arguments are assignments.
	declares = []string{"export", "readonly", "local", "declare", "typeset"}
)

// assigns takes in a statement that is nothing but assignments. In a branch a variable then has either value.
func (sh *shell) assigns(s statement) bool {
	words := command(s.words)
	if slices.Contains(declares, words[0].text) {
		words = words[1:]
	} else if slices.ContainsFunc(words, func(w word) bool { return !assignment.MatchString(w.text) }) {
		return false
	}
	for _, w := range words {
		m := assignment.FindStringSubmatch(w.text)
		if m == nil {
			continue
		}
		if w.dynamic {
			if value, ok := sh.expand(m[3]); ok {
				m[3], w.dynamic = value, topology.IsHole(value)
			}
		}
		old, known := sh.vars[m[1]]
		same := known && old == m[3]
		if w.dynamic || len(m[3]) > maxValue || m[2] != "=" || (sh.branch > 0 || s.chained) && !same {
			delete(sh.vars, m[1])
			continue
		}
		sh.vars[m[1]] = m[3]
	}
	return true
}

// expandAll puts the values of variables in their place. One that stands alone and unquoted may be several words.
func (sh *shell) expandAll(words []word) []word {
	if !slices.ContainsFunc(words, func(w word) bool { return w.dynamic }) {
		return words
	}
	var out []word
	for _, w := range words {
		text, ok := w.text, false
		if w.dynamic {
			text, ok = sh.expand(w.text)
		}
		if !ok {
			out = append(out, w)
			continue
		}
		w.text, w.dynamic = text, topology.IsHole(text)
		if w.quoted {
			out = append(out, w)
			continue
		}
		for _, field := range strings.Fields(text) {
			part := w
			part.text = field
			out = append(out, part)
		}
	}
	return out
}

// expand is a word with the values of its variables; not ok where one is not known. What a variable holds by default, it
// holds.
func (sh *shell) expand(text string) (string, bool) {
	var b strings.Builder
	at := 0
	for _, m := range reference.FindAllStringSubmatchIndex(text, -1) {
		name := group(text, m, 1) + group(text, m, 3)
		value, known := sh.vars[name]
		if !known && m[4] < 0 {
			return "", false
		}
		if !known {
			value = group(text, m, 2)
		}
		if sh.budget -= len(value); sh.budget < 0 {
			return "", false
		}
		b.WriteString(text[at:m[0]] + value)
		at = m[1]
	}
	b.WriteString(text[at:])
	out := b.String()
	return out, !strings.ContainsAny(out, "$`")
}

// group is what a group of a match holds.
func group(text string, m []int, i int) string {
	if m[2*i] < 0 {
		return ""
	}
	return text[m[2*i]:m[2*i+1]]
}
