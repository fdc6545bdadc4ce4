package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var checkConflict = Rule{
	ID:       "check-conflict",
	Title:    "two health checks in one section",
	Severity: "error",
	Why: "A section has one way to check its servers: of several the last one holds, and `haproxy -c` says nothing. Whoever reads " +
		"the other one believes in a check that never runs.",
	Fix:        "Keep the one that is meant. One in a backend that replaces an inherited one is fine.",
	References: []string{"https://docs.haproxy.org/2.6/configuration.html#4.2-option%20httpchk"},
	Check:      checkCheckConflict,
}

func checkCheckConflict(g *topology.Group) diag.List {
	var out diag.List
	for _, t := range g.Sources {
		for _, p := range t.Proxies {
			for _, o := range p.Overridden {
				out = append(out, diag.Diagnostic{
					Span:     o.Lost.Span,
					Severity: diag.Error,
					Message: fmt.Sprintf("%s has %s and %s, of which the last alone holds, so this one never runs; need one",
						o.Section, o.Lost.V, o.Holds.V),
					Hint:    "remove the one that is not meant",
					Subject: p.Platform + " " + o.Section,
					Related: []diag.Related{{Span: o.Holds.Span, Message: "this one holds"}},
					Edits:   []diag.Edit{{Span: o.Lost.Span}},
				})
			}
		}
	}
	return out
}
