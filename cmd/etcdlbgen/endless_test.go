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
	for args, limit := range map[string]string{
		"lint -":                              "4 MiB",
		"lint --fix -":                        "4 MiB",
		"lint --stdin-filename haproxy.cfg -": "4 MiB",
		"build - -o -":                        "64 MiB",
	} {
		var stderr strings.Builder
		if code := run(strings.Fields(args), zeros{}, io.Discard, &stderr); code != 2 || !strings.Contains(stderr.String(), limit) {
			t.Errorf("%s: %d, %s", args, code, &stderr)
		}
	}
}
