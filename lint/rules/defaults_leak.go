package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var defaultsLeak = Rule{
	ID:       "defaults-leak",
	Title:    "defaults of one file hold for the sections of the next",
	Severity: "warning",
	Why: "HAProxy reads the files of a folder as one text: a section inherits from the last defaults section before it, named or " +
		"not, in whatever file that stands. So a file that ends with defaults changes mode and timeouts of the file that " +
		"happens to come next, and an HTTP frontend becomes a TCP one. `haproxy -c` finds nothing wrong.",
	Fix: "Write mode, timeouts and options in the file's own frontend and backend sections, and keep unnamed defaults in the first " +
		"file, with global. Or begin each later file with defaults of its own.",
	References: []string{
		"https://docs.haproxy.org/2.6/configuration.html#4",
		"https://docs.haproxy.org/2.6/management.html#3",
	},
	Check: checkDefaultsLeak,
}

func checkDefaultsLeak(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range proxies(g) {
		for _, leak := range b.Leaks {
			name := "defaults"
			if leak.Name.V != "" {
				name += ` "` + leak.Name.V + `"`
			}
			next := "the sections of whatever file is loaded next"
			var more []diag.Related
			for _, at := range leak.Captured {
				next = "sections of other files"
				more = append(more, diag.Related{Span: at, Message: "this section inherits from them"})
			}
			out = append(out, diag.Diagnostic{
				Span:     leak.Span,
				Severity: diag.Warning,
				Message: fmt.Sprintf("%s at the end of a file of several hold for %s, so their mode and timeouts change unseen; "+
					"need the settings in the sections themselves", name, next),
				Hint:    "write the settings in the frontend and backend that need them, and remove the defaults section",
				Subject: b.Subject,
				Related: more,
			})
		}
	}
	return out
}
