package terraform

import (
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// isNetwork reports whether an aws_lb is known to be a network load balancer; an application one is the default.
func isNetwork(lb node) bool {
	kind, _ := lb.get("load_balancer_type")
	return kind.data == "network"
}

// readNetwork reads what only a network load balancer leaves to choose.
func readNetwork(lb node, p *topology.Proxy) {
	p.CrossZone = readOr(lb, "enable_cross_zone_load_balancing", value.truth, false)
	p.Firewalled = readOr(lb, "security_groups", func(v value) (bool, bool) {
		groups, ok := v.items()
		return len(groups) > 0, ok
	}, false)
	p.Zones = zones(lb)
}

// crossing is whether a target group is balanced across zones, where it does not leave that to its load balancer.
func crossing(group node) (v topology.Value[bool], said bool) {
	const name = "load_balancing_cross_zone_enabled"
	if text := read(group, name, value.text); text.V == "use_load_balancer_configuration" {
		return v, false
	}
	_, said = group.get(name)
	return read(group, name, value.truth), said
}

// zones is the number of subnets, which are of different zones.
func zones(lb node) topology.Value[int] {
	if v, ok := lb.get("subnets"); ok {
		return fact(lb, v, func(v value) (int, bool) {
			subnets, ok := v.items()
			return len(subnets), ok && len(subnets) > 0
		})
	}
	mappings := lb.blocks("subnet_mapping")
	for _, m := range mappings {
		if m.many {
			return topology.UnknownAt[int](m.span())
		}
	}
	if len(mappings) == 0 {
		return topology.Value[int]{}
	}
	return topology.SetAt(len(mappings), mappings[0].span())
}

// readConnections reads what a target group of a network load balancer does with the connections through it.
func readConnections(group node, p *topology.Pool) {
	if p.Mode.V != topology.TCP {
		return
	}
	p.CutOnRemoval = readOr(group, "connection_termination", value.truth, false)
	p.CutOnDown = topology.DefaultAt(true, group.span())
	if state, ok := group.block("target_health_state"); ok {
		p.CutOnDown = readOr(state, "enable_unhealthy_connection_termination", value.truth, true)
	}
	p.KeepsSource = read(group, "preserve_client_ip", value.truth)
	if _, written := group.get("preserve_client_ip"); written {
		return
	}
	if kind := readOr(group, "target_type", value.text, "instance"); kind.Known() {
		p.KeepsSource = topology.DefaultAt(kind.V == "instance", group.span())
	}
}

// Idle timeouts of AWS where none is written.
const (
	networkIdle     = 350 * time.Second
	applicationIdle = 60 * time.Second
)

// idle is how long a connection of a listener may stay quiet: the listener says it for TCP, nobody for TLS, and for
// HTTP the load balancer.
func (r *awsReader) idle(n node, mode topology.Mode, balancer string) topology.Value[time.Duration] {
	protocol, _ := n.get("protocol")
	switch p, _ := protocol.text(); strings.ToUpper(p) {
	case "TCP":
		return readOr(n, "tcp_idle_timeout_seconds", value.seconds, networkIdle)
	case "TLS", "TCP_UDP": // what one chooses with the protocol, and cannot set: no default that is left standing
		return topology.SetAt(networkIdle, n.scope.folder.span(protocol.at))
	}
	lb, ok := r.balancer[balancer]
	if mode != topology.HTTP || !ok {
		return topology.Value[time.Duration]{}
	}
	return readOr(lb, "idle_timeout", value.seconds, applicationIdle)
}
