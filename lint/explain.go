package lint

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/etcdlbgen/etcdlbgen/lint/rules"
	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// Explain prints what a rule is about: why it matters, what to do, where others met it, where it fires and where not.
func Explain(w io.Writer, r *rules.Rule) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s (%s): %s\n\nWhy\n", r.ID, r.Severity, r.Title)
	wrap(b, r.Why)
	fmt.Fprint(b, "\nFix\n")
	wrap(b, r.Fix)
	if len(r.References) > 0 {
		fmt.Fprint(b, "\nReferences\n")
		for _, ref := range r.References {
			fmt.Fprintf(b, "  %s\n", link(ref))
		}
	}
	explainExamples(b, r.ID)
	return b.Flush()
}

// ExplainAll lists the rules, one a line.
func ExplainAll(w io.Writer) error {
	b := bufio.NewWriter(w)
	ids, severities := 0, 0
	for _, r := range rules.All {
		ids, severities = max(ids, len(r.ID)), max(severities, len(r.Severity))
	}
	for _, r := range rules.All {
		fmt.Fprintf(b, "%-*s  %-*s  %s\n", ids, r.ID, severities, r.Severity, r.Title)
	}
	return b.Flush()
}

// link is a reference as a URL: "owner/repo#N" is an issue or pull request of GitHub.
func link(ref string) string {
	repo, number, ok := strings.Cut(ref, "#")
	if !ok || strings.Contains(ref, "://") {
		return ref
	}
	return "https://github.com/" + repo + "/issues/" + number
}

// wrap prints a text in lines of at most 80 columns, indented.
func wrap(w io.Writer, text string) {
	line := " "
	for _, word := range strings.Fields(text) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > 80 {
			fmt.Fprintln(w, line)
			line = " "
		}
		line += " " + word
	}
	fmt.Fprintln(w, line)
}

// docs is what reports say of the rules.
func docs() []diag.RuleDoc {
	var out []diag.RuleDoc
	for _, r := range rules.All {
		severity := diag.Warning
		if strings.HasPrefix(r.Severity, "error") {
			severity = diag.Error
		}
		help := r.Why + "\n\nFix: " + r.Fix
		for _, ref := range r.References {
			help += "\n" + link(ref)
		}
		out = append(out, diag.RuleDoc{ID: r.ID, Title: r.Title, Help: help, Severity: severity, URL: rulesURL + "#" + r.ID})
	}
	return out
}

// UnknownRule says that there is no rule of that id.
func UnknownRule(id string) string {
	if near := nearestRule(id); near != "" {
		return fmt.Sprintf("there is no rule %q, did you mean %q? etcdlbgen explain lists them", id, near)
	}
	return fmt.Sprintf("there is no rule %q; etcdlbgen explain lists them", id)
}

func nearestRule(id string) string {
	var ids []string
	for _, r := range rules.All {
		ids = append(ids, r.ID)
	}
	return schema.Nearest(id, ids)
}
