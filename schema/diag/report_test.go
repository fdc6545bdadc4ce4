package diag_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// report has one finding of each kind: with an edit and another place, over several lines, of a whole file, of no file,
// suppressed by a comment and by a baseline. A password stands on each line, and in a comment.
func report(t testing.TB) *diag.Report {
	dir, err := filepath.Abs(string(filepath.Separator) + "repo")
	if err != nil {
		t.Fatal(err)
	}
	at := func(line int) diag.Span { return diag.At("a b/haproxy:1.cfg", line, 3, 4) }
	hardCoded := func(line int) diag.Diagnostic {
		return diag.Diagnostic{Span: at(line), Severity: diag.Error, Rule: "default-credentials", Message: "m", Subject: "stats"}
	}
	return &diag.Report{
		Diagnostics: diag.List{
			{
				Span: at(1), Severity: diag.Error, Rule: "watch-timeout", Message: "100% too short, dies: \x1b[2J", Hint: "raise it",
				Related: []diag.Related{{Span: at(2), Message: "and here"}, {Message: "nowhere"}},
				Edits:   []diag.Edit{{Span: at(1), Text: "1h"}, {Span: at(2), Text: "1h"}},
			},
			{Span: diag.Span{File: "x", Line: 1, Col: 2, EndLine: 3, EndCol: 1}, Severity: diag.Warning, Rule: "unknown-to-docs", Message: "m"},
			{Span: diag.Span{File: filepath.Join(dir, "sub", "c.pem")}, Severity: diag.Warning, Rule: "cert-expiry", Message: "old"},
			{Severity: diag.Error, Rule: "watch-timeout", Message: "placeless"},
		},
		Suppressed: []diag.Suppressed{
			{Diagnostic: hardCoded(2), Text: "stats auth a:hunter2 is local until=2027-01-31"},
			{Diagnostic: hardCoded(3), Baseline: true},
		},
		NotJudged: []diag.Unjudged{{Rule: "cert-lb-san", Reason: "no endpoint known"}},
		FilesRead: 3,
		Rules: []diag.RuleDoc{
			{ID: "cert-expiry", Title: "old", Help: "h", Severity: diag.Warning, URL: "https://example.com/#cert-expiry"},
			{ID: "never-mentioned", Title: "n", Help: "h", Severity: diag.Error, URL: "https://example.com/#n"},
			{ID: "watch-timeout", Title: "cuts", Help: "h", Severity: diag.Error, URL: "https://example.com/#watch-timeout"},
		},
		Source:  func(string) []byte { return []byte(strings.Repeat("  stats auth admin:hunter2\n", 3)) },
		Dir:     dir,
		Version: "v1.2.3",
	}
}

var printers = map[string]func(io.Writer, *diag.Report) error{
	"json": diag.JSON, "sarif": diag.SARIF, "github": diag.GitHub, "junit": diag.JUnit,
}

