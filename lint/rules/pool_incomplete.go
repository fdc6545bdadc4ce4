package rules

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var poolIncomplete = Rule{
	ID:       "pool-incomplete",
	Title:    "a pool that is not the cluster's members",
	Severity: "warning",
	Why: "A voting member that is missing bears no load and is no help when others fail: of three members with two in the pool, the " +
		"failure of one leaves a single way in. A server that is no member gets clients that it cannot serve.",
	Fix: "Give the pool exactly the voting members of the cluster. While one is drained for work on it, say so in the spec (`drain: true`).",
	References: []string{
		"https://etcd.io/docs/v3.6/faq/#why-an-odd-number-of-cluster-members",
		"etcd-io/etcd#9222",
	},
	Check:    checkPoolIncomplete,
	Unjudged: poolIncompleteUnjudged,
}

func checkPoolIncomplete(g *topology.Group) diag.List {
	spec := g.Spec()
	if spec == nil || draining(spec) {
		return nil
	}
	var out diag.List
	for _, b := range clientPools(g) {
		if b.Source == spec || b.Proof != topology.Proven || b.Partial || direct(b) {
			continue
		}
		missing, strangers := compared(g, spec, b)
		hint, said := "give the pool exactly the voting members that the spec lists", b.Span
		message := ""
		switch {
		case len(strangers) > 0:
			said = strangers[0].Span
			message = fmt.Sprintf("%s sends clients to %s, which is no member that the spec lists, so their requests may fail; need the voting members only",
				b.Called(), strangers[0].Host.V)
		case len(missing) > 0:
			message = fmt.Sprintf("%s lacks %s, so fewer members bear the load and fewer are left when one fails; need all voting members",
				b.Called(), list(missing))
		default:
			continue
		}
		out = append(out, diag.Diagnostic{Span: said, Severity: diag.Warning, Message: message, Hint: hint, Subject: b.Subject()})
	}
	return out
}

// draining reports whether a member is being taken out for a while.
func draining(spec *topology.Topology) bool {
	return slices.ContainsFunc(spec.Etcd.Members, func(m topology.Member) bool { return m.Drain.V })
}

// direct reports whether a pool is one member's own: one of several pools, with a single server.
func direct(b topology.EtcdPool) bool { return len(b.Servers) == 1 && len(b.Proxy.Pools) > 1 }

// compared lists the voting members that a pool lacks and the servers that are no members. Where a server may be any
// member none is known to be missing. A pool without any member is another cluster's.
func compared(g *topology.Group, spec *topology.Topology, b topology.EtcdPool) (missing []string, strangers []topology.Server) {
	there := map[string]bool{}
	var others []topology.Server
	certain := len(b.Servers) > 0
	for _, s := range b.Servers {
		m := memberOf(g, s)
		if m == nil {
			m = byName(spec, s)
		}
		addr, err := netip.ParseAddr(s.Host.V)
		switch {
		case m != nil:
			there[m.Name.V] = true
		case !s.Host.Known() || err != nil || addr.IsLoopback():
			certain = false // a name may be anybody's
		case located(spec):
			others = append(others, s)
		}
	}
	if len(there) == 0 {
		return nil, nil // another cluster's
	}
	for _, m := range spec.Etcd.Members {
		if certain && located(spec) && !m.Learner.V && !there[m.Name.V] {
			missing = append(missing, m.Name.V)
		}
	}
	return missing, others
}

// byName is the member that a server's host name begins with: "etcd-1" of "etcd-1.example.com".
func byName(spec *topology.Topology, s topology.Server) *topology.Member {
	label, _, _ := strings.Cut(s.Host.V, ".")
	for i := range spec.Etcd.Members {
		if m := &spec.Etcd.Members[i]; m.Name.Known() && strings.EqualFold(m.Name.V, label) {
			return m
		}
	}
	return nil
}

// located reports whether the spec says where every member is.
func located(spec *topology.Topology) bool {
	return !slices.ContainsFunc(spec.Etcd.Members, func(m topology.Member) bool { return len(m.Addresses()) == 0 })
}

func poolIncompleteUnjudged(g *topology.Group) string {
	if g.Spec() != nil {
		return ""
	}
	for _, b := range g.EtcdPools() {
		if b.Proof == topology.Proven && !b.Partial && !b.Proxy.Cloud() && len(b.Servers) > 1 {
			return "which members there are is not known: lint the spec, too"
		}
	}
	return ""
}
