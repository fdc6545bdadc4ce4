package golden

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/etcdlbgen/etcdlbgen/lint"
	"github.com/etcdlbgen/etcdlbgen/lint/rules"
)

// TestRulesDocument compares lint/RULES.md with the rules and the first firing and the first silent case of each.
func TestRulesDocument(t *testing.T) {
	const path = "../lint/RULES.md"
	got := string(lint.Document(func(rule string) string {
		return example(t, rule, "bad", "Fires") + example(t, rule, "ok", "Silent")
	}))
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, map[string]string{"RULES.md": string(want)}, map[string]string{"RULES.md": got})
}

// TestExplain wants explain to show all that RULES.md says of a rule.
func TestExplain(t *testing.T) {
	dir := t.TempDir()
	for _, r := range rules.All {
		said := words(etcdlbgen(t, dir, "explain", r.ID).stdout)
		for _, text := range []string{r.Title, r.Why, r.Fix} {
			if !strings.Contains(said, words(text)) {
				t.Errorf("explain %s lacks %q", r.ID, text)
			}
		}
		if r.Check == nil {
			continue
		}
		for _, kind := range []string{"bad", "ok"} {
			for _, f := range firstCase(t, r.ID, kind).Files {
				if !strings.HasPrefix(f.Name, fixedDir) && !strings.Contains(said, words(short(f.Data))) {
					t.Errorf("explain %s lacks %s of its first %s case; go test ./golden -update", r.ID, f.Name, kind)
				}
			}
		}
	}
}

// words is a text with single blanks.
func words(s string) string { return strings.Join(strings.Fields(s), " ") }

// firstCase is the case of a kind whose name comes first, if it can one that the rule could judge; it has no files where
// there is none.
func firstCase(t *testing.T, rule, kind string) *txtar.Archive {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("lint", rule, kind+"*.txtar"))
	if err != nil || len(found) == 0 {
		return &txtar.Archive{}
	}
	slices.SortFunc(found, func(a, b string) int { // bad.txtar before bad-x.txtar
		return cmp.Compare(strings.TrimSuffix(a, ".txtar"), strings.TrimSuffix(b, ".txtar"))
	})
	var first *txtar.Archive
	for _, path := range found {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		blind := slices.ContainsFunc(a.Files, func(f txtar.File) bool {
			return f.Name == wantFile && strings.Contains(string(f.Data), " "+rule+" (")
		})
		if !blind {
			return a
		}
		if first == nil {
			first = a
		}
	}
	return first
}

// example is a case in Markdown: its files, and what lint says of them.
func example(t *testing.T, rule, kind, heading string) string {
	a := firstCase(t, rule, kind)
	if len(a.Files) == 0 {
		return ""
	}
	var b strings.Builder
	command, remark := "$ etcdlbgen lint", ""
	for line := range strings.Lines(string(a.Comment)) {
		if rest, ok := strings.CutPrefix(line, "args: "); ok {
			command += " " + strings.TrimSpace(rest)
		} else {
			remark += " " + strings.TrimSpace(line)
		}
	}
	fmt.Fprintf(&b, "\n**%s.**%s\n", heading, strings.TrimRight(remark, " "))
	for _, f := range a.Files {
		switch {
		case f.Name == wantFile:
			fmt.Fprintf(&b, "\n%s", fenced("console", command+"\n"+string(f.Data)))
		case !strings.HasPrefix(f.Name, fixedDir):
			fmt.Fprintf(&b, "\n`%s`:\n\n%s", f.Name, fenced(language(f.Name), short(f.Data)))
		}
	}
	return b.String()
}

var pemBody = regexp.MustCompile(`(?s)(-----BEGIN [A-Z ]+-----\n).*?(\n-----END)`)

// short is a file without the bodies of certificates, which nobody reads.
func short(data []byte) string { return string(pemBody.ReplaceAll(data, []byte("$1…$2"))) }

func fenced(language, text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + language + "\n" + strings.TrimRight(text, "\n") + "\n" + fence + "\n"
}

// language is what GitHub colours a file as.
func language(name string) string {
	switch filepath.Ext(name) {
	case ".cfg":
		return "haproxy"
	case ".conf":
		return "nginx"
	case ".tf":
		return "hcl"
	case ".cue":
		return "cue"
	case ".yaml", ".yml":
		return "yaml"
	case ".sh":
		return "sh"
	}
	return "text"
}
