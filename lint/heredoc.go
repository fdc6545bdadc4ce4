package lint

import (
	"bytes"
	"path/filepath"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// heredoc is the body of a here-document in a script.
type heredoc struct {
	from, to int  // offsets of the body
	literal  bool // the shell replaces nothing in it
	name     string
}

var (
	templated   = pattern.New(`\.(j2|tpl|tmpl|erb|in|template)$`)
	scripts     = pattern.New(`^#!\S*(sh|bash|env\s+(ba)?sh)\b`)
	redirects   = pattern.New(`<<(-?)\s*(["']?)\\?([A-Za-z_][A-Za-z0-9_]*)`)
	destination = pattern.New(`(?:>|\btee\s(?:-a\s)?)\s*["']?([^\s"'<>|;&]+)`)
	// expanded is what the shell replaces. A backslash before it keeps it.
	expanded = pattern.New("\\\\.|\\$\\{[^}\\n]*\\}|\\$\\([^)\\n]*\\)|\\$\\w+|`[^`\\n]*`")
)

// isScript reports whether a file is one for a shell.
func isScript(p string, head []byte) bool {
	ext := filepath.Ext(templated.ReplaceAllString(p, ""))
	return ext == ".sh" || ext == ".bash" || scripts.Match(head)
}

// Bounds of the here-documents that are looked at in one script, each of which is read with the whole script around it.
const (
	maxEmbedded = 100
	maxAround   = 8 << 20 // bytes, in all
)

// embedded are the here-documents of a script that hold files of formats we know.
func embedded(script file) []file {
	var out []file
	for at, left := 0, min(maxEmbedded, maxAround/max(1, len(script.data))); at < len(script.data) && left > 0; {
		command, rest := lineAt(script.data, at)
		m := redirects.FindSubmatchIndex(command)
		if m == nil {
			at = rest
			continue
		}
		left--
		doc := heredoc{from: rest, literal: m[4] < m[5]}
		mark, tabs := string(command[m[6]:m[7]]), m[2] < m[3]
		doc.to, at = endOfDocument(script.data, rest, mark, tabs)
		if to := destination.FindSubmatchIndex(command); to != nil {
			doc.name = strings.TrimPrefix(string(command[to[2]:to[3]]), "/")
		}
		body := script.data[doc.from:doc.to]
		if format := detect(doc.name, body[:min(len(body), headSize)]); format != nil && !format.Binary && format != script.format {
			part := script
			part.format, part.doc = format, &doc
			out = append(out, part)
		}
	}
	return out
}

// addEmbedded takes in what a script embeds. The script itself may be known as a file already; it reports whether it is
// then.
func (c *collector) addEmbedded(script file, known bool) bool {
	if !isScript(script.path, script.data[:min(len(script.data), headSize)]) || refusal(script) != "" {
		return known
	}
	parts := embedded(script)
	if len(parts) > 0 && !known {
		c.read++
	}
	c.files = append(c.files, parts...)
	return known || len(parts) > 0
}

// lineAt is the line that begins at an offset, and where the next one does.
func lineAt(data []byte, at int) (line []byte, next int) {
	if n := bytes.IndexByte(data[at:], '\n'); n >= 0 {
		return data[at : at+n], at + n + 1
	}
	return data[at:], len(data)
}

// endOfDocument is where a here-document ends, and where the script goes on.
func endOfDocument(data []byte, at int, mark string, tabs bool) (end, next int) {
	for at < len(data) {
		line, rest := lineAt(data, at)
		text := strings.TrimRight(string(line), "\r")
		if tabs {
			text = strings.TrimLeft(text, "\t")
		}
		if text == mark {
			return at, rest
		}
		at = rest
	}
	return len(data), len(data)
}

// extract blanks what is around a here-document, and what the shell replaces in it.
func (d *heredoc) extract(script []byte) []byte {
	out := make([]byte, len(script))
	for i, c := range script {
		switch {
		case i >= d.from && i < d.to || c == '\n':
			out[i] = c
		default:
			out[i] = ' '
		}
	}
	if d.literal {
		return out
	}
	body := out[d.from:d.to]
	for at := 0; ; {
		m := expanded.FindIndex(body[at:])
		if m == nil {
			return out
		}
		if word := body[at+m[0] : at+m[1]]; word[0] != '\\' && len(word) >= len(topology.Hole) {
			copy(word, strings.Repeat(topology.Hole, len(word)/len(topology.Hole)+1))
		}
		at += m[1]
	}
}
