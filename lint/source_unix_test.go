//go:build unix

package lint_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/lint"
)

// TestPipes: a pipe that nobody writes to stops neither a walk nor a call that names it.
func TestPipes(t *testing.T) {
	in(t, map[string]string{"haproxy.cfg": haproxy, ".git/config": ""})
	for _, name := range []string{"haproxy-pipe.cfg", ".gitignore", ".git/info", ".etcdlbgen.json", "spec.yaml", "rules.sh"} {
		if err := syscall.Mkfifo(name, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, got := run(t, lint.Options{})
	expect(t, got, finding)
	if _, err := lint.Run(lint.Options{Paths: []string{"haproxy-pipe.cfg"}}); !isUsage(err) || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a named pipe: %v", err)
	}
}

// TestEncodings: a byte-order mark does not matter, and a configuration in UTF-16 is not passed over in silence.
func TestEncodings(t *testing.T) {
	wide := strings.ReplaceAll(haproxy, "", "\x00")
	in(t, map[string]string{"haproxy.cfg": "\ufeff" + haproxy, "haproxy-wide.cfg": wide, "notes.txt": wide})
	_, got := run(t, lint.Options{})
	expect(t, got, "haproxy-wide.cfg:0 error syntax", finding)
	if _, err := lint.Run(lint.Options{Paths: []string{"haproxy-wide.cfg"}}); !isUsage(err) {
		t.Errorf("a named file in UTF-16: %v", err)
	}
}

// TestGivenUp: where loading a spec takes too much nothing else is judged, and the result says so.
func TestGivenUp(t *testing.T) {
	long := "import \"list\"\n" + minimal + "a: list.Range(0, 30, 1)\nb: [for x in a for y in a for z in a {x + y + z}]\n"
	in(t, map[string]string{"haproxy.cfg": haproxy, "spec.cue": long})
	ended := false
	r, got := run(t, lint.Options{Watch: func() (<-chan string, func()) {
		giveUp := make(chan string, 1)
		giveUp <- "enough"
		return giveUp, func() { ended = true }
	}})
	expect(t, got, "spec.cue:0 error spec")
	if !r.GivenUp || !ended || r.Diagnostics[0].Message != "enough" {
		t.Errorf("given up: %v, watched to the end: %v, %+v", r.GivenUp, ended, r.Diagnostics)
	}
}

// TestPipesOfPackages: a pipe in a spec's module or in a package that it imports is not waited for.
func TestPipesOfPackages(t *testing.T) {
	want := map[string]string{"cue.mod/module.cue": "spec.cue:9 warning check-tcp-only", "a/a.cue": "spec.cue:1 error spec"}
	module := "module: \"b.c\"\nlanguage: version: \"v0.14.0\"\n"
	for pipe, files := range map[string]map[string]string{
		"cue.mod/module.cue": {"spec.cue": minimal, "cue.mod/readme": ""},
		"a/a.cue":            {"spec.cue": "import \"b.c/a\"\n" + minimal + "x: a.x\n", "cue.mod/module.cue": module, "a/readme": ""},
	} {
		in(t, files)
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		_, got := run(t, lint.Options{})
		expect(t, got, want[pipe])
	}
}

// TestKernelFiles: what the kernel makes up has no size, and may have no end, so that it is not read.
func TestKernelFiles(t *testing.T) {
	in(t, map[string]string{"cue.mod/readme": ""})
	for _, name := range []string{"haproxy.cfg", "spec.cue", "cue.mod/module.cue", ".gitignore"} {
		if err := os.Symlink("/proc/kmsg", name); err != nil {
			t.Fatal(err)
		}
	}
	r, _ := run(t, lint.Options{})
	if r.Read != 1 || len(r.Source("haproxy.cfg")) > 0 {
		t.Errorf("%d files read, %q", r.Read, r.Source("haproxy.cfg"))
	}
}
