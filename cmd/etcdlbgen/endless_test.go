package main

import (
	"io"
	"strings"
	"testing"
)

// zeros never end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestEndlessInput: what never ends is not read for ever.
func TestEndlessInput(t *testing.T) {
	for _, args := range [][]string{{"lint", "-"}, {"lint", "--fix", "-"}, {"lint", "--stdin-filename", "haproxy.cfg", "-"}} {
		var stderr strings.Builder
		if code := run(args, zeros{}, io.Discard, &stderr); code != 2 || !strings.Contains(stderr.String(), "4 MiB") {
			t.Errorf("%v: %d, %s", args, code, &stderr)
		}
	}
}
package main

import (
	"strings"
	"testing"
)

// endless is an input without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestEndlessStandardInput(t *testing.T) {
	var stderr strings.Builder
	if code := run([]string{"build", "-", "-o", "-"}, endless{}, &stderr, &stderr); code != exitUsage || !strings.Contains(stderr.String(), "64 MiB") {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}