func printed(t testing.TB, format string, r *diag.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := printers[format](&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestNoFormatShowsPasswords(t *testing.T) {
	for format := range printers {
		if out := printed(t, format, report(t)); bytes.Contains(out, []byte("hunter2")) {
			t.Errorf("%s:\n%s", format, out)
		}
	}
}

// TestSARIFIsValid asks the schema of OASIS.
func TestSARIFIsValid(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*diag.Report{"full": report(t), "empty": {}} {
		out := printed(t, "sarif", r)
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	if err := schema.Validate(map[string]any{"version": "2.1.0", "runs": []any{map[string]any{}}}); err == nil {
		t.Error("the schema accepts a run without a tool: it is not in force")
	}
}

func TestSARIF(t *testing.T) {
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Version string
					Rules   []struct{ ID, HelpURI string }
				}
			}
			Invocations []struct {
				ToolExecutionNotifications []struct{ Message struct{ Text string } }
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Locations []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				}
				Suppressions []struct{ Kind, Justification string }
				Fixes        []struct {
					ArtifactChanges []struct {
						Replacements []struct{ InsertedContent struct{ Text string } }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(printed(t, "sarif", report(t)), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	var got []string
	for _, r := range run.Results {
		line := r.RuleID
		if r.RuleIndex >= 0 {
			line += " " + run.Tool.Driver.Rules[r.RuleIndex].HelpURI
		}
		for _, l := range r.Locations {
			line += " " + l.PhysicalLocation.ArtifactLocation.URI
		}
		for _, s := range r.Suppressions {
			line += fmt.Sprintf(" %s: %s", s.Kind, s.Justification)
		}
		for _, f := range r.Fixes {
			line += fmt.Sprint(" fix ", f.ArtifactChanges)
		}
		got = append(got, line)
	}
	want := []string{
		"watch-timeout https://example.com/#watch-timeout a%20b/haproxy:1.cfg fix [{[{{1h}} {{1h}}]}]",
		"unknown-to-docs x",
		"cert-expiry https://example.com/#cert-expiry sub/c.pem",
		"watch-timeout https://example.com/#watch-timeout",
		"default-credentials a%20b/haproxy:1.cfg inSource: stats auth a:******* is local until=2027-01-31",
		"default-credentials a%20b/haproxy:1.cfg external: in the baseline",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(run.Tool.Driver.Rules) != 2 || run.Tool.Driver.Version != "v1.2.3" {
		t.Errorf("want the rules that are mentioned, have %v", run.Tool.Driver)
	}
	if n := run.Invocations[0].ToolExecutionNotifications; len(n) != 1 || n[0].Message.Text != "not judged: no endpoint known" {
		t.Errorf("not judged: %v", n)
	}
}

func TestGitHub(t *testing.T) {
	want := "::error file=a b/haproxy%3A1.cfg,line=1,col=3,endColumn=6,title=watch-timeout::100%25 too short, dies: \ufffd[2J%0Ahint: raise it\n" +
		"::warning file=x,line=1,endLine=3,title=unknown-to-docs::m\n" +
		"::warning file=sub/c.pem,title=cert-expiry::old\n" +
		"::error title=watch-timeout::placeless\n"
	if diff := cmp.Diff(want, string(printed(t, "github", report(t)))); diff != "" {
		t.Error(diff)
	}
}

func TestJUnit(t *testing.T) {
	type suite struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Name string `xml:"name,attr"`
		} `xml:"testcase"`
	}
	var got struct {
		suite
		Suites []suite `xml:"testsuite"`
	}
	for name, tc := range map[string]struct {
		report                   *diag.Report
		tests, failures, skipped int
		first                    string
	}{
		"findings": {report(t), 6, 4, 2, "watch-timeout 1:3"},
		"none":     {&diag.Report{}, 1, 0, 0, "lint"},
	} {
		got.Suites = nil
		if err := xml.Unmarshal(printed(t, "junit", tc.report), &got); err != nil {
			t.Fatal(err)
		}
		sum := suite{}
		for _, s := range got.Suites {
			sum.Tests, sum.Failures, sum.Skipped = sum.Tests+s.Tests, sum.Failures+s.Failures, sum.Skipped+s.Skipped
		}
		if got.Tests != tc.tests || got.Failures != tc.failures || got.Skipped != tc.skipped || got.Suites[0].Cases[0].Name != tc.first {
			t.Errorf("%s: got %+v", name, got)
		}
		if sum.Tests != tc.tests || sum.Failures != tc.failures || sum.Skipped != tc.skipped {
			t.Errorf("%s: the suites add up to %+v", name, sum)
		}
	}
}

func TestFingerprints(t *testing.T) {
	of := func(d diag.Diagnostic, text, dir string) string {
		return diag.Fingerprints(diag.List{d}, func(string) []byte { return []byte(text) }, dir)[0]
	}
	d := diag.Diagnostic{Span: diag.At("a/b.cfg", 1, 1, 4), Rule: "watch-timeout", Subject: "haproxy listener etcd", Message: "m"}
	same := of(d, "timeout client 30s\n", "/repo")
	moved := d
	moved.Span.Line, moved.Message = 3, "put otherwise"
	if of(moved, "\n\n\ttimeout  client 30s\r\n", "/repo") != same {
		t.Error("it changes when the line moves")
	}
	absolute := d
	absolute.Span.File = "/repo/a/b.cfg"
	if of(absolute, "timeout client 30s", "/repo") != same {
		t.Error("it changes with the way a file is named")
	}
	other := d
	other.Rule = "timeout-mismatch"
	elsewhere := d
	elsewhere.Span.File = "c.cfg"
	if of(other, "timeout client 30s\n", "/repo") == same || of(elsewhere, "timeout client 30s\n", "/repo") == same ||
		of(d, "timeout client 31s\n", "/repo") == same {
		t.Error("different findings have one fingerprint")
	}
}
