package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// TestStarterOptions: the starter spec holds as well with all that it offers in comments, each by itself and together.
func TestStarterOptions(t *testing.T) {
	offered := regexp.MustCompile(`(?m)^\t+// ([A-Za-z]+: \S.*)$`)
	all := offered.FindAllSubmatchIndex(starterSpec, -1)
	if len(all) < 5 {
		t.Fatalf("want options in comments, found %d", len(all))
	}
	together := offered.ReplaceAll(starterSpec, []byte("$1"))
	for _, text := range append([][]byte{starterSpec, together}, each(all)...) {
		path := filepath.Join(t.TempDir(), "spec.cue")
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, diags, err := schema.Load(schema.Input{Paths: []string{path}}); err != nil || diags.Has(diag.Error) {
			t.Errorf("%v %v\n%s", err, diags, text)
		}
	}
}

// each is the starter spec with one option at a time.
func each(options [][]int) [][]byte {
	var out [][]byte
	for _, at := range options {
		text := append([]byte{}, starterSpec[:at[0]]...)
		text = append(text, starterSpec[at[2]:at[3]]...)
		out = append(out, append(text, starterSpec[at[1]:]...))
	}
	return out
}

func TestRevision(t *testing.T) {
	for version, want := range map[string]string{
		"v1.2.0":                             "v1.2.0",
		"(devel)":                            "main",
		"v0.0.0-20261128090909-abcdef012345": "main",
		"v1.2.0+dirty":                       "main",
	} {
		if got := revision(version); got != want {
			t.Errorf("%s: want %s, have %s", version, want, got)
		}
	}
}
