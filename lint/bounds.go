package lint

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// The bounds of what is read. Real files stay far below: these keep the time and the memory of a hostile one small.
const (
	MaxFile   = 4 << 20 // bytes
	maxLines  = 40_000
	maxWords  = 500_000 // with brackets and semicolons
	maxFaults = 100     // errors of syntax that are told of one source
)

// refusal is why a file is not parsed, or "".
func refusal(f file) string {
	if f.size > MaxFile {
		return fmt.Sprintf("file has %d MiB, more than any configuration holds, so it is not read; need at most %d MiB",
			f.size>>20, MaxFile>>20)
	}
	if n := bytes.Count(f.data, newline); n > maxLines {
		return fmt.Sprintf("file has %d lines, more than any configuration holds, so it is not read; need at most %d", n, maxLines)
	}
	if f.format != nil && f.format.Binary {
		return ""
	}
	if n := words(f.data); n > maxWords {
		return fmt.Sprintf("file has %d words and brackets, more than any configuration holds, so it is not read; need at most %d",
			n, maxWords)
	}
	return schema.TooDeep(f.data)
}

// told is what a parser found wrong, up to a number: whoever repairs a file does not go on from there.
func told(faults diag.List) diag.List {
	if len(faults) <= maxFaults {
		return faults
	}
	rest := len(faults) - maxFaults
	faults = slices.Clip(faults[:maxFaults])
	faults.Error(faults[maxFaults-1].Span, "syntax", fmt.Sprintf(
		"%d more errors of syntax follow, which are not told; need the first ones repaired", rest), "")
	return faults
}

var newline = []byte("\n")

// words is how many words a text has, each bracket and semicolon being one by itself: about what parsers keep of it.
func words(data []byte) (n int) {
	inside := false
	for _, c := range data {
		switch c {
		case ' ', '\t', '\r', '\n', ',':
			inside = false
		case '{', '}', '[', ']', '(', ')', ';':
			inside = false
			n++
		default:
			if !inside {
				n++
			}
			inside = true
		}
	}
	return n
}
