package terraform

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

// maxHeredoc bounds the lines of a here-document: the parser puts each to all before it.
const maxHeredoc = 10_000

var heredoc = pattern.New(`<<-?([\w-]+)\s*$`)

// longHeredoc is a problem where a here-document is too long, else nil.
func longHeredoc(data []byte, name string) *hcl.Diagnostic {
	if bytes.Count(data, []byte("\n")) <= maxHeredoc {
		return nil
	}
	var mark []byte // what ends the here-document at hand
	begin, next, n := 0, 0, 0
	for line := range bytes.Lines(data) {
		at := next
		next += len(line)
		switch {
		case mark == nil:
			if m := heredoc.FindSubmatchIndex(line); m != nil {
				mark, begin, n = line[m[2]:m[3]], at, 0
			}
		case bytes.Equal(bytes.TrimSpace(line), mark):
			mark = nil
		default:
			n++
		}
		if n > maxHeredoc {
			pos := hcl.Pos{Byte: begin}
			return &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: fmt.Sprintf("a here-document of more than %d lines", maxHeredoc),
				Subject: &hcl.Range{Filename: name, Start: pos, End: pos},
			}
		}
	}
	return nil
}
