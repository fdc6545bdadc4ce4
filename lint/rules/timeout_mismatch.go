package rules

import (
	"fmt"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var timeoutMismatch = Rule{
	ID:       "timeout-mismatch",
	Title:    "client and server timeouts differ",
	Severity: "warning",
	Why: "A quiet watch is quiet on both sides, so the smaller of the two timeouts cuts it and the larger one is never reached: " +
		"whoever raised it has changed nothing.",
	Fix: "Give `timeout client` and `timeout server` one value, or cover both with `timeout tunnel` in the backend or in defaults.",
	References: []string{
		"https://docs.haproxy.org/2.6/configuration.html#4.2-timeout%20client",
		"https://docs.haproxy.org/2.6/configuration.html#4.2-timeout%20tunnel",
	},
	Check: checkTimeoutMismatch,
}

func checkTimeoutMismatch(g *topology.Group) diag.List {
	var out diag.List
	for _, l := range clientListeners(g) {
		for _, r := range l.Routes {
			b := g.PoolOf(l.Proxy, r.Pool.V)
			if b == nil || !limited(l.ClientTimeout) || !limited(b.ServerTimeout) || l.ClientTimeout.V == b.ServerTimeout.V ||
				b.Mode.V != topology.TCP || !b.Tunnel.Known() || b.Tunnel.V != topology.Never {
				continue
			}
			small, large, side := l.ClientTimeout, b.ServerTimeout, "clients"
			if large.V < small.V {
				small, large, side = large, small, "servers"
			}
			d := diag.Diagnostic{
				Span:     small.Span,
				Severity: diag.Warning,
				Message: fmt.Sprintf("%s lets %s be quiet for %s but %s for %s only, so the smaller one cuts quiet watches; need the same on both sides",
					l.Called(), other[side], short(large.V), side, short(small.V)),
				Hint:    "set timeout client and timeout server to the same, or timeout tunnel in the backend",
				Subject: l.Subject(),
				Related: []diag.Related{{Span: large.Span, Message: "the larger one"}},
			}
			if small.State == topology.Set {
				d.Edits = []diag.Edit{{Span: small.Span, From: small.V, To: large.V}}
			}
			out = append(out, d)
		}
	}
	return out
}

// other is the other side of a proxy.
var other = map[string]string{"clients": "servers", "servers": "clients"}

// limited reports whether a timeout is known and there is one.
func limited(v topology.Value[time.Duration]) bool { return v.Known() && v.V != topology.Never }

// waits adds the name of a timeout to others that are known to be missing, if it is, too.
func waits(missing []string, v topology.Value[time.Duration], name string) []string {
	if v.Known() && v.V == topology.Never {
		missing = append(missing, name)
	}
	return missing
}
