package target

import "bytes"

// Dedent is a text without the indentation that all of its lines share, as where another file holds it.
func Dedent(text []byte) []byte {
	shared := -1
	for line := range bytes.Lines(text) {
		blank := len(line) - len(bytes.TrimLeft(line, " \t"))
		if len(bytes.TrimSpace(line)) > 0 && (shared < 0 || blank < shared) {
			shared = blank
		}
	}
	if shared <= 0 {
		return text
	}
	out := make([]byte, 0, len(text))
	for line := range bytes.Lines(text) {
		if len(bytes.TrimSpace(line)) == 0 {
			out = append(out, '\n')
			continue
		}
		out = append(out, line[shared:]...)
	}
	return out
}
