package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPreCommit runs our hooks with the real pre-commit, on a repository that has one bad file, and once it is mended.
func TestPreCommit(t *testing.T) {
	preCommit := need(t, "pre-commit")
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// The hook's repository, as pre-commit clones it: what is tracked here, as it is now.
	hooks := t.TempDir()
	tracked := output(t, root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for _, name := range strings.Split(strings.TrimRight(tracked, "\x00"), "\x00") {
		if strings.HasPrefix(name, "golden/") {
			continue // the program does not need them
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // removed, and not yet staged so
		}
		if err != nil {
			t.Fatal(err)
		}
		put(t, hooks, name, string(data))
	}
	commit(t, hooks)
	rev := strings.TrimSpace(output(t, hooks, "git", "rev-parse", "HEAD"))

	repo := t.TempDir()
	put(t, repo, "haproxy.cfg", "global\n\tmaxconn 1000\ndefaults\n\tmode tcp\n\ttimeout connect 5s\n\ttimeout client 20s\n\ttimeout server 20s\n"+
		"frontend etcd\n\tbind *:2379\n\tdefault_backend etcd\nbackend etcd\n\tserver a 10.0.1.10:2379 check\n")
	put(t, repo, "spec.cue", "cluster: {name: \"prod\", members: m: address: \"10.9.1.10\", metrics: port: 2381}\nloadBalancer: host: \"etcd-lb\"\n")
	put(t, repo, ".pre-commit-config.yaml", "repos:\n- repo: "+hooks+"\n  rev: "+rev+"\n  hooks:\n"+
		"  - id: etcdlbgen-lint\n  - id: etcdlbgen-build-check\n    args: [spec.cue, -o, out]\n")
	build(t, repo)
	commit(t, repo)

	home := t.TempDir()
	run := func(args ...string) (string, error) {
		cmd := exec.Command(preCommit, append([]string{"run", "--color", "never"}, args...)...)
		cmd.Dir = repo
		cmd.Env = append(os.Environ(),
			"PRE_COMMIT_HOME="+home, "GOFLAGS=-buildvcs=false -modcacherw",
			// The hook is built with the modules and objects that are here already.
			"GOMODCACHE="+strings.TrimSpace(output(t, root, "go", "env", "GOMODCACHE")),
			"GOCACHE="+strings.TrimSpace(output(t, root, "go", "env", "GOCACHE")))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := run("--all-files")
	if err == nil || !strings.Contains(out, "haproxy.cfg:6:17: error: ") || !strings.Contains(out, "[watch-timeout]") {
		t.Fatalf("the bad file passes: %v\n%s", err, out)
	}
	put(t, repo, "haproxy.cfg", strings.ReplaceAll(read(t, repo, "haproxy.cfg"), "20s", "1h"))
	put(t, repo, "out/haproxy/haproxy.cfg", "# edited\n")
	commit(t, repo)
	out, err = run("--all-files")
	if err == nil || !strings.Contains(out, "-# edited") || strings.Contains(out, "[watch-timeout]") {
		t.Fatalf("the edited file passes build --check, or the mended one does not pass lint: %v\n%s", err, out)
	}
	build(t, repo, "--force")
	commit(t, repo)
	if out, err = run("--all-files"); err != nil {
		t.Fatalf("the mended repository fails: %v\n%s", err, out)
	}
	output(t, repo, "git", "rm", "-q", "out/haproxy/haproxy.cfg")
	if out, err = run(); err == nil || !strings.Contains(out, "new file mode") {
		t.Fatalf("a commit that removes what was built passes: %v\n%s", err, out)
	}
}

func build(t *testing.T, repo string, flags ...string) {
	t.Helper()
	var stderr strings.Builder
	args := append([]string{"build", filepath.Join(repo, "spec.cue"), "-o", filepath.Join(repo, "out")}, flags...)
	if code := run(args, strings.NewReader(""), &stderr, &stderr); code != 0 {
		t.Fatal(stderr.String())
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func output(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// commit makes dir a repository with everything in it.
func commit(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{
		{"git", "init", "-q"},
		{"git", "add", "-A"},
		{"git", "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "-q", "--allow-empty", "-m", "test"},
	} {
		output(t, dir, args...)
	}
}
