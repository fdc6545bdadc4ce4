package diag

import (
	"bytes"
	"strings"
)

// Lookup returns the text of a file by the path that spans carry, or nil where it is not at hand.
type Lookup func(file string) []byte

// lines are the lines of files, each file split once.
type lines struct {
	source Lookup
	split  map[string][][]byte
}

func newLines(source Lookup) *lines { return &lines{source, map[string][][]byte{}} }

// masked is the line on which a span begins, with stars for passwords; "" where it is blank or not at hand.
func (l *lines) masked(s Span) string {
	if s.Line < 1 || l.source == nil {
		return ""
	}
	all, ok := l.split[s.File]
	if !ok {
		if data := l.source(s.File); data != nil {
			all = bytes.Split(data, []byte("\n"))
		}
		l.split[s.File] = all
	}
	if s.Line > len(all) {
		return ""
	}
	line := string(bytes.TrimSuffix(all[s.Line-1], []byte("\r")))
	if strings.TrimSpace(line) == "" {
		return ""
	}
	return maskSecrets(line)
}
