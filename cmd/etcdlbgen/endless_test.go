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
