package runbook

import (
	"bytes"
	"fmt"
	"strings"
)

// page is a Markdown document while it is written. Each method adds one block.
type page struct{ text bytes.Buffer }

func (p *page) block(lines ...string) {
	if p.text.Len() > 0 {
		p.text.WriteByte('\n')
	}
	p.lines(lines)
}

func (p *page) lines(lines []string) {
	for _, l := range lines {
		p.text.WriteString(l)
		p.text.WriteByte('\n')
	}
}

func (p *page) heading(level int, title string) {
	p.block(strings.Repeat("#", level) + " " + title)
}

// say adds a paragraph of sentences.
func (p *page) say(sentences ...string) { p.block(strings.Join(sentences, " ")) }

// run adds commands for a shell.
func (p *page) run(lines ...string) { p.fenced("sh", lines) }

func (p *page) fenced(language string, lines []string) {
	p.block("```" + language)
	p.lines(lines)
	p.text.WriteString("```\n")
}

func (p *page) numbered(items ...string) {
	lines := make([]string, len(items))
	for i, item := range items {
		lines[i] = fmt.Sprintf("%d. %s", i+1, item)
	}
	p.block(lines...)
}

func (p *page) table(head []string, rows [][]string) {
	line := func(cells []string) string { return "| " + strings.Join(cells, " | ") + " |" }
	rule := make([]string, len(head))
	for i := range rule {
		rule[i] = "---"
	}
	lines := []string{line(head), line(rule)}
	for _, r := range rows {
		lines = append(lines, line(r))
	}
	p.block(lines...)
}

// code is a word of a command or a file within prose.
func code(s string) string { return "`" + s + "`" }

// word is a word of a shell command: the brackets of an IPv6 address are patterns to some shells.
func word(s string) string {
	if strings.Contains(s, "[") {
		return "'" + s + "'"
	}
	return s
}

// codes are several of them, as a sentence lists them.
func codes(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = code(w)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " and " + quoted[len(quoted)-1]
}
