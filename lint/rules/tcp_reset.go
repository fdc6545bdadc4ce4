package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var tcpReset = Rule{
	ID:       "tcp-reset",
	Title:    "connections are cut without a word",
	Severity: "warning",
	Why: "An Azure load balancer forgets a connection that was quiet for too long, and tells neither side unless it is asked to. A " +
		"client then waits for events on a connection that leads nowhere, until something it sends goes unanswered for minutes.",
	Fix: "Set `tcp_reset_enabled = true` (`enable_tcp_reset` before azurerm 4) on the rule; it needs the Standard SKU.",
	References: []string{
		"https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-reset",
	},
	Check:    checkTCPReset,
	Unjudged: tcpResetUnjudged,
}

func checkTCPReset(g *topology.Group) diag.List {
	var out diag.List
	for _, l := range clientListeners(g) {
		for _, r := range l.Routes {
			if !r.Reset.Known() || r.Reset.V {
				continue
			}
			out = append(out, diag.Diagnostic{
				Span:     r.Reset.Span,
				Severity: diag.Warning,
				Message: fmt.Sprintf("%s sends no reset when it drops a quiet connection, so clients wait for events that never come; "+
					"need tcp_reset_enabled", l.Called()),
				Hint:    "set tcp_reset_enabled = true",
				Subject: l.Subject(),
			})
		}
	}
	return out
}

func tcpResetUnjudged(g *topology.Group) string {
	for _, l := range clientListeners(g) {
		for _, r := range l.Routes {
			if unread(r.Reset) {
				return variable("tcp_reset_enabled")
			}
		}
	}
	return ""
}
