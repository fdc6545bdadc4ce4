package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var nlbSecurityGroup = Rule{
	ID:       "nlb-security-group",
	Title:    "a network load balancer without a security group",
	Severity: "warning",
	Why: "A network load balancer that is created without a security group can never get one: the day somebody wants to limit who " +
		"reaches etcd, it has to be replaced, with its name and addresses. Until then members cannot admit it by its group either.",
	Fix: "Give it a security group in `security_groups` now, before clients depend on it, and admit that group to the members' " +
		"client port and to the port of the health check.",
	References: []string{
		"hashicorp/terraform-provider-aws#32965", "terraform-aws-modules/terraform-aws-alb#276",
		"https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html",
	},
	Check:    checkNLBSecurityGroup,
	Unjudged: nlbSecurityGroupUnjudged,
}

func checkNLBSecurityGroup(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range balancers(g) {
		if !b.Firewalled.Known() || b.Firewalled.V {
			continue
		}
		out = append(out, diag.Diagnostic{
			Span:     b.Firewalled.Span,
			Severity: diag.Warning,
			Message: fmt.Sprintf("%s has no security group, which it cannot get later, so access to etcd can only be limited by "+
				"replacing it; need security_groups from the start", b.Called()),
			Hint:    "set security_groups",
			Subject: b.Subject,
		})
	}
	return out
}

func nlbSecurityGroupUnjudged(g *topology.Group) string {
	for _, b := range balancers(g) {
		if unread(b.Firewalled) {
			return variable("security_groups")
		}
	}
	return ""
}
