package lint

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema"
)

// Stdin reports whether a path is standard input, and which machine's; "" where it does not say.
func Stdin(p string) (machine string, ok bool) {
	if p == "-" {
		return "", true
	}
	machine, rest, _ := strings.Cut(p, "=")
	return machine, rest == "-" && host.MatchString(machine)
}

// stdin reads standard input, a machine's where it is said which.
func (c *collector) stdin(o Options, machine string) error {
	data, err := io.ReadAll(io.LimitReader(o.Stdin, MaxFile+1))
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	name := filepath.Clean(cmp.Or(o.StdinFilename, "-"))
	if c.seen[name] {
		return &schema.UsageError{Message: "standard input is named twice; need it once"}
	}
	c.seen[name] = true
	f := file{path: name, host: machine, data: bytes.TrimPrefix(data, ByteOrderMark), size: int64(len(data)), stdin: true}
	f.words = words(f.data)
	f.format = detect(name, f.data[:min(len(f.data), headSize)])
	if !c.addEmbedded(f, c.add(f)) {
		return &schema.UsageError{Message: "standard input: not a format that lint knows; name one with --stdin-filename"}
	}
	return nil
}
