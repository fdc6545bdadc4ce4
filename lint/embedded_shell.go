package lint

import (
	"bytes"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

var (
	scripts     = pattern.New(`^#!\S*(sh|bash|env\s+(ba)?sh)\b`)
	redirects   = pattern.New(`<<(-?)\s*(["']?)\\?([A-Za-z_][A-Za-z0-9_]*)`)
	echoes      = pattern.New(`^[^#"']*\b(?:echo|printf)\s+(?:-\w+\s+)*(["'])`)
	destination = pattern.New(`(>>?|\btee\s+(?:-\S+\s+)*)\s*["']?([^\s"'<>|;&]+)`)
	branches    = pattern.New(`^\s*(else|elif)\b|;;\s*$`)
)

// isScript reports whether a file is one for a shell.
func isScript(p string, head []byte) bool {
	ext := extension(p)
	return ext == ".sh" || ext == ".bash" || scripts.Match(head)
}

// writer gathers the files that a script writes.
type writer struct {
	found  []inner
	latest map[string]int // index of the latest file of a name
	branch int            // where the latest condition turns
}

// written are the files that a script writes: bodies of here-documents, and quoted texts of several lines that echo gets.
// What is appended to a file belongs to it.
func written(data []byte, p piece) []inner {
	w := writer{latest: map[string]int{}, branch: -1}
	for at := p.from; at < p.to; {
		command, next := lineAt(data[:p.to], at)
		if branches.Match(command) {
			w.branch = at
		}
		switch m, quoted := redirects.FindSubmatchIndex(command), echoes.FindSubmatchIndex(command); {
		case m != nil:
			mark, tabs := string(command[m[6]:m[7]]), m[2] < m[3]
			end, after := endOfDocument(data[:p.to], next, mark, tabs)
			w.add(piece{next, end, p.literal && m[4] < m[5]}, command)
			next = after
		case quoted != nil:
			if end := closing(data[:p.to], at+quoted[3], data[at+quoted[2]]); end > at+len(command) {
				rest, after := lineAt(data[:p.to], end+1)
				literal := p.literal && data[at+quoted[2]] == '\''
				w.add(piece{startOfText(data, at+quoted[3]), end, literal}, rest)
				next = after
			}
		}
		at = next
	}
	return w.found
}

// add takes in a text that a command writes. A text that is appended in another branch than what it is appended to stands
// by itself: which of the two is there, or both, only a run tells.
func (w *writer) add(p piece, command []byte) {
	name, appended := "", false
	for _, to := range destination.FindAllSubmatch(command, -1) {
		if bytes.HasPrefix(to[2], []byte("/dev/")) {
			continue
		}
		name = strings.TrimPrefix(string(to[2]), "/")
		appended = string(to[1]) == ">>" || bytes.Contains(to[1], []byte("-a"))
		break
	}
	i, before := w.latest[name]
	if before && appended && name != "" && w.found[i].pieces[0].from > w.branch {
		w.found[i].pieces = append(w.found[i].pieces, p)
		return
	}
	again := before && name != ""
	if again {
		w.found[i].partial = true
	}
	w.latest[name] = len(w.found)
	w.found = append(w.found, inner{name: name, pieces: []piece{p}, partial: again})
}

// endOfDocument is where a here-document ends, and where the script goes on.
func endOfDocument(data []byte, at int, mark string, tabs bool) (end, next int) {
	for at < len(data) {
		line, rest := lineAt(data, at)
		text := strings.TrimRight(string(line), "\r")
		if tabs {
			text = strings.TrimLeft(text, "\t")
		}
		if strings.TrimLeft(text, " ") == mark {
			return at, rest
		}
		at = rest
	}
	return len(data), len(data)
}

// closing is where a quoted text ends, or 0.
func closing(data []byte, at int, quote byte) int {
	for ; at < len(data); at++ {
		switch {
		case data[at] == quote:
			return at
		case data[at] == '\\' && quote == '"':
			at++
		}
	}
	return 0
}

// startOfText skips the break that a backslash takes out of a quoted text, so that it begins in a line of its own.
func startOfText(data []byte, at int) int {
	if bytes.HasPrefix(data[at:], []byte("\\\n")) {
		return at + 2
	}
	return at
}
