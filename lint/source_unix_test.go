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
	in(t, map[string]string{"haproxy.cfg": haproxy})
	if err := syscall.Mkfifo("haproxy-pipe.cfg", 0o644); err != nil {
		t.Fatal(err)
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
