package terraform

import (
	"slices"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// joined are the instances that are put into a group one by one.
func (r *googleReader) joined(group string, port topology.Value[int]) []topology.Server {
	var out []topology.Server
	for _, n := range few(r.memberships[group]) {
		out = append(out, topology.Server{Name: serverName(n), Port: port, Span: n.span()})
	}
	return out
}

// whole reports whether all servers of a backend service are known: each of its groups gets its instances one by one.
func (r *googleReader) whole(n node) bool {
	backends := n.blocks("backend")
	for _, b := range backends {
		members := r.memberships[b.targetOf("group", instanceGroups)]
		if members == nil || slices.ContainsFunc(members, func(m node) bool { return m.many }) {
			return false
		}
	}
	return len(backends) > 0
}

// readTracking reads what becomes of connections to a sick instance, where packets are passed on: they live on, unless a
// policy says otherwise.
func readTracking(service node, p *topology.Pool) {
	p.CutOnDown = topology.DefaultAt(false, service.span())
	if policy, ok := service.block("connection_tracking_policy"); ok {
		p.CutOnDown = readOr(policy, "connection_persistence_on_unhealthy_backends", func(v value) (bool, bool) {
			choice, ok := v.text()
			return choice == "NEVER_PERSIST", ok
		}, false)
	}
}

// ports are those that an argument lists, or the ends of a range that another one has.
func (n node) ports(list, span string) []topology.Value[int] {
	var out []topology.Value[int]
	for _, v := range each(n.get, list) {
		out = append(out, fact(n, v, value.whole))
	}
	if v, ok := n.get(span); ok && out == nil {
		first, last, known := portRange(v)
		if !known {
			return []topology.Value[int]{topology.UnknownAt[int](n.scope.folder.span(v.at))}
		}
		for p := first; p <= last && p-first < maxPorts; p++ {
			out = append(out, topology.SetAt(p, n.scope.folder.span(v.at)))
		}
	}
	return out
}

// maxPorts is how many ports of a range count one by one.
const maxPorts = 32

// portRange reads "2379" or "2379-2380".
func portRange(v value) (first, last int, ok bool) {
	t, _ := v.text()
	from, to, ranged := strings.Cut(strings.TrimSpace(t), "-")
	if !ranged {
		to = from
	}
	first, errFirst := strconv.Atoi(from)
	last, errLast := strconv.Atoi(to)
	return first, last, errFirst == nil && errLast == nil && 0 <= first && first <= last && last <= 65535
}
