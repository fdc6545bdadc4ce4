package lint

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/lint/rules"
)

// document is what Document made of the rules and their golden cases.
//
//go:embed RULES.md
var document string

// rulesURL is where it is read.
const rulesURL = "https://github.com/etcdlbgen/etcdlbgen/blob/main/lint/RULES.md"

// Document is the documentation of all rules in Markdown, each below a heading that is its id. Examples is the Markdown
// of a rule's examples, "" where it has none.
func Document(examples func(rule string) string) []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, "# Rules\n\n", "What `etcdlbgen lint` finds, and why it matters; `etcdlbgen explain RULE` prints the same. Made from the rules\n",
		"and their cases below [golden/lint](../golden/lint) by `go test ./golden -update`.\n\n", "| rule | severity | |\n|---|---|---|\n")
	for _, r := range rules.All {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", r.ID, r.ID, r.Severity, escaped(r.Title))
	}
	for _, r := range rules.All {
		fmt.Fprintf(&b, "\n## %s\n\n%s (%s)\n\n**Why**\n\n%s\n\n**Fix**\n\n%s\n", r.ID, escaped(r.Title), r.Severity, escaped(r.Why), escaped(r.Fix))
		if len(r.References) > 0 {
			fmt.Fprint(&b, "\n**References**\n\n")
			for _, ref := range r.References {
				fmt.Fprintf(&b, "- <%s>\n", link(ref))
			}
		}
		if e := examples(r.ID); e != "" {
			fmt.Fprintf(&b, "\n%s\n%s", examplesHeading, e)
		}
	}
	return b.Bytes()
}

// escaped is a text in which Markdown sees nothing but code in backticks.
func escaped(text string) string {
	parts := strings.Split(text, "`")
	for i := 0; i < len(parts); i += 2 { // the others are code
		parts[i] = strings.NewReplacer("<", "&lt;", "*", `\*`, "|", `\|`).Replace(parts[i])
	}
	return strings.Join(parts, "`")
}

const examplesHeading = "**Examples**"

// explainExamples prints a rule's examples as a terminal shows them: what Markdown fences is indented.
func explainExamples(w io.Writer, rule string) {
	section, shown, fence := "", false, ""
	for line := range strings.Lines(document) {
		text := strings.TrimRight(line, "\n")
		switch {
		case fence != "" && text == fence:
			fence = ""
			continue
		case fence != "":
			if shown {
				fmt.Fprintln(w, strings.TrimRight("    "+text, " "))
			}
			continue
		case strings.HasPrefix(text, "```"):
			fence = text[:len(text)-len(strings.TrimLeft(text, "`"))]
			continue
		case strings.HasPrefix(text, "## "):
			section, shown = strings.TrimPrefix(text, "## "), false
		case section == rule && text == examplesHeading:
			shown = true
			fmt.Fprint(w, "\nExamples\n")
			continue
		}
		if shown {
			fmt.Fprintln(w, strings.TrimRight("  "+strings.NewReplacer("`", "", "**", "").Replace(text), " "))
		}
	}
}
