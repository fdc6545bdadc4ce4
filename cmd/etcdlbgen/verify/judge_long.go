package verify

import (
	"errors"
	"fmt"
	"time"
)

const giveKey = "give a key that this client may read as --watch-key"

// latency states what the way through the load balancer costs. How much is too much is not for a program to say.
func (j *judge) latency(e Endpoint, l latencies) Line {
	const check = "latency"
	switch {
	case errors.Is(l.err, errDenied):
		return e.line(check, Skip, "etcd does not let this client read", giveKey)
	case errors.Is(l.err, errNoMember):
		return e.line(check, Skip, l.err.Error(), "")
	case l.err != nil:
		return e.line(check, Fail, fmt.Sprintf("a read fails (%v); need %d in a row", l.err, reads), "see the other lines")
	}
	through, direct := median(l.through), median(l.direct)
	line := e.line(check, Pass, fmt.Sprintf("a read takes %.2f ms, at %s directly %.2f ms (medians of %d)",
		milliseconds(through), l.member, milliseconds(direct), len(l.through)), "")
	line.Latency = &Latency{LoadBalancer: milliseconds(through), Direct: milliseconds(direct), Reads: len(l.through)}
	return line
}

// watch judges how a quiet watch fared.
func (j *judge) watch(e Endpoint, w watched) Line {
	const check = "watch"
	const raise = "raise the load balancer's idle timeouts (in the spec: loadBalancer.timeouts.idle), and that of every firewall between"
	short := func(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }
	switch {
	case w.denied:
		return e.line(check, Skip, "etcd does not let this client watch", giveKey)
	case !w.began:
		return e.line(check, Fail, fmt.Sprintf("no watch comes about (%v); need one through the load balancer", w.err), "see the other lines")
	case w.cut > 0:
		return e.line(check, Fail, fmt.Sprintf("the connection of a quiet watch is cut after %s, so watches start anew all the time; "+
			"need it to live for %s", short(w.cut), w.idle), raise)
	case w.err != nil:
		return e.line(check, Fail, fmt.Sprintf("a watch that was quiet for %s answers no more (%v), so its client waits for ever; "+
			"need it to live", w.idle, w.err), raise)
	case w.events > 0:
		return e.line(check, Skip, fmt.Sprintf("%d events came within %s, so the watch was not quiet", w.events, w.idle),
			"give a key that nobody writes as --watch-key")
	}
	return e.line(check, Pass, fmt.Sprintf("a watch that was quiet for %s still answers", w.idle), "")
}
