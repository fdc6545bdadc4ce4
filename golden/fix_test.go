package golden

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestFixOfCases wants what --fix does to a firing case to silence the rule, and to raise nothing else.
func TestFixOfCases(t *testing.T) {
	archives, err := filepath.Glob("lint/*/bad*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no cases below lint: %v", err)
	}
	fixed := map[string]bool{} // rules
	for _, path := range archives {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, f := range a.Files {
			if !strings.HasPrefix(f.Name, fixedDir) && f.Name != wantFile {
				files[f.Name] = string(f.Data)
			}
		}
		dir := filepath.Join(t.TempDir(), "case")
		rewrite(t, dir, files)
		rule := filepath.Base(filepath.Dir(path))
		before := etcdlbgen(t, dir, lintArgs(a)...)
		r := etcdlbgen(t, dir, append(lintArgs(a), "--fix", "--rule", rule)...)
		if !strings.Contains(r.stderr, ": fixed ["+rule+"]\n") {
			continue
		}
		fixed[rule] = true
		for _, id := range findings(etcdlbgen(t, dir, lintArgs(a)...).stdout) {
			if id == rule || !slices.Contains(findings(before.stdout), id) {
				t.Errorf("%s: fixed, %s fires", path, id)
			}
		}
	}
	for _, rule := range []string{
		"watch-timeout", "timeout-mismatch", "connect-budget", "check-conflict", "check-endpoint", "check-endpoint-version",
		"check-slow", "check-flappy", "stale-sessions", "balance-long-lived",
	} {
		if !fixed[rule] {
			t.Errorf("no case of %s is fixed", rule)
		}
	}
}
