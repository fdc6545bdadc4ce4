package rules

import (
	"fmt"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var checkFlappy = Rule{
	ID:       "check-flappy",
	Title:    "a check that takes well members out, or keeps them out",
	Severity: "warning",
	Why: "One lost packet or one slow answer under load is no dead member. A check that takes it for one moves its clients to the others, " +
		"which get slower in turn: whole clusters went out of rotation that way. And a member that must pass dozens of checks to " +
		"come back is missing for as long.",
	Fix: "Take a member out after 2 or 3 failures, back in after 2 successes, and check every 1s to 5s.",
	References: []string{
		"k3s-io/k3s#10240",
		"https://docs.haproxy.org/2.6/configuration.html#5.2-rise",
	},
	Check: checkCheckFlappy,
}

func checkCheckFlappy(g *topology.Group) diag.List {
	const (
		shortest = 500 * time.Millisecond
		mostRise = 10
	)
	var out diag.List
	for _, b := range checkedPools(g) {
		if !active(b) {
			continue
		}
		add := func(at diag.Span, what, hint string, edits ...diag.Edit) {
			out = append(out, diag.Diagnostic{
				Span:     at,
				Severity: diag.Warning,
				Message:  b.Called() + " " + what,
				Hint:     hint,
				Subject:  b.Subject(),
				Edits:    edits,
			})
		}
		c := b.Check
		if c.Fall.Known() && c.Fall.V == 1 {
			add(c.Fall.Span, "takes a server out after a single failed check, which one lost packet is enough for; need 2 or more",
				"set fall to 2 or 3 (unhealthy_threshold, probe_threshold, fails)")
		}
		if c.Interval.Known() && c.Interval.V < shortest {
			add(c.Interval.Span, fmt.Sprintf("is checked every %s, so that a short stall takes servers out; need %s or more",
				short(c.Interval.V), short(shortest)), "set the interval to 2s", checkEvery(c, 2*time.Second)...)
		}
		if c.Rise.Known() && c.Rise.V > mostRise {
			add(c.Rise.Span, fmt.Sprintf("lets a server back in after %d checks only, so the others bear its share for as long; need %d or less",
				c.Rise.V, mostRise), "set rise to 2 (healthy_threshold, passes)")
		}
	}
	return out
}
