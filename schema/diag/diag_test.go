package diag_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

func text(t *testing.T, d diag.Diagnostic, source string) string {
	t.Helper()
	var b bytes.Buffer
	lookup := func(string) []byte { return []byte(source) }
	if err := diag.Text(&b, diag.List{d}, lookup, false); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestText(t *testing.T) {
	for name, tc := range map[string]struct {
		d            diag.Diagnostic
		source, want string
	}{
		"whole": {
			diag.Diagnostic{
				Span: diag.At("haproxy.cfg", 2, 5, 14), Severity: diag.Error, Rule: "watch-timeout",
				Message: "too short", Hint: "raise it",
				Related: []diag.Related{{Span: diag.At("haproxy.cfg", 1, 1, 8), Message: "the section"}},
			},
			"defaults\n    timeout client 30s\n",
			`haproxy.cfg:2:5: error: too short [watch-timeout]
 2 |     timeout client 30s
   |     ^^^^^^^^^^^^^^
hint: raise it
haproxy.cfg:1:1: note: the section
 1 | defaults
   | ^^^^^^^^
`,
		},
		"file only": {
			diag.Diagnostic{Span: diag.Span{File: "a.pem"}, Severity: diag.Warning, Message: "expired"},
			"x", "a.pem: warning: expired\n",
		},
		"tabs stay tabs": {
			diag.Diagnostic{Span: diag.At("f", 1, 4, 2), Severity: diag.Error, Message: "m"},
			"\ta\tbc", "f:1:4: error: m\n 1 | \ta\tbc\n   | \t \t^^\n",
		},
		"wide runes": {
			diag.Diagnostic{Span: diag.At("f", 1, 3, 1), Severity: diag.Error, Message: "m"},
			"日本x", "f:1:3: error: m\n 1 | 日本x\n   |     ^\n",
		},
		"span over lines": {
			diag.Diagnostic{Span: diag.Span{File: "f", Line: 1, Col: 3, EndLine: 2, EndCol: 1}, Severity: diag.Error, Message: "m"},
			"ab{c\n}", "f:1:3: error: m\n 1 | ab{c\n   |   ^^\n",
		},
		"column behind the end": {
			diag.Diagnostic{Span: diag.At("f", 1, 9, 4), Severity: diag.Error, Message: "m"},
			"ab", "f:1:9: error: m\n 1 | ab\n   |   ^\n",
		},
		"line behind the end": {
			diag.Diagnostic{Span: diag.At("f", 7, 1, 1), Severity: diag.Error, Message: "m"},
			"ab", "f:7:1: error: m\n",
		},
		"terminal escapes": {
			diag.Diagnostic{Span: diag.At("f", 1, 1, 1), Severity: diag.Error, Message: "m\x1b[2J"},
			"a\x1b[2J", "f:1:1: error: m\ufffd[2J\n 1 | a\ufffd[2J\n   | ^\n",
		},
		"password": {
			diag.Diagnostic{Span: diag.At("f", 1, 1, 5), Severity: diag.Error, Message: "m"},
			"stats auth admin:hunter2", "f:1:1: error: m\n 1 | stats auth admin:*******\n   | ^^^^^\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, text(t, tc.d, tc.source)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTextCutsLongLines(t *testing.T) {
	line := strings.Repeat("x", 100_000) + "HERE" + strings.Repeat("y", 100_000)
	out := text(t, diag.Diagnostic{Span: diag.At("f", 1, 100_001, 4), Severity: diag.Error, Message: "m"}, line)
	lines := strings.Split(out, "\n")
	if len(out) > 1000 || !strings.Contains(lines[1], "HERE") {
		t.Fatalf("got %d bytes: %.300s", len(out), out)
	}
	// The ellipsis takes three bytes and one column.
	if got, want := strings.Index(lines[2], "^^^^"), strings.Index(lines[1], "HERE")-2; got != want {
		t.Errorf("caret at %d, want %d", got, want)
	}
}

func TestTextMasksPasswords(t *testing.T) {
	for _, line := range []string{
		"    stats auth admin:hunter2",
		"  user bob insecure-password hunter2 groups x",
		"    auth_pass hunter2",
		`password = "hunter2"`,
		"ETCDCTL_PASSWORD=hunter2",
		"url: https://bob:hunter2@example.com/x",
		`"api_key": "hunter2"`,
		"basic_auth: {password: hunter2}",
		"stats auth a:hunter2 stats auth b:hunter2",
	} {
		out := text(t, diag.Diagnostic{Span: diag.At("f", 1, 1, 1), Severity: diag.Error, Message: "m"}, line)
		if strings.Contains(out, "hunter2") || !strings.Contains(out, "*******") {
			t.Errorf("%s printed as\n%s", line, out)
		}
	}
}

func TestTextColor(t *testing.T) {
	var b bytes.Buffer
	d := diag.Diagnostic{Span: diag.At("f", 1, 1, 1), Severity: diag.Error, Message: "m"}
	if err := diag.Text(&b, diag.List{d}, nil, true); err != nil {
		t.Fatal(err)
	}
	if want := "\x1b[1mf:1:1:\x1b[0m \x1b[1m\x1b[31merror\x1b[0m: m\n"; b.String() != want {
		t.Errorf("got %q", b.String())
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	list := diag.List{
		{
			Span: diag.At("a<b.cfg", 3, 5, 2), Severity: diag.Error, Rule: "watch-timeout", Message: "m", Hint: "h",
			Related: []diag.Related{{Span: diag.At("c", 1, 2, 3), Message: "r"}},
			Edits:   []diag.Edit{{Span: diag.At("a<b.cfg", 3, 5, 2), Text: "1h"}},
		},
		{Span: diag.Span{File: "x.pem"}, Severity: diag.Warning, Rule: "cert-expiry", Message: "old"},
	}
	report := &diag.Report{
		Diagnostics: list, NotJudged: []diag.Unjudged{{Rule: "cert-lb-san", Reason: "no endpoint"}}, FilesRead: 7,
		Suppressed: []diag.Suppressed{{Diagnostic: list[1], Text: "known until=2027-01-31"}},
	}
	prints := diag.Fingerprints(list, nil, "")
	if err := diag.JSON(&b, report); err != nil {
		t.Fatal(err)
	}
	want := `{
  "version": 1,
  "diagnostics": [
    {
      "rule": "watch-timeout",
      "severity": "error",
      "file": "a<b.cfg",
      "line": 3,
      "column": 5,
      "endLine": 3,
      "endColumn": 7,
      "message": "m",
      "hint": "h",
      "related": [
        {
          "file": "c",
          "line": 1,
          "column": 2,
          "endLine": 1,
          "endColumn": 5,
          "message": "r"
        }
      ],
      "edits": [
        {
          "file": "a<b.cfg",
          "line": 3,
          "column": 5,
          "endLine": 3,
          "endColumn": 7,
          "text": "1h"
        }
      ],
      "fingerprint": "` + prints[0] + `"
    },
    {
      "rule": "cert-expiry",
      "severity": "warning",
      "file": "x.pem",
      "message": "old",
      "fingerprint": "` + prints[1] + `"
    }
  ],
  "suppressed": [
    {
      "rule": "cert-expiry",
      "severity": "warning",
      "file": "x.pem",
      "message": "old",
      "fingerprint": "` + prints[1] + `",
      "justification": "known until=2027-01-31"
    }
  ],
  "notJudged": [
    {
      "rule": "cert-lb-san",
      "reason": "no endpoint"
    }
  ],
  "filesRead": 7
}
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestJSONOfNothing(t *testing.T) {
	var b bytes.Buffer
	if err := diag.JSON(&b, &diag.Report{}); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"version": 1.0, "diagnostics": []any{}, "suppressed": []any{}, "notJudged": []any{}, "filesRead": 0.0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSorted(t *testing.T) {
	d := func(file string, line int, rule string) diag.Diagnostic {
		return diag.Diagnostic{Span: diag.At(file, line, 1, 1), Severity: diag.Error, Rule: rule}
	}
	in := diag.List{d("b", 1, "x"), d("a", 10, "x"), d("a", 2, "y"), d("a", 2, "x"), d("b", 1, "x")}
	want := diag.List{d("a", 2, "x"), d("a", 2, "y"), d("a", 10, "x"), d("b", 1, "x")}
	if diff := cmp.Diff(want, in.Sorted()); diff != "" {
		t.Error(diff)
	}
}
