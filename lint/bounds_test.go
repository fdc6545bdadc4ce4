package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etcdlbgen/etcdlbgen/lint"
)

// TestBounds: what is too much of anything is refused with a word on what and how much, in files that others include, too.
func TestBounds(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  string
		read  int
	}{
		"lines":      {map[string]string{"haproxy.cfg": strings.Repeat("a\n", 40_001)}, "40001 lines", 1},
		"words":      {map[string]string{"rules.v4": "*filter\n" + strings.Repeat("a ", 500_000)}, "500001 words", 1},
		"brackets":   {map[string]string{"nginx.conf": "stream {" + strings.Repeat("{}", 250_000)}, "500002 words", 1},
		"depth":      {map[string]string{"main.tf": "a = " + strings.Repeat("[", 201)}, "201 deep", 1},
		"size":       {map[string]string{"rules.nft": strings.Repeat("#", 4<<20+1)}, "4 MiB", 1},
		"faults":     {map[string]string{"main.tf": strings.Repeat("\"a\n", 5000)}, "more errors of syntax follow", 1},
		"PEM, lines": {map[string]string{"a.crt": "-----BEGIN CERTIFICATE-----\n" + strings.Repeat("\n", 40_000)}, "40001 lines", 1},
		"included": {map[string]string{
			"nginx.conf": "events {}\nstream {\n\tinclude more;\n}\n", "more": strings.Repeat("a;\n", 40_001),
		}, "40001 lines", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for path, text := range tc.files {
				if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			r, err := lint.Run(lint.Options{Paths: []string{dir}, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
			if err != nil {
				t.Fatal(err)
			}
			said := fmt.Sprint(r.Diagnostics)
			if count(r.Diagnostics, "syntax") > 101 || !strings.Contains(said, tc.want) || r.Read != tc.read {
				t.Errorf("%d files read, %d errors of syntax, %.1000s", r.Read, count(r.Diagnostics, "syntax"), said)
			}
		})
	}
}
