package schema

import (
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"github.com/agext/levenshtein"
)

// dotted is a path as a user would write it.
func dotted(path []string) string {
	if len(path) == 0 {
		return "the spec"
	}
	var b strings.Builder
	for i, p := range path {
		if i > 0 && p[0] != '[' {
			b.WriteByte('.')
		}
		if p[0] == '[' || ast.IsValidIdent(p) {
			b.WriteString(p)
		} else {
			b.WriteString(strconv.Quote(p))
		}
	}
	return b.String()
}

// Nearest is the name within a third of its letters, or "".
func Nearest(name string, names []string) string {
	best, limit := "", max(1, len(name)/3)+1
	for _, n := range names {
		if d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(n), nil); d < limit {
			best, limit = n, d
		}
	}
	return best
}
