package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The build that is killed: files that change, stay, go and come, in clusters that change, leave and join.
var (
	oldTree = fleet(
		cluster("eu", "haproxy/a", "old a\n", "haproxy/same", "same\n", "haproxy/stale", "stale\n", "nginx/sub/stale", "stale\n"),
		cluster("gone", "haproxy/a", "gone\n"),
	)
	newTree = fleet(
		cluster("eu", "haproxy/a", "new a\n", "haproxy/same", "same\n", "haproxy/apply.sh", "new\n", "new/b", "new\n"),
		cluster("us", "haproxy/a", "us\n", "nginx/a", "us\n"),
	)
)

// buildChild is the command that TestKilledBuild kills and TestSyscalls watches: it builds newTree into its argument.
func buildChild() {
	runtime.LockOSThread() // strace counts by thread
	if _, err := writeTree(os.Args[1], newTree, false); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitInternal)
	}
}

// strace runs a child build into dir under strace. With one processor all of it happens on one thread, so that its system
// calls have an order.
func strace(t *testing.T, dir string, options ...string) error {
	t.Helper()
	child := filepath.Join(scratch(t), "build-child") // by this name the test binary knows what to do
	if err := os.Symlink(os.Args[0], child); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("strace", append(options, "-f", "-qq", child, dir)...)
	c.Env = append(os.Environ(), "GOMAXPROCS=1")
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL) {
		t.Fatalf("child build: %v\n%s", err, out)
	}
	return err
}

func needsStrace(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		if os.Getenv("CI") == "" {
			t.Skip(err)
		}
		t.Fatal(err)
	}
}

// TestKilledBuild kills a build at each system call that changes something on disk.
func TestKilledBuild(t *testing.T) {
	needsStrace(t)
	for _, call := range []string{"mkdirat", "fchmod", "syncfs", "renameat", "unlinkat"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				dir := filepath.Join(scratch(t), "out")
				mustWrite(t, dir, oldTree)
				err := strace(t, dir, "-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n))
				if err == nil {
					if n == 1 {
						t.Fatalf("a build calls no %s", call)
					}
					sameAsFresh(t, dir, newTree)
					return
				}
				afterKill(t, dir)
				if t.Failed() {
					t.Fatalf("killed at %s %d", call, n)
				}
			}
		})
	}
}

// afterKill checks what a killed build left in dir, and what later builds make of it.
func afterKill(t *testing.T, dir string) {
	t.Helper()
	before := snapshot(t, dir)
	for p, data := range contents(t, dir) {
		if !strings.HasPrefix(p, ownPrefix) && !oneOf(data, p, oldTree, newTree) {
			t.Errorf("%s is neither old nor new: %q", p, data)
		}
	}
	if _, err := checkTree(dir, newTree, io.Discard); err != nil {
		t.Errorf("check: %v", err)
	}
	if diff := cmp.Diff(before, snapshot(t, dir)); diff != "" {
		t.Errorf("check wrote something:\n%s", diff)
	}
	for name, tr := range map[string]tree{"new": newTree, "old": oldTree, "single": single("haproxy/a", "other")} {
		again := clone(t, dir)
		if _, err := writeTree(again, tr, false); err != nil {
			t.Errorf("building the %s tree: %v", name, err)
			continue
		}
		sameAsFresh(t, again, tr)
	}
	narrowAfterKill(t, clone(t, dir))
	editAfterKill(t, clone(t, dir))
}

// narrowAfterKill: the interrupted build is completed where the next one does not reach, or has never begun there.
func narrowAfterKill(t *testing.T, dir string) {
	t.Helper()
	begun := snapshot(t, dir)[nextName] != ""
	tr := fleet(cluster("eu", "haproxy/a", "narrow\n"))
	tr.narrowed = true
	mustWrite(t, dir, tr)
	got := contents(t, dir)
	us, joined := got["us/haproxy/a"]
	gone := got["gone/haproxy/a"]
	if begun && (us != "us\n" || gone != "") {
		t.Errorf("not rolled forward: us %q, gone %q", us, gone)
	}
	if joined && gone != "" {
		t.Errorf("half of a build is left: us %q, gone %q", us, gone)
	}
}

// editAfterKill: what was edited since the kill is a hand edit.
func editAfterKill(t *testing.T, dir string) {
	t.Helper()
	put(t, dir, "eu/haproxy/a", "edited\n")
	_, err := writeTree(dir, newTree, false)
	var stop *stopError
	if !errors.As(err, &stop) || !strings.Contains(stop.Error(), "edited by hand") {
		t.Errorf("the edit did not stop the build: %v", err)
	}
	if got := contents(t, dir)["eu/haproxy/a"]; got != "edited\n" {
		t.Errorf("the edit is lost: %q", got)
	}
	if _, err := writeTree(dir, newTree, true); err != nil {
		t.Errorf("building with --force: %v", err)
	}
	sameAsFresh(t, dir, newTree)
}

func oneOf(data, p string, trees ...tree) bool {
	for _, tr := range trees {
		for _, c := range tr.clusters {
			for _, f := range c.files {
				if filepath.Join(c.dir, f.Path) == p && string(f.Data) == data {
					return true
				}
			}
		}
	}
	return false
}

func clone(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(scratch(t), "out")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestSyscalls: one sync a build, however many files, and nothing but reads when there is nothing to change.
func TestSyscalls(t *testing.T) {
	needsStrace(t)
	dir := filepath.Join(scratch(t), "out")
	mustWrite(t, dir, oldTree)
	calls := func(filter string) string {
		log := filepath.Join(scratch(t), "log")
		if err := strace(t, dir, "-o", log, "-e", "trace="+filter); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if log := calls("fsync,fdatasync,sync_file_range,sync,syncfs,msync"); strings.Count(log, "(") != 1 || !strings.Contains(log, "syncfs(") {
		t.Errorf("want one syncfs, got\n%s", log)
	}
	sameAsFresh(t, dir, newTree)
	log := calls("openat,mkdirat,renameat,renameat2,unlinkat,fchmod,fchmodat,ftruncate,linkat,symlinkat,utimensat,syncfs")
	writes := regexp.MustCompile(`O_CREAT|O_WRONLY|O_RDWR|mkdirat|rename|unlinkat|fchmod|ftruncate|linkat|utimensat|syncfs`)
	for line := range strings.Lines(log) {
		if writes.MatchString(line) {
			t.Errorf("a build that changes nothing calls %s", line)
		}
	}
	if !strings.Contains(log, manifestName) {
		t.Errorf("the log does not show the build:\n%s", log)
	}
}
