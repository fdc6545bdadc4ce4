package golden

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aymanbagabas/go-udiff"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// formatted reads the findings back out of a format, each as "severity file:line rule".
var formatted = map[string]func(t *testing.T, out string) []string{
	"text": func(_ *testing.T, out string) (found []string) {
		for line := range strings.Lines(out) {
			parts := strings.SplitN(line, ": ", 3)
			ids := findings(line)
			if len(parts) == 3 && len(ids) == 1 {
				place := strings.Split(parts[0], ":")
				found = append(found, fmt.Sprintf("%s %s:%s %s", parts[1], place[0], slices.Concat(place, []string{"0"})[1], ids[0]))
			}
		}
		return found
	},
	"json": func(t *testing.T, out string) (found []string) {
		var r struct {
			Diagnostics []struct {
				Rule, Severity, File string
				Line                 int
			}
		}
		decode(t, json.Unmarshal([]byte(out), &r))
		for _, d := range r.Diagnostics {
			found = append(found, fmt.Sprintf("%s %s:%d %s", d.Severity, d.File, d.Line, d.Rule))
		}
		return found
	},
	"sarif": func(t *testing.T, out string) (found []string) {
		var r struct {
			Runs []struct {
				Results []struct {
					RuleID, Level string
					Locations     []struct {
						PhysicalLocation struct {
							ArtifactLocation struct{ URI string }
							Region           struct{ StartLine int }
						}
					}
					Suppressions []struct{ Kind string }
				}
			}
		}
		decode(t, json.Unmarshal([]byte(out), &r))
		for _, d := range r.Runs[0].Results {
			if len(d.Suppressions) == 0 {
				at := d.Locations[0].PhysicalLocation
				found = append(found, fmt.Sprintf("%s %s:%d %s", d.Level, unescape(at.ArtifactLocation.URI), at.Region.StartLine, d.RuleID))
			}
		}
		return found
	},
	"github": func(_ *testing.T, out string) (found []string) {
		for line := range strings.Lines(out) {
			command, _, _ := strings.Cut(strings.TrimPrefix(line, "::"), "::")
			severity, rest, _ := strings.Cut(command, " ")
			p := map[string]string{"line": "0"}
			for _, pair := range strings.Split(rest, ",") {
				name, value, _ := strings.Cut(pair, "=")
				p[name] = value
			}
			found = append(found, fmt.Sprintf("%s %s:%s %s", severity, unescape(p["file"]), p["line"], p["title"]))
		}
		return found
	},
	"junit": func(t *testing.T, out string) (found []string) {
		var r struct {
			Suites []struct {
				Cases []struct {
					Name    string `xml:"name,attr"`
					File    string `xml:"file,attr"`
					Line    int    `xml:"line,attr"`
					Failure *struct {
						Type string `xml:"type,attr"`
					} `xml:"failure"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		decode(t, xml.Unmarshal([]byte(out), &r))
		for _, s := range r.Suites {
			for _, c := range s.Cases {
				if c.Failure != nil {
					rule, _, _ := strings.Cut(c.Name, " ")
					found = append(found, fmt.Sprintf("%s %s:%d %s", c.Failure.Type, c.File, c.Line, rule))
				}
			}
		}
		return found
	},
}

func decode(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// unescape undoes what URIs and workflow commands do to the names in the case.
func unescape(s string) string {
	return strings.NewReplacer("%20", " ", "%2C", ",", "%25", "%").Replace(s)
}

// TestFormats compares each format with its golden file, and wants the same findings in all, and no password in any.
func TestFormats(t *testing.T) {
	const path = "formats/case.txtar"
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files, want := map[string]string{}, map[string]string{}
	for _, f := range a.Files {
		if name, ok := strings.CutPrefix(f.Name, wantFile+"/"); ok {
			want[name] = string(f.Data)
		} else {
			files[f.Name] = string(f.Data)
		}
	}
	rewrite(t, dir, files)
	first, _, _ := strings.Cut(string(a.Comment), "\n")
	args := append([]string{"lint", "etc"}, strings.Fields(strings.TrimPrefix(first, "args: "))...)
	got := map[string]string{}
	var all []string
	for format, read := range formatted {
		r := etcdlbgen(t, dir, append(args, "--format", format)...)
		if r.code != 1 {
			t.Errorf("%s: exit code %d", format, r.code)
		}
		found := read(t, r.stdout)
		slices.Sort(found)
		if all == nil {
			all = found
		}
		if diff := cmp.Diff(all, found); diff != "" || len(found) < 4 {
			t.Errorf("%s has other findings:\n%s\n%s", format, diff, r.stdout)
		}
		if strings.Contains(r.stdout+r.stderr, "hunter2") {
			t.Errorf("%s shows a password:\n%s%s", format, r.stdout, r.stderr)
		}
		if format == "sarif" {
			validSARIF(t, r.stdout)
		}
		got[format], got["stderr"] = withoutVersion(r.stdout), r.stderr
	}
	if *update {
		var kept []txtar.File
		for _, f := range a.Files {
			if !strings.HasPrefix(f.Name, wantFile+"/") {
				kept = append(kept, f)
			}
		}
		for _, name := range []string{"text", "stderr", "json", "sarif", "github", "junit"} {
			kept = append(kept, txtar.File{Name: wantFile + "/" + name, Data: []byte(got[name])})
		}
		a.Files = kept
		if err := os.WriteFile(filepath.FromSlash(path), txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for name, text := range got {
		if text != want[name] {
			t.Errorf("%s: if that is right: go test ./golden -update\n%s", name, udiff.Unified("want", "got", want[name], text))
		}
	}
}

// validSARIF asks the schema of OASIS.
func validSARIF(t *testing.T, out string) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../schema/diag/testdata/sarif-schema-2.1.0.json")
	decode(t, err)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
	decode(t, err)
	if err := schema.Validate(doc); err != nil {
		t.Error(err)
	}
}

// withoutVersion takes out the line with the program's version, which differs from build to build.
func withoutVersion(out string) string {
	lines := strings.SplitAfter(out, "\n")
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool {
		return strings.HasPrefix(strings.TrimSpace(l), `"version": "`) && !strings.Contains(l, "2.1.0")
	}), "")
}
