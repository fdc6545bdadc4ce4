package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var learnerInPool = Rule{
	ID:       "learner-in-pool",
	Title:    "clients are sent to a learner",
	Severity: "error",
	Why: "A learner does not vote and refuses nearly every request (\"rpc not supported for learner\"). A client with the load " +
		"balancer as its only endpoint has nowhere to retry, so its requests fail for as long as it is connected to the learner.",
	Fix: "Take the learner out of the pool until it is promoted (`etcdctl member promote`).",
	References: []string{
		"etcd-io/etcd#12789", "etcd-io/etcd#13853", "etcd-io/etcd#18801",
		"https://etcd.io/docs/v3.6/learning/design-learner/",
	},
	Check: checkLearnerInPool,
}

func checkLearnerInPool(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range clientPools(g) {
		for _, s := range b.Servers {
			m := memberOf(g, s)
			if m == nil || !m.Learner.V || s.Drain.V {
				continue
			}
			out = append(out, diag.Diagnostic{
				Span:     s.Span,
				Severity: diag.Error,
				Message: fmt.Sprintf("%s sends clients to %s, which is a learner and refuses their requests; need voting members only",
					b.Called(), called("member", m.Name)),
				Hint:    "take it out of the pool until it is promoted",
				Subject: b.Subject(),
				Related: []diag.Related{{Span: m.Learner.Span, Message: "a learner, says the spec"}},
			})
		}
	}
	return out
}

// memberOf is the member of the spec that a server is: by its address or host name, else, where it has none that is
// known, by its name. Nil where it is none.
func memberOf(g *topology.Group, s topology.Server) *topology.Member {
	spec := g.Spec()
	if spec == nil {
		return nil
	}
	for i := range spec.Etcd.Members {
		m := &spec.Etcd.Members[i]
		if s.Host.Known() {
			if isAt(*m, s.Host.V) {
				return m
			}
		} else if m.Name.Known() && s.Name.V == m.Name.V {
			return m
		}
	}
	return nil
}

// isAt reports whether a host is a member's address or host name.
func isAt(m topology.Member, host string) bool {
	for _, a := range m.Addresses() {
		if topology.Host(a.V.String()) == topology.Host(host) {
			return true
		}
	}
	return m.Hostname.Known() && topology.Host(m.Hostname.V) == topology.Host(host)
}
