package rules

import (
	"fmt"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var checkSlow = Rule{
	ID:       "check-slow",
	Title:    "a dead member is noticed late",
	Severity: "warning",
	Why: "A member is out of rotation only after as many failed checks as `fall` says. Until then new clients are sent to it, and " +
		"their connections fail or wait.",
	Fix: "Check every 2s and give up after 2 or 3 failures; on AWS every 5s and 2 failures, with a timeout below the " +
		"interval. Defaults count: AWS checks every 30s " +
		"and wants 3 failures.",
	References: []string{
		"k3s-io/k3s#10240",
		"https://docs.haproxy.org/2.6/configuration.html#5.2-fall",
		"https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html",
	},
	Check: checkCheckSlow,
}

// slowest is how long a dead member may stay in rotation.
const slowest = 15 * time.Second

// sooner spells a check that notices a dead member soon. AWS and Google refuse a timeout that is not below the interval.
var sooner = remedies{
	"haproxy":     "write inter 2s fall 3",
	"nginx":       "write interval=2s fails=3 in health_check",
	"aws":         "set interval = 5, timeout = 2 and unhealthy_threshold = 2",
	"aws-classic": "set interval = 5, timeout = 2 and unhealthy_threshold = 2",
	"azure":       "set interval_in_seconds = 5 and number_of_probes = 2",
	"gcp":         "set check_interval_sec = 2, timeout_sec = 1 and unhealthy_threshold = 2",
	"gcp-proxy":   "set check_interval_sec = 2, timeout_sec = 1 and unhealthy_threshold = 2",
	"spec":        `set healthCheck: {interval: "2s", fall: 3}`,
	"":            "check every 2s, and take a server out after 3 failures",
}

func checkCheckSlow(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range checkedPools(g) {
		c := b.Check
		if !active(b) || !c.Interval.Known() || !c.Fall.Known() || c.Fall.V < 1 {
			continue
		}
		next := c.Interval // after the first failure
		switch {
		case c.Fast.Known() && c.Fast.V < next.V:
			next = c.Fast
		case !c.Fast.Known() && c.Fast.Span.Line > 0: // as short as may be
			next.V = 0
		}
		takes := c.Interval.V + time.Duration(c.Fall.V-1)*next.V
		if takes <= slowest {
			continue
		}
		at := c.Interval.Span
		if c.Interval.State != topology.Set && c.Fall.State == topology.Set {
			at = c.Fall.Span
		}
		d := diag.Diagnostic{
			Span:     at,
			Severity: diag.Warning,
			Message: fmt.Sprintf("%s is checked every %s and takes a server out after %d failures, so new clients are sent to a dead "+
				"member for %s; need %s or less", b.Called(), short(c.Interval.V), c.Fall.V, short(takes), short(slowest)),
			Hint:    sooner.of(b.Source, b.Proxy),
			Subject: b.Subject(),
		}
		const soon = 2 * time.Second
		if !b.Proxy.Cloud() && soon+time.Duration(c.Fall.V-1)*min(next.V, soon) <= slowest {
			d.Edits = checkEvery(c, soon)
		}
		out = append(out, d)
	}
	return out
}

// checkEvery are the edits that change how often servers are checked, where that is written.
func checkEvery(c topology.Check, interval time.Duration) []diag.Edit {
	if c.Interval.State != topology.Set {
		return nil
	}
	at := c.IntervalAt
	if len(at) == 0 {
		at = []diag.Span{c.Interval.Span}
	}
	edits := make([]diag.Edit, len(at))
	for i, span := range at {
		edits[i] = diag.Edit{Span: span, From: c.Interval.V, To: interval}
	}
	return edits
}
