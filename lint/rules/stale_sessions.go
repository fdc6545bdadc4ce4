package rules

import (
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var staleSessions = Rule{
	ID:       "stale-sessions",
	Title:    "clients stay on a member that is known to be bad",
	Severity: "warning",
	Why: "A check that fails keeps new connections away and does nothing about those there are. gRPC keeps one connection for days: " +
		"on a member that hangs or has no quorum it fails every request until somebody restarts the client.",
	Fix: "Add `on-marked-down shutdown-sessions` to the server lines or to a `default-server` line.",
	References: []string{
		"https://docs.haproxy.org/2.6/configuration.html#5.2-on-marked-down",
	},
	Check: checkStaleSessions,
}

func checkStaleSessions(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range checkedPools(g) {
		// A cloud's load balancer is judged by rules of its own. Where nothing is checked nothing is ever marked down.
		if b.Proxy.Cloud() || !b.CutOnDown.Known() || b.CutOnDown.V || b.Check.Kind.V == topology.CheckNone || !anyChecked(b) ||
			forMetrics(g, b.Pool) {
			continue
		}
		d := diag.Diagnostic{
			Span:     b.CutOnDown.Span,
			Severity: diag.Warning,
			Message: b.Called() + " leaves connections to a server that goes down as they are, so clients stay on a member that is known " +
				"to be bad; need them closed",
			Hint:    "add on-marked-down shutdown-sessions to the server lines, or to a default-server line",
			Subject: b.Subject(),
		}
		if b.CutOnDown.Span == b.Span { // no server is known to do it
			for _, s := range b.Servers {
				end := diag.Span{File: s.Span.File, Line: s.Span.EndLine, Col: s.Span.EndCol, EndLine: s.Span.EndLine, EndCol: s.Span.EndCol}
				if edit := (diag.Edit{Span: end, Text: " on-marked-down shutdown-sessions"}); len(d.Edits) == 0 || d.Edits[len(d.Edits)-1] != edit {
					d.Edits = append(d.Edits, edit) // once a line: a template is many servers
				}
			}
		}
		out = append(out, d)
	}
	return out
}
