package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var evenMembers = Rule{
	ID:       "even-members",
	Title:    "an even number of voting members, or one",
	Severity: "warning",
	Why: "A majority of four is three: four members survive the failure of one, as three do, and have one more that can fail. " +
		"Two survive none. One alone is the cluster: when it is down there is nothing to balance to.",
	Fix: "Run three or five voting members.",
	References: []string{
		"https://etcd.io/docs/v3.6/faq/#why-an-odd-number-of-cluster-members",
		"https://etcd.io/docs/v3.6/faq/#what-is-failure-tolerance",
	},
	Check: checkEvenMembers,
}

func checkEvenMembers(g *topology.Group) diag.List {
	at, voting, subject := diag.Span{}, 0, "the initial cluster"
	if spec := g.Spec(); spec != nil && !draining(spec) {
		for _, m := range spec.Etcd.Members {
			if !m.Learner.V {
				voting++
			}
		}
		at, subject = spec.Etcd.Members[0].Span, "cluster "+spec.Name.V
	} else if spec == nil {
		initial := largest(g)
		at, voting = initial.Span, initial.V
	}
	if voting == 0 || voting > 1 && voting%2 == 1 {
		return nil
	}
	tolerates := fmt.Sprintf("%d voting members survive the failure of %d, as %d would", voting, (voting-1)/2, voting-1)
	if voting == 1 {
		tolerates = "one voting member survives no failure, its own least of all"
	}
	return diag.List{{
		Span:     at,
		Severity: diag.Warning,
		Message:  "the cluster's " + tolerates + "; need three or five",
		Hint:     "add a member, or remove one",
		Subject:  subject,
	}}
}

// largest is the largest of the initial clusters that members are started with.
func largest(g *topology.Group) topology.Value[int] {
	var out topology.Value[int]
	for _, t := range g.Sources {
		for _, m := range t.Etcd.Members {
			if n := m.Flags.InitialCluster; n.Known() && n.V > out.V {
				out = n
			}
		}
	}
	return out
}
