package main

import (
	"io"
	"os"
	"strings"
	"testing"
)

// TestNamesOnTerminals: whatever files are called and hold, no control character of it reaches the terminal.
func TestNamesOnTerminals(t *testing.T) {
	t.Chdir(t.TempDir())
	text := "listen etcd\n bind :2379 # \x1b[2J\n option x\x1b[2J\n server etcd-1 10.0.0.1:2379 check\n timeout client 30s\n"
	for _, name := range []string{"haproxy\x1b[2J\x07.cfg", "notes\u202e\xff"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"lint"},
		{"lint", "--format", "github"},
		{"lint", "gone\x1b[2J"},
		{"lint", "notes\u202e\xff"},
		{"lint", "--rule", "\x1b[2J"},
		{"lint", "--write-baseline", "base.json"},
		{"lint", "--baseline", "base.json", "--disable", "watch-timeout"},
		{"lint", "--baseline", "\x1b[2J"},
		{"lint", "--fix"},
		{"\x1b[2J"},
		{"import", "haproxy\x1b[2J\x07.cfg"},
		{"build", "\x1b[2J"},
	} {
		var out strings.Builder
		if code := run(args, strings.NewReader(""), &out, &out); code == exitInternal {
			t.Errorf("%q: %s", args, &out)
		}
		if strings.ContainsAny(out.String(), "\x1b\x07\u202e") {
			t.Errorf("%q: %q", args, &out)
		}
	}
	if code := run([]string{"lint", "--format", "sarif"}, nil, io.Discard, io.Discard); code > exitFindings {
		t.Errorf("exit code %d", code)
	}
}
