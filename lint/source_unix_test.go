//go:build unix

package lint_test

import (
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

// TestGivenUp: where loading a spec does not end nothing else is judged, and the result says so.
func TestGivenUp(t *testing.T) {
	in(t, map[string]string{"haproxy.cfg": haproxy, "spec.cue": minimal + "clusters: a: {}\n", "cue.mod/readme": ""})
	if err := syscall.Mkfifo("cue.mod/module.cue", 0o600); err != nil {
		t.Fatal(err)
	}
	clusters, ended := 0, false
	r, got := run(t, lint.Options{Watch: func(n int) (<-chan string, func()) {
		clusters = n
		giveUp := make(chan string, 1)
		giveUp <- "enough"
		return giveUp, func() { ended = true }
	}})
	expect(t, got, "spec.cue:0 error spec")
	if !r.GivenUp || clusters != 1 || !ended || r.Diagnostics[0].Message != "enough" {
		t.Errorf("given up: %v, %d clusters, watched to the end: %v, %+v", r.GivenUp, clusters, ended, r.Diagnostics)
	}
}
