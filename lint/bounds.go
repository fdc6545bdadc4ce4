package lint

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// The bounds of what is read. Real files stay far below: these keep the time and the memory of a hostile one small.
const (
	MaxFile   = 4 << 20 // bytes
	maxLines  = 40_000
	maxWords  = 500_000 // with brackets and other marks
	maxFaults = 100     // errors of syntax that are told of one source

	// Of what programs write, which are firewalls and the specs of fleets.
	maxDumpedLines = 200_000
	maxDumpedWords = 800_000

	maxFindings = 1000 // that are told of one rule in one file

	// Of all that one call reads, in words. The files of a thousand clusters have three million.
	maxRead    = 20_000_000
	maxGroup   = 400_000 // in files that are judged together
	maxKept    = 30_000  // facts that are kept from the first reading to the judgement
	maxVerdict = 10_000  // findings
)

// cost is what a file takes of maxRead: its words, of which few are very long.
func (f file) cost() int { return max(f.words, int(min(f.size, MaxFile)/8)) }

// refusal is why a file whose words are counted is not parsed, or "".
func refusal(f file) string {
	if f.size > MaxFile {
		return fmt.Sprintf("file has %d MiB, more than any configuration holds, so it is not read; need at most %d MiB",
			f.size>>20, MaxFile>>20)
	}
	lines, most := maxLines, maxWords
	if f.format == nil || f.format.PerMachine {
		lines, most = maxDumpedLines, maxDumpedWords
	}
	if n := bytes.Count(f.data, newline); n > lines {
		return fmt.Sprintf("file has %d lines, more than any configuration holds, so it is not read; need at most %d", n, lines)
	}
	if f.format != nil && f.format.Binary {
		return ""
	}
	if f.words > most {
		return fmt.Sprintf("file has %d words and brackets, more than any configuration holds, so it is not read; need at most %d",
			f.words, most)
	}
	return schema.TooDeep(f.data)
}

// exhausted reports whether as much was read as one call reads.
func (c *collector) exhausted() bool { return c.cost > maxRead }

// sayUnread says which files were left out.
func (c *collector) sayUnread() {
	if len(c.unread) == 0 {
		return
	}
	c.diags.Error(diag.Span{File: c.unread[0]}, "syntax", fmt.Sprintf(
		"the files before have more than %d words and brackets, more than one call reads, so from this one on %s not read; need fewer",
		maxRead, are(len(c.unread))), "lint the folders one by one")
}

// maxTogether is how many bytes the files have that are read as one.
const maxTogether = 2 * MaxFile

// tooLarge is why the files of a unit are not read, as far as their sizes say, or "".
func (u unit) tooLarge() string {
	if len(u.files) == 1 || u.size() <= maxTogether {
		return ""
	}
	return fmt.Sprintf("%d files that belong together have %d MiB, more than any configuration holds, so they are not read; need at most %d MiB",
		len(u.files), u.size()>>20, maxTogether>>20)
}

// tooMuch is why the files of a source are not parsed, or "". Each by itself is small enough.
func tooMuch(files []target.File) string {
	if len(files) == 1 {
		return ""
	}
	n := 0
	for _, f := range files {
		n += words(f.Data)
	}
	if n <= maxWords {
		return ""
	}
	return fmt.Sprintf("%d files that belong together have %d words and brackets, more than any configuration holds, so they are not read; need at most %d",
		len(files), n, maxWords)
}

// few are the first findings of each rule in each file, and what is said of the others.
func few(found diag.List) (first diag.List, others []diag.Unjudged) {
	type place struct{ rule, file string }
	told := map[place]int{}
	for _, d := range found {
		p := place{d.Rule, d.Span.File}
		if told[p]++; told[p] <= maxFindings {
			first = append(first, d)
		}
	}
	for p, n := range told {
		if n > maxFindings {
			others = append(others, diag.Unjudged{Rule: p.rule, Reason: fmt.Sprintf(
				"%d more findings in %s after the first %d", n-maxFindings, p.file, maxFindings)})
		}
	}
	return first, others
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

// words is how many words a text has, each bracket, quote and other mark being one by itself: about what parsers keep of it.
func words(data []byte) (n int) {
	inside := false
	for _, c := range data {
		switch c {
		case ' ', '\t', '\n':
			inside = false
		case '{', '}', '[', ']', '(', ')', ';', ',', '"', '\'', '`', '\\', '$', '@', '?', '^':
			inside = false
			n++
		default:
			if !inside || c < ' ' {
				n++
			}
			inside = c >= ' '
		}
	}
	return n
}
