package terraform

import (
	"slices"

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
