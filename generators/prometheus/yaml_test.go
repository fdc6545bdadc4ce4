package prometheus

import (
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

// awkward are texts that some YAML reader takes for something else than a string, or for the end of one.
var awkward = []string{
	"", " ", "a: b", "a #b", "a:", "a ", "true", "False", "No", "y", "null", "~", "0x45", "1x45", "5m", "1e3", "1_0s", "10:23", "2020-01-01",
	"1.5", "/p", "-", "- a", "?", "<<", "=", "*a", "&a", "!a", "|", ">", "@", "`", "{a}", "[a]", "'", `"`, `\`, "%", "%{", "{{ }}", "---", "...",
	"é\u0085\u2028\ufeff", "\t", "\r", "a\nb", " a\n  b", "a\n\nb\n", "\x00", "\x7f", "💥", `up{job="x"} == 0`, "0o7", "0b1", ".inf", "1d", "12h30m", "key: v",
}

// longestKey is what YAML allows a key on one line, 1024 characters, less what escapes add.
const longestKey = 200

// reads compares what the YAML library reads with what was written: any text as value, item of a list and label.
func reads(t rapid.TB, text string) {
	t.Helper()
	key := strings.ToValidUTF8(text[:min(len(text), longestKey)], "")
	d := newDocument(0, "head")
	d.text("value", text)
	d.texts("list", text, text)
	d.list("nested", func() {
		d.next()
		d.labelled("labels", labelSet{{key, text}})
		d.text("last", text)
	})
	var got struct {
		Value  yaml.Node
		List   []yaml.Node
		Nested []struct {
			Labels yaml.Node
			Last   yaml.Node
		}
	}
	if err := yaml.Unmarshal(d.out.Bytes(), &got); err != nil {
		t.Fatalf("%v in\n%s", err, d.out.Bytes())
	}
	if len(got.List) != 2 || len(got.Nested) != 1 || len(got.Nested[0].Labels.Content) != 2 {
		t.Fatalf("other lists and mappings in\n%s", d.out.Bytes())
	}
	label := got.Nested[0].Labels.Content
	for _, c := range []struct {
		got  *yaml.Node
		want string
	}{{&got.Value, text}, {&got.List[0], text}, {&got.List[1], text}, {label[0], key}, {label[1], text}, {&got.Nested[0].Last, text}} {
		if c.got.Kind != yaml.ScalarNode || c.got.ShortTag() != "!!str" || c.got.Value != c.want {
			t.Fatalf("%q reads as %s %q in\n%s", c.want, c.got.ShortTag(), c.got.Value, d.out.Bytes())
		}
	}
}

func TestAnyTextReadsBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		parts := rapid.SliceOf(rapid.OneOf(rapid.SampledFrom(awkward), rapid.String(), rapid.StringMatching(`[ -~]{1,200}`)))
		reads(rt, strings.Join(parts.Draw(rt, "parts"), ""))
	})
	reads(t, strings.Repeat("very long: ", 10_000))
}

func FuzzText(f *testing.F) {
	for _, s := range awkward {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			t.Skip("specs are UTF-8")
		}
		reads(t, s)
	})
}

// An expression keeps its lines and their indents.
func TestLayoutReadsBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		lines := rapid.SliceOfN(rapid.StringMatching(`[ -~äé💥]{0,120}[!-~]`), 1, 9).Draw(rt, "lines")
		text := strings.Join(lines, "\n")
		d := newDocument(0)
		d.list("rules", func() {
			d.next()
			d.layout("expr", text)
			d.text("for", "5m")
		})
		var got struct {
			Rules []struct{ Expr, For string }
		}
		if err := yaml.Unmarshal(d.out.Bytes(), &got); err != nil || len(got.Rules) != 1 || got.Rules[0].Expr != text || got.Rules[0].For != "5m" {
			rt.Fatalf("%q reads as %q, %v, in\n%s", text, got, err, d.out.Bytes())
		}
	})
}

// What has no content is written as such, not as null.
func TestEmptyReadsBack(t *testing.T) {
	d := newDocument(0)
	d.list("list", func() {})
	d.texts("texts")
	d.labelled("labels", nil)
	d.text("last", "x")
	var got struct {
		List, Texts []string
		Labels      map[string]string
		Last        string
	}
	if err := yaml.Unmarshal(d.out.Bytes(), &got); err != nil || got.List == nil || got.Texts == nil || got.Labels == nil || got.Last != "x" {
		t.Errorf("reads as %#v, %v, in\n%s", got, err, d.out.Bytes())
	}
}
