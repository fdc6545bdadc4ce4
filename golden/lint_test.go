package golden

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aymanbagabas/go-udiff"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/etcdlbgen/etcdlbgen/lint/rules"
)

// A case below lint/<rule>/ is an archive: files to lint, and in "want" what lint says of them. A line "args: …" above
// the files adds arguments. In bad*.txtar the rule fires, and the files below fixed/ are the same with the hint followed.
// In ok*.txtar it is silent, though a careless rule would fire.
const (
	wantFile = "want"
	fixedDir = "fixed/"
)

func TestLint(t *testing.T) {
	archives, err := filepath.Glob("lint/*/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no cases below lint: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(path), "lint/"), ".txtar"), func(t *testing.T) {
			t.Parallel()
			lintCase(t, path)
		})
	}
}

func lintCase(t *testing.T, path string) {
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rule := filepath.Base(filepath.Dir(path))
	got := lintFiles(t, a, false)
	fires := strings.Contains(got, " ["+rule+"]\n")
	if bad := strings.HasPrefix(filepath.Base(path), "bad"); bad != fires {
		t.Errorf("%s fires: %v\n%s", rule, fires, got)
	}
	for _, id := range findings(got) {
		if id == "spec" || id == "syntax" {
			t.Errorf("the case cannot be read:\n%s", got)
		}
	}
	if fires {
		fixed := lintFiles(t, a, true)
		for _, id := range findings(fixed) {
			if id == rule || !slices.Contains(findings(got), id) {
				t.Errorf("the fix leaves or raises %s:\n%s", id, fixed)
			}
		}
	}
	i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == wantFile })
	if *update {
		if i < 0 {
			a.Files = append(a.Files, txtar.File{Name: wantFile})
			i = len(a.Files) - 1
		}
		a.Files[i].Data = []byte(got)
		if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if i < 0 {
		t.Fatalf("no %s; go test ./golden -update adds it", wantFile)
	}
	if want := string(a.Files[i].Data); got != want {
		t.Errorf("if that is right: go test ./golden -update\n%s", udiff.Unified("want", "got", want, got))
	}
}

// lintFiles lints the files of a case, or the fixed ones in their place, and returns all that is printed.
func lintFiles(t *testing.T, a *txtar.Archive, fixed bool) string {
	t.Helper()
	files := map[string]string{}
	fixes := 0
	for _, f := range a.Files {
		name, isFixed := strings.CutPrefix(f.Name, fixedDir)
		switch {
		case f.Name == wantFile:
		case !isFixed && files[name] == "", isFixed && fixed:
			files[name] = string(f.Data)
		}
		if isFixed {
			fixes++
		}
	}
	if fixed && fixes == 0 {
		t.Errorf("no files below %s", fixedDir)
	}
	dir := filepath.Join(t.TempDir(), "case")
	rewrite(t, dir, files)
	r := etcdlbgen(t, dir, lintArgs(a)...)
	if r.code > 1 {
		t.Fatalf("exit code %d:\n%s", r.code, r.stderr)
	}
	return r.stdout + r.stderr
}

// lintArgs is the command line of a case.
func lintArgs(a *txtar.Archive) []string {
	args := []string{"lint"}
	for line := range strings.Lines(string(a.Comment)) {
		if rest, ok := strings.CutPrefix(line, "args: "); ok {
			args = append(args, strings.Fields(rest)...)
		}
	}
	return args
}

// findings are the rules in brackets at the ends of lines.
func findings(out string) []string {
	var ids []string
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if i := strings.LastIndex(line, " ["); i >= 0 && strings.HasSuffix(line, "]") {
			ids = append(ids, line[i+2:len(line)-1])
		}
	}
	return ids
}

// TestEachRuleHasCases wants a firing and a silent case of each rule that judges.
func TestEachRuleHasCases(t *testing.T) {
	for _, r := range rules.All {
		if r.Check == nil {
			continue
		}
		for _, kind := range []string{"bad", "ok"} {
			if found, err := filepath.Glob(filepath.Join("lint", r.ID, kind+"*.txtar")); err != nil || len(found) == 0 {
				t.Errorf("add golden/lint/%s/%s.txtar", r.ID, kind)
			}
		}
	}
	folders, err := filepath.Glob("lint/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range folders {
		if rules.Find(filepath.Base(dir)) == nil {
			t.Errorf("%s is of no rule", dir)
		}
	}
}

// TestSuppressionIsCarried wants a finding that a spec suppresses to be suppressed in what is built from it, too.
func TestSuppressionIsCarried(t *testing.T) {
	dir := t.TempDir()
	spec := `cluster: {
	name: "prod"
	members: {
		"etcd-1": {address: "10.0.1.10", zone: "a"}
		"etcd-2": {address: "10.0.1.11", zone: "b"}
		"etcd-3": {address: "10.0.1.12", zone: "c"}
	}
}
// etcdlbgen:ignore check-tcp-only etcd has no metrics listener yet until=2999-12-31
loadBalancer: {
	host: "etcd-lb.example.com"
	// etcdlbgen:ignore watch-timeout clients come back at once
	timeouts: idle: "60s"
}
targets: {
	haproxy: {}
	nginx: edition: "plus"
	terraform: aws: {}
}
`
	rewrite(t, dir, map[string]string{"spec.cue": spec})
	built := etcdlbgen(t, dir, "build", "spec.cue", "-o", "out")
	if built.code != 0 || strings.Contains(built.stderr, "[") {
		t.Fatalf("exit code %d:\n%s", built.code, built.stderr)
	}
	for _, paths := range [][]string{{"out"}, {"spec.cue", "out"}} {
		r := etcdlbgen(t, dir, append([]string{"lint"}, paths...)...)
		if r.code != 0 || r.stdout != "" {
			t.Errorf("lint %v: exit code %d:\n%s", paths, r.code, r.stdout)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "out/haproxy/haproxy.cfg"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "# etcdlbgen:ignore check-tcp-only etcd has no metrics listener yet until=2999-12-31\n"; !strings.Contains(string(text), want) {
		t.Errorf("haproxy.cfg lacks %q:\n%s", want, text)
	}
	if again := etcdlbgen(t, dir, "build", "spec.cue", "-o", "out", "--check"); again.code != 0 {
		t.Errorf("build --check: exit code %d:\n%s%s", again.code, again.stdout, again.stderr)
	}
}
