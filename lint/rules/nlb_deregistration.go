package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var nlbDeregistration = Rule{
	ID:       "nlb-deregistration",
	Title:    "connections outlive the member's place in the target group",
	Severity: "warning",
	Why: "A member that is taken out of a target group keeps the connections it has: clients stay on a machine that is about to " +
		"stop, and notice only when it does. What becomes of connections to a member that fails its checks should be written " +
		"down too, since it decides whether clients leave it.",
	Fix: "In the target group set `connection_termination = true`, with a `deregistration_delay` of about 60, and in " +
		"`target_health_state` set `enable_unhealthy_connection_termination = true`.",
	References: []string{
		"kubernetes-sigs/cluster-api-provider-aws#5800", "kubernetes-sigs/cluster-api-provider-aws#5475",
		"kubernetes-sigs/aws-load-balancer-controller#2366",
		"https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html",
	},
	Check:    checkNLBDeregistration,
	Unjudged: nlbDeregistrationUnjudged,
}

func checkNLBDeregistration(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range clientPools(g) {
		d := diag.Diagnostic{Severity: diag.Warning, Subject: b.Subject()}
		switch {
		case !b.CutOnRemoval.Known() || onPeerPort(g, b):
			continue
		case !b.CutOnRemoval.V:
			d.Span = b.CutOnRemoval.Span
			d.Message = fmt.Sprintf("%s leaves connections open to a member that is taken out, so its clients fail when it stops; "+
				"need connection_termination", b.Called())
			d.Hint = "set connection_termination = true, and in target_health_state enable_unhealthy_connection_termination = true"
		case b.CutOnDown.State == topology.Defaulted:
			d.Span = b.CutOnDown.Span
			d.Message = fmt.Sprintf("%s does not say what becomes of connections to a member that fails its checks, so whether its "+
				"clients leave is up to AWS; need target_health_state", b.Called())
			d.Hint = "add target_health_state with enable_unhealthy_connection_termination = true"
		case b.CutOnDown.Known() && !b.CutOnDown.V:
			d.Span = b.CutOnDown.Span
			d.Message = fmt.Sprintf("%s leaves connections open to a member that fails its checks, so its clients stay with it; "+
				"need enable_unhealthy_connection_termination", b.Called())
			d.Hint = "set enable_unhealthy_connection_termination = true"
		default:
			continue
		}
		out = append(out, d)
	}
	return out
}

func nlbDeregistrationUnjudged(g *topology.Group) string {
	for _, b := range clientPools(g) {
		if unread(b.CutOnRemoval) || b.CutOnRemoval.Known() && unread(b.CutOnDown) {
			return variable("connection_termination")
		}
	}
	return ""
}
