package prometheus

import (
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Any text, as key, value, item or block, is what YAML reads.
func FuzzText(f *testing.F) {
	for _, s := range []string{
		"", " ", "a: b", "a #b", "a:", "a ", "true", "No", "y", "null", "~", "0x45", "1x45", "5m", "1e3", "1_0s", "10:23", "2020-01-01",
		"1.5", "/p", "-", "- a", "?", "<<", "=", "*a", "&a", "!a", "|", ">", "@", "`", "{a}", "[a]", "'", `"`, `\\`, "%", "é\u0085\u2028\ufeff",
		"\t", "a\nb", " a\n  b", "a\n\nb", `up{job="x"} == 0`, "0o7", "0b1", ".inf", "1d", "12h30m",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || len(s) > 1000 {
			t.Skip("specs are UTF-8, and YAML's keys have at most 1024 characters")
		}
		line := strings.ReplaceAll(s, "\n", " ")
		root := mapping(pair{line, text(line)}, pair{"list of texts", sequence(text(line), mapping(pair{"k", text(line)}))})
		var got yaml.Node
		data := document(root, "head")
		if err := yaml.Unmarshal(data, &got); err != nil {
			t.Fatalf("%v in\n%s", err, data)
		}
		entries := got.Content[0].Content
		items := entries[3].Content
		for _, n := range []*yaml.Node{entries[0], entries[1], items[0], items[1].Content[1]} {
			if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" || n.Value != line {
				t.Errorf("%q reads as %s %q in\n%s", line, n.ShortTag(), n.Value, data)
			}
		}
	})
}
