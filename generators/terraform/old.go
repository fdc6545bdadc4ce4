package terraform

import (
	"bytes"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Bounds of what is done for files that are written for Terraform before 0.12.
const (
	maxOld    = 128 << 10 // bytes
	maxRounds = 40        // parses: each may show what the one before could not reach
)

// parseFile parses a file. What was right in HCL before Terraform 0.12 and is no more is rewritten first, byte for byte, so
// that offsets stay; lines may not.
func parseFile(data []byte, name string) (*hcl.File, hcl.Diagnostics) {
	if p := longHeredoc(data, name); p != nil {
		return nil, hcl.Diagnostics{p}
	}
	parsed, problems := hclsyntax.ParseConfig(data, name, hcl.InitialPos)
	if len(data) > maxOld || len(problems) == 0 {
		return parsed, problems
	}
	for range maxRounds {
		next := modern(data, problems)
		if next == nil {
			break
		}
		data = next
		parsed, problems = hclsyntax.ParseConfig(data, name, hcl.InitialPos)
	}
	return parsed, problems
}

// modern is a text without what the problems say of old syntax in it, or nil where they say nothing of it.
func modern(data []byte, problems hcl.Diagnostics) []byte {
	out, mended := bytes.Clone(data), false
	for _, p := range problems {
		if p.Subject == nil || p.Subject.Start.Byte >= len(data) {
			continue
		}
		from, to := p.Subject.Start.Byte, min(p.Subject.End.Byte, len(data))
		mended = rewrite(out, p.Summary, from, to) || mended
	}
	if !mended {
		return nil
	}
	return out
}

// rewrite mends one problem in place, and reports whether it did.
func rewrite(data []byte, problem string, from, to int) bool {
	switch problem {
	case "Unexpected comma after argument":
		data[from] = '\n'
	case "Invalid block definition":
		return joinBrace(data, from)
	case "Argument or block definition required":
		word := bytes.IndexFunc(data[from:], func(r rune) bool { return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		return word > 0 && joinBrace(data, from+word)
	case "Invalid single-argument block definition":
		return unfold(data, from)
	case "Invalid argument name":
		n := bytes.IndexAny(data[min(from+1, to):], "\"\n")
		if data[from] != '"' || n < 1 || data[from+1+n] != '"' {
			return false
		}
		copy(data[from:from+n+2], strings.Repeat(topology.Hole, n+2))
	case "Invalid escape sequence":
		if data[from] != '\\' {
			return false
		}
		data[from] = '_'
	default:
		return false
	}
	return true
}

// joinBrace puts the brace of a block into the line of its labels, at whose end the offset is.
func joinBrace(data []byte, at int) bool {
	rest := bytes.TrimLeft(data[at:], " \t\r\n")
	gap := data[at : len(data)-len(rest)]
	if !bytes.HasPrefix(rest, []byte("{")) || bytes.Count(gap, []byte("\n")) != 1 {
		return false
	}
	copy(gap, bytes.Repeat([]byte(" "), len(gap)))
	return true
}

// unfold makes lines of a block that stands on one, with commas in it, at one of which the offset is.
func unfold(data []byte, at int) bool {
	begin := bytes.LastIndexByte(data[:at], '{')
	end := bytes.IndexAny(data[at:], "}\n")
	if data[at] != ',' || begin < 0 || end < 0 || data[at+end] != '}' || data[begin+1] != ' ' || data[at+end-1] != ' ' {
		return false
	}
	data[begin+1], data[at], data[at+end-1] = '\n', '\n', '\n'
	return true
}
