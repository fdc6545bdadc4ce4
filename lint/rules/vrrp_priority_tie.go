package rules

import (
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var vrrpPriorityTie = Rule{
	ID:       "vrrp-priority-tie",
	Title:    "two machines have one VRRP priority",
	Severity: "error",
	Why: "The machine with the higher priority has the address. With equal ones both may take it at once, and which one gives way is " +
		"decided by their addresses, not by you.",
	Fix:        "Give each machine of the virtual router a priority of its own, such as 101 and 100.",
	References: []string{"acassen/keepalived#2649", "https://www.rfc-editor.org/rfc/rfc5798#section-6.4.3"},
	Check:      checkVRRPPriorityTie,
	Unjudged:   vrrpPriorityTieUnjudged,
}

func checkVRRPPriorityTie(g *topology.Group) diag.List {
	var out diag.List
	pairs(g, tied, func(first, second router) {
		out = append(out, diag.Diagnostic{
			Span:     second.Priority.Span,
			Severity: diag.Error,
			Message: fmt.Sprintf("%s has priority %d on two machines of virtual router %d, so both may take its addresses; need "+
				"different priorities", called("vrrp_instance", second.Name), second.Priority.V, second.RouterID.V),
			Hint:    "give one of them another priority",
			Subject: "vrrp " + second.Name.V,
			Related: []diag.Related{{Span: first.Priority.Span, Message: "the other machine's"}},
		})
	})
	return out
}

// tied reports whether two instances of one id are the same virtual router on two machines, with one priority.
func tied(a, b router) bool {
	return a.source != b.source && a.Priority.Known() && b.Priority.Known() && a.Priority.V == b.Priority.V &&
		shareAddress(a, b) && !oneMachine(a, b) && !strangers(a, b)
}

// strangers reports whether neither of two instances tells the other: they are in places apart that look alike.
func strangers(a, b router) bool {
	return a.Source.Known() && b.Source.Known() && !a.tells[b.Source.V] && !b.tells[a.Source.V] &&
		len(a.tells) == len(a.Peers) && len(b.tells) == len(b.Peers) && len(a.tells) > 0 && len(b.tells) > 0
}

// oneMachine reports whether two instances may be one file that is there twice: they have one source address, or all
// they say is the same.
func oneMachine(a, b router) bool {
	if a.Source.Known() && b.Source.Known() {
		return a.Source.V == b.Source.V
	}
	return !differ(a.State, b.State) && !differ(a.Interface, b.Interface) && !differ(a.Name, b.Name) &&
		!differ(a.Unicast, b.Unicast) && !differ(a.Password, b.Password) &&
		slices.EqualFunc(a.Peers, b.Peers, same) && slices.EqualFunc(a.Addresses, b.Addresses, same)
}

func same[T comparable](a, b topology.Value[T]) bool { return !differ(a, b) }

// differ reports whether two facts are known to be different.
func differ[T comparable](a, b topology.Value[T]) bool { return a.Known() && b.Known() && a.V != b.V }

func vrrpPriorityTieUnjudged(g *topology.Group) string {
	all := routers(g)
	if len(all) == 0 || all[0].Node != "" || slices.ContainsFunc(all, func(r router) bool { return r.source != all[0].source }) {
		return ""
	}
	return "one machine's keepalived.conf only: lint the others' with it"
}
