package lint

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGitIgnore asks git itself about each file.
func TestGitIgnore(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("git is needed in CI")
		}
		t.Skip("no git")
	}
	root := t.TempDir()
	rules := map[string]string{
		".gitignore": "# comment\n\n*.bak\n!keep.bak\n/top\nbuild/\ndocs/*.txt\n**/deep/x\na/**/z\ntail/**\nspace\\ \nq?.cfg\n[ab]c.cfg\n" +
			"[!ab]d.cfg\n\\#hash\ntrailing  \nwith.dot\n*.d/\n",
		"sub/.gitignore":    "local\n!top\n/only\n",
		".git/info/exclude": "excluded\n",
	}
	files := []string{
		"x.bak", "sub/y.bak", "keep.bak", "top", "sub/top", "build/f", "sub/build/f", "build2/f", "docs/a.txt", "docs/s/a.txt",
		"p/deep/x", "deep/x", "a/z", "a/b/c/z", "ab/z", "tail/f", "tail/s/f", "q1.cfg", "q12.cfg", "ac.cfg", "cc.cfg", "ad.cfg", "cd.cfg",
		"#hash", "trailing", "sub/local", "local", "sub/only", "sub/s/only", "excluded", "sub/excluded", "withXdot", "with.dot",
		"conf.d/f", "f.d", "space ",
	}
	git := func(args ...string) (string, error) {
		cmd := exec.Command("git", append([]string{"-C", root}, args...)...)
		cmd.Env = append(os.Environ(), "HOME="+root, "GIT_CONFIG_NOSYSTEM=1", "XDG_CONFIG_HOME="+root)
		out, err := cmd.Output()
		return string(out), err
	}
	if out, err := git("init", "-q"); err != nil {
		t.Fatal(out, err)
	}
	for _, f := range files {
		rules[f] += "" // an empty file
	}
	for name, text := range rules {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		out, _ := git("check-ignore", "--no-index", f) // exit code 1: not ignored
		if got, want := ignoredBelow(root, f), strings.TrimSpace(out) != ""; got != want {
			t.Errorf("%q ignored: %v, git says %v", f, got, want)
		}
	}
}

// ignoredBelow walks down to a file as the linter does.
func ignoredBelow(root, file string) bool {
	g := newGitIgnore(root)
	dir := root
	parts := strings.Split(file, "/")
	for i, p := range parts {
		g.enter(dir, dir)
		dir = filepath.Join(dir, p)
		if g.ignores(dir, i < len(parts)-1) {
			return true
		}
	}
	return false
}
