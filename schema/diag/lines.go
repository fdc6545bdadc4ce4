package diag

import (
	"bytes"
	"strings"
)

// Lookup returns the text of a file by the path that spans carry, or nil where it is not at hand.
type Lookup func(file string) []byte

// lines are the lines of files, each file split and each line masked once.
type lines struct {
	source Lookup
	split  map[string][][]byte
	done   map[place]string
	left   int   // bytes of long lines
	last   place // whose runes are at hand, since findings come by line
	runes  []rune
}

type place struct {
	file string
	line int
}

func newLines(source Lookup) *lines {
	return &lines{source: source, split: map[string][][]byte{}, done: map[place]string{}, left: maxMasked}
}

// masked is the line on which a span begins, with stars for passwords; "" where it is blank or not at hand.
func (l *lines) masked(s Span) string {
	at := place{s.File, s.Line}
	line, ok := l.done[at]
	if !ok {
		line = l.mask(at)
		l.done[at] = line
	}
	return line
}

// Of lines longer than usual no more than maxMasked bytes are searched for passwords: further ones are not shown.
const (
	usual     = 256
	maxMasked = 256 << 10
)

func (l *lines) mask(at place) string {
	if at.line < 1 || l.source == nil {
		return ""
	}
	all, ok := l.split[at.file]
	if !ok {
		if data := l.source(at.file); data != nil {
			all = bytes.Split(data, []byte("\n"))
		}
		l.split[at.file] = all
	}
	if at.line > len(all) {
		return ""
	}
	line := string(bytes.TrimSuffix(all[at.line-1], []byte("\r")))
	if strings.TrimSpace(line) == "" {
		return ""
	}
	if long := len(line) - usual; long > 0 {
		if l.left -= long; l.left < 0 {
			return ""
		}
	}
	return MaskSecrets(line)
}

// columns are the runes of a masked line.
func (l *lines) columns(s Span) []rune {
	if at := (place{s.File, s.Line}); l.last != at {
		l.last, l.runes = at, []rune(l.masked(s))
	}
	return l.runes
}

// maxLine is how many bytes of a line reports look at: some files are one line.
const maxLine = 4 << 10

// short is a masked line, cut to maxLine.
func (l *lines) short(s Span) string {
	line := l.masked(s)
	return strings.ToValidUTF8(line[:min(len(line), maxLine)], "\ufffd")
}
