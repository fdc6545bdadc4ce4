package lint

import (
	"bytes"
	"path"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var (
	hereHCL = pattern.New(`<<(-?)([A-Za-z_][\w-]*)\s*$`)
	// called is an argument that says what a text becomes; a resource's own name says nothing of the kind.
	called = pattern.New(`^\s*(?:(?:path|filename|file_name|destination|dest)|(name))\s*[=:]\s*"([^"]+)"`)
	// inline is a list of commands that a provisioner runs.
	inline  = pattern.New(`^\s*(?:inline|commands)\s*=\s*\[\s*$`)
	oneText = pattern.New(`^(\s*,?\s*")((?:[^"\\]|\\.)*)"\s*,?\s*(?:(?:#|//).*)?$`)
)

func isTerraform(p string) bool { return path.Ext(p) == ".tf" }

// heredocs are the texts in a Terraform file that may be files or scripts: here-documents, and what a provisioner runs.
func heredocs(data []byte, p piece) []inner {
	var out []inner
	comment := false
	for at := p.from; at < p.to; {
		row, next := lineAt(data[:p.to], at)
		text := bytes.TrimSpace(row)
		switch {
		case comment:
			comment = !bytes.Contains(text, []byte("*/"))
		case bytes.HasPrefix(text, []byte("/*")):
			comment = !bytes.Contains(text, []byte("*/"))
		case bytes.HasPrefix(text, []byte("#")), bytes.HasPrefix(text, []byte("//")):
		case inline.Match(row):
			var in inner
			in, next = commandList(data[:p.to], next)
			if len(in.pieces) > 0 {
				out = append(out, in)
			}
		default:
			if m := hereHCL.FindSubmatchIndex(row); m != nil {
				end, after := endOfDocument(data[:p.to], next, string(row[m[4]:m[5]]), true)
				out = append(out, inner{name: nameAround(data[:p.to], at, after), pieces: []piece{{next, end, true, true}}})
				next = after
			}
		}
		at = next
	}
	return out
}

// commandList is a list of commands, one a line, and where it ends.
func commandList(data []byte, at int) (in inner, next int) {
	in.name = "inline.sh"
	for at < len(data) {
		row, after := lineAt(data, at)
		if bytes.HasPrefix(bytes.TrimSpace(row), []byte("]")) {
			return in, after
		}
		if m := oneText.FindSubmatchIndex(row); m != nil {
			in.pieces = append(in.pieces, piece{at + m[4], at + m[5], true, true})
		}
		at = after
	}
	return in, at
}

// maxAroundText is how many lines around a text are looked at for its name.
const maxAroundText = 8

// nameAround is what arguments beside a text say that it becomes, "" for nothing: those before it up to the head of the
// resource, and those behind it.
func nameAround(data []byte, from, to int) string {
	for at, n := from, 0; at > 0 && n < maxAroundText; n++ {
		at = bytes.LastIndexByte(data[:at-1], '\n') + 1
		row, _ := lineAt(data, at)
		if name := nameIn(row); name != "" {
			return name
		}
		if text := strings.TrimSpace(string(row)); text == "}" || strings.HasPrefix(text, "resource") || strings.HasPrefix(text, "data ") {
			break
		}
	}
	for at, n := to, 0; at < len(data) && n < maxAroundText; n++ {
		row, next := lineAt(data, at)
		if name := nameIn(row); name != "" {
			return name
		}
		if strings.HasPrefix(strings.TrimSpace(string(row)), "}") {
			break
		}
		at = next
	}
	return ""
}

// nameIn is the name of a file that an argument gives.
func nameIn(row []byte) string {
	m := called.FindStringSubmatch(string(row))
	if m == nil || m[1] != "" && path.Ext(m[2]) == "" {
		return ""
	}
	return strings.TrimPrefix(m[2], "/")
}

// interpolated has words that are known as unknown in the place of what Terraform computes, and blanks for its directives,
// which yield no text themselves. Two dollars are one, which is the text's own.
func interpolated(body []byte) []byte {
	out, done := make([]byte, 0, len(body)), 0
	for at := 0; at+1 < len(body); at++ {
		sign := body[at]
		if body[at+1] != '{' || sign != '$' && sign != '%' {
			continue
		}
		if at > done && body[at-1] == sign {
			continue
		}
		word := topology.Hole
		if sign == '%' {
			word = " "
		}
		end := endOfSequence(body, at+2)
		out = filled(append(out, body[done:at]...), body[at:end], word)
		at, done = end-1, end
	}
	return append(out, body[done:]...)
}

// endOfSequence is where what begins behind an opening brace ends, braces and quotes within it counted.
func endOfSequence(body []byte, at int) int {
	for depth, quote := 1, false; at < len(body); at++ {
		switch c := body[at]; {
		case quote && c == '\\':
			at++
		case c == '"':
			quote = !quote
		case quote:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return at + 1
			}
		}
	}
	return len(body)
}
