package iptables

import (
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Bounds of what is followed. A host with thousands of chains stays far below; a file made to explode does not.
const (
	maxRules = 20_000
	maxSteps = 100_000
	maxDepth = 64
	maxLeft  = 64
)

// decision is one rule in effective order.
type decision struct {
	topology.FirewallRule
	prefix string // of a log line
}

// walker follows jumps from a chain and lists what decides, in order.
type walker struct {
	table *table
	out   []decision
	stack []*chain
	steps int
	// doubt is what an unknown chain or target may have decided before.
	doubt []topology.FirewallRule
	full  bool
}

// flatten lists the decisions of a chain in effective order, with the matches of the jumps that lead to each; a policy that
// drops comes last.
func flatten(t *table, c *chain) []decision {
	w := &walker{table: t, full: t.full}
	w.chain(c, topology.FirewallRule{From: topology.DefaultAt(anybody, c.span)})
	if c.drops {
		policy := topology.FirewallRule{Verdict: topology.Drop, From: topology.DefaultAt(anybody, c.policySpan), Span: c.policySpan}
		if len(w.doubt) > 0 {
			limit(&policy)
		}
		w.out = append(w.out, decision{FirewallRule: policy})
	}
	if w.full {
		for i := range w.out {
			limit(&w.out[i].FirewallRule)
		}
	}
	return w.out
}

// chain follows one chain for what matches under.
func (w *walker) chain(c *chain, under topology.FirewallRule) {
	w.stack = append(w.stack, c)
	defer func() { w.stack = w.stack[:len(w.stack)-1] }()
	var returned []topology.FirewallRule
	for _, r := range c.rules {
		if w.steps++; w.steps > maxSteps || len(w.out) >= maxRules {
			w.full = true
			return
		}
		m, ok := meet(under, r.match)
		if !ok {
			continue
		}
		if overlaps(returned, m) || overlaps(w.doubt, m) {
			limit(&m)
		}
		leaves := w.rule(r, m)
		if leaves && everything(r.match) {
			return
		}
		if leaves {
			returned = remember(returned, m)
		}
	}
}

// rule does what one rule says, and reports whether what it matches leaves the chain undecided.
func (w *walker) rule(r *rule, m topology.FirewallRule) (leaves bool) {
	next := w.table.chains[r.target]
	verdict, decides := verdicts[r.target]
	switch {
	case decides:
		m.Verdict = verdict
		if (m.Loopback || m.Established) && m.From.State == topology.Defaulted {
			m.From = topology.Value[netip.Prefix]{}
		}
		w.out = append(w.out, decision{FirewallRule: m, prefix: r.prefix})
	case r.target == "RETURN":
		return true
	case slices.Contains(passing, r.target):
	case next == nil, slices.Contains(w.stack, next), len(w.stack) >= maxDepth:
		w.doubt = remember(w.doubt, m)
	default:
		w.chain(next, m)
		return r.goTo
	}
	return false
}

var verdicts = map[string]topology.Verdict{
	"ACCEPT": topology.Accept, "DROP": topology.Drop, "REJECT": topology.Reject,
	"LOG": topology.Log, "NFLOG": topology.Log, "ULOG": topology.Log,
}

// passing are targets after which the next rule is asked.
var passing = []string{
	"", "MARK", "CONNMARK", "SET", "AUDIT", "TRACE", "CT", "NOTRACK", "TCPMSS", "CLASSIFY", "DSCP", "TOS", "TTL", "HL",
	"SECMARK", "CONNSECMARK", "CHECKSUM", "IDLETIMER", "LED", "RATEEST", "TEE", "HMARK",
}

// remember adds a match to a list of those that later rules may not see. TCP is what we judge: a match that TCP never
// meets changes nothing. A long list becomes one match of everything.
func remember(list []topology.FirewallRule, m topology.FirewallRule) []topology.FirewallRule {
	if m.Protocol != "" && m.Protocol != "tcp" {
		return list
	}
	if len(list) == maxLeft {
		return []topology.FirewallRule{{From: topology.DefaultAt(anybody, m.Span)}}
	}
	return append(list, m)
}

func overlaps(list []topology.FirewallRule, m topology.FirewallRule) bool {
	return slices.ContainsFunc(list, func(other topology.FirewallRule) bool {
		_, ok := meet(other, m)
		return ok
	})
}

// everything reports whether a rule has no condition.
func everything(m topology.FirewallRule) bool {
	return m.Protocol == "" && m.Ports == nil && m.From.State == topology.Defaulted &&
		!m.Loopback && !m.Established && !m.Limited
}

// meet is what two matches have in common, with the span of the second; false where that is nothing.
func meet(a, b topology.FirewallRule) (topology.FirewallRule, bool) {
	out := b
	out.Loopback = a.Loopback || b.Loopback
	out.Established = a.Established || b.Established
	out.Fresh = a.Fresh || b.Fresh
	switch {
	case b.Protocol == "":
		out.Protocol = a.Protocol
	case a.Protocol != "" && a.Protocol != b.Protocol:
		return out, false
	}
	if b.Ports == nil {
		out.Ports = a.Ports
	} else if a.Ports != nil {
		if out.Ports = common(a.Ports, b.Ports); out.Ports == nil {
			return out, false
		}
	}
	if !meetSources(a, b, &out) {
		return out, false
	}
	if a.Limited {
		limit(&out)
	}
	return out, true
}

// meetSources puts the common source of a and b into out; false where there is none. A source that is unknown only because
// of other conditions adds nothing to one that is stated.
func meetSources(a, b topology.FirewallRule, out *topology.FirewallRule) bool {
	switch {
	case !stated(a):
	case !stated(b):
		out.From, out.FromName = a.From, a.FromName
	case a.From.Known() && b.From.Known():
		if !a.From.V.Overlaps(b.From.V) {
			return false
		}
		if a.From.V.Bits() > b.From.V.Bits() {
			out.From = a.From
		}
	case a.From.Known() && a.From.V.Bits() == 0:
	default:
		out.From = topology.UnknownAt[netip.Prefix](b.From.Span)
		out.FromName = topology.Value[string]{}
		out.Limited = true
	}
	return true
}

// stated reports whether a rule names a source, known or not.
func stated(m topology.FirewallRule) bool {
	return m.From.State == topology.Set || m.From.State == topology.Unknown && !m.Limited
}

// common is the intersection of two lists of ranges, nil where it is empty.
func common(a, b []topology.PortRange) []topology.PortRange {
	var out []topology.PortRange
	for _, x := range a {
		for _, y := range b {
			if first, last := max(x.First, y.First), min(x.Last, y.Last); first <= last {
				out = append(out, topology.PortRange{First: first, Last: last})
			}
		}
	}
	return out
}
