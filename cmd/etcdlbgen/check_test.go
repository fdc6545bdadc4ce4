package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// drift runs a check, which must not write, and returns its diff; "" means that there is none.
func drift(t *testing.T, dir string, tr tree) string {
	t.Helper()
	before := snapshot(t, dir)
	var out bytes.Buffer
	drift, err := checkTree(dir, tr, &out)
	if err != nil {
		t.Fatal(err)
	}
	if drift != (out.Len() > 0) {
		t.Errorf("drift %t, and the diff is %q", drift, &out)
	}
	if diff := cmp.Diff(before, snapshot(t, dir)); diff != "" {
		t.Errorf("check wrote something:\n%s", diff)
	}
	return out.String()
}

func TestCheckDiff(t *testing.T) {
	dir := scratch(t)
	mustWrite(t, dir, single("haproxy/a", "one\ntwo\n", "haproxy/apply.sh", "x\n", "haproxy/gone", "stale\n"))
	if got := drift(t, dir, single("haproxy/a", "one\ntwo\n", "haproxy/apply.sh", "x\n", "haproxy/gone", "stale\n")); got != "" {
		t.Errorf("drift after a build:\n%s", got)
	}
	if err := os.Chmod(filepath.Join(dir, "haproxy/apply.sh"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := drift(t, dir, single("haproxy/a", "one\n2\n", "haproxy/apply.sh", "x\n", "haproxy/new", "new\n"))
	got, _, _ = strings.Cut(got, "diff --git a/"+manifestName)
	want := `diff --git a/haproxy/a b/haproxy/a
--- a/haproxy/a
+++ b/haproxy/a
@@ -1,2 +1,2 @@
 one
-two
+2
diff --git a/haproxy/apply.sh b/haproxy/apply.sh
old mode 100644
new mode 100755
diff --git a/haproxy/gone b/haproxy/gone
deleted file mode 100644
--- a/haproxy/gone
+++ /dev/null
@@ -1 +0,0 @@
-stale
diff --git a/haproxy/new b/haproxy/new
new file mode 100644
--- /dev/null
+++ b/haproxy/new
@@ -0,0 +1 @@
+new
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestCheckDiffApplies: git makes of the folder, with the diff, what a build would.
func TestCheckDiffApplies(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") == "" {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ old, want tree }{
		"first build":   {tree{}, newTree},
		"changed fleet": {oldTree, newTree},
		"other shape":   {oldTree, single("haproxy/a", "a", "empty", "")},
		"no last line":  {single("haproxy/a", "a"), single("haproxy/a", "a\nb")},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(scratch(t), "out")
			if test.old.clusters != nil {
				mustWrite(t, dir, test.old)
			}
			diff := drift(t, dir, test.want)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			git := exec.Command("git", "apply", "-")
			git.Dir = dir
			git.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES=/")
			git.Stdin = strings.NewReader(diff)
			if out, err := git.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s\n%s", err, out, diff)
			}
			sameAsFresh(t, dir, test.want)
		})
	}
}

func TestCheckOfAMissingFolder(t *testing.T) {
	dir := filepath.Join(scratch(t), "a", "out")
	if got := drift(t, dir, single("haproxy/a", "a\n")); !strings.Contains(got, "+++ b/haproxy/a\n") {
		t.Errorf("the file is not in the diff:\n%s", got)
	}
	if _, err := os.Stat(filepath.Dir(dir)); err == nil {
		t.Error("check made a folder")
	}
}

func TestCheckSeesWhatABuildWouldStopAt(t *testing.T) {
	dir := scratch(t)
	mustWrite(t, dir, single("haproxy/a", "a\n"))
	put(t, dir, "haproxy/a", "edited\n")
	put(t, dir, "haproxy/b", "foreign\n")
	got := drift(t, dir, single("haproxy/a", "a\n", "haproxy/b", "b\n"))
	for _, line := range []string{"-edited\n+a\n", "-foreign\n+b\n"} {
		if !strings.Contains(got, line) {
			t.Errorf("%q is not in the diff:\n%s", line, got)
		}
	}
	put(t, dir, "haproxy/a", "no\x00text")
	if got := drift(t, dir, single("haproxy/a", "a\n")); !strings.Contains(got, "Binary files") {
		t.Errorf("bytes that are no text are in the diff:\n%q", got)
	}
}

func TestTxtar(t *testing.T) {
	var out bytes.Buffer
	if err := printTxtar(&out, oldTree); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	dir := scratch(t)
	mustWrite(t, dir, oldTree)
	for p, data := range contents(t, dir) {
		want[p] = data
	}
	got := map[string]string{}
	for _, f := range txtar.Parse(out.Bytes()).Files {
		got[f.Name] = string(f.Data)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := printTxtar(&out, single("a", "-- b --\n")); err == nil {
		t.Error("an archive was made that reads back as other files")
	}
}
