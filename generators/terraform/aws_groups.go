package terraform

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const (
	ingressRule = "aws_vpc_security_group_ingress_rule"
	egressRule  = "aws_vpc_security_group_egress_rule"
)

// groupRule is one resource of rules: for each key of a map or set one instance.
type groupRule struct {
	kind, label, description string
	forEach                  hclwrite.Tokens
	group                    string // expression: the group that the rule is in
	source                   string // attribute that says the other side
	from                     hclwrite.Tokens
	port                     hclwrite.Tokens
}

func (b *body) rule(r groupRule) {
	out := b.block("resource", r.kind, r.label)
	out.set("for_each", r.forEach)
	out.set("security_group_id", code(r.group))
	out.set("description", text(r.description))
	out.set("ip_protocol", text("tcp"))
	out.set("from_port", r.port)
	out.set("to_port", r.port)
	out.set(r.source, r.from)
	out.set("tags", code("local.tags"))
}

const (
	reference     = "referenced_security_group_id"
	balancerGroup = "aws_security_group.balancer[0].id"
	memberGroup   = "local.member_group_id"
)

// balancerGroup is who reaches the load balancer, and that it reaches the members.
func (m *awsModule) balancerGroup(root *body) {
	b := m.group(root, "balancer", "local.owns_balancer_group", "lb", "Load balancer of "+m.Title())
	if len(m.Role(topology.Balancer)) == 0 {
		in := b.block("precondition")
		in.set("condition", code("length(var.client_security_group_ids) > 0"))
		in.set("error_message", text("client_security_group_ids: the spec admits no network, so name at least one group of clients."))
	}
	listen := number(m.Port())
	for _, f := range m.Role(topology.Balancer) {
		root.rule(groupRule{
			kind: ingressRule, label: "clients_" + family(f), description: "Clients of " + m.Title(),
			forEach: m.ifOwned(call("toset", list(sources(f.Rules))), code("toset([])")), group: balancerGroup,
			source: "cidr_" + family(f), from: code("each.value"), port: listen,
		})
	}
	root.rule(groupRule{
		kind: ingressRule, label: "client_groups", description: "Clients of " + m.Title(),
		forEach: m.ifOwned(code("var.client_security_group_ids"), code("{}")), group: balancerGroup,
		source: reference, from: code("each.value"), port: listen,
	})
	root.rule(groupRule{
		kind: egressRule, label: "balancer_to_members", description: "Connections and health checks to members",
		forEach: m.ifOwned(m.ports(m.checked()), code("{}")), group: balancerGroup,
		source: reference, from: code(memberGroup), port: code("each.value"),
	})
}

// memberGroup is who reaches the members. Without the load balancer's group in it every target is unhealthy.
func (m *awsModule) memberGroup(root *body) {
	m.group(root, "members", "local.owns_member_group", "members", "Members of "+m.Title())
	for _, f := range m.Role(topology.Members) {
		for _, r := range f.Rules {
			if r.FromName.Known() {
				m.groupToMembers(root, r)
			}
		}
		for _, ports := range distinctPorts(f.Rules) {
			m.networksToMembers(root, f, ports)
		}
	}
	if m.monitored() {
		root.rule(groupRule{
			kind: ingressRule, label: "monitoring_groups", description: "Metrics of members",
			forEach: code("var.monitoring_security_group_ids"), group: memberGroup,
			source: reference, from: code("each.value"), port: number(m.etcd.MetricsPort.V),
		})
	}
}

// groupToMembers admits the load balancer's group, or the members' own; the latter both ways, since a security group
// that Terraform makes lets nothing out by itself.
func (m *awsModule) groupToMembers(root *body, r topology.FirewallRule) {
	rule := groupRule{
		kind: ingressRule, label: "members_from_balancer", description: "Connections and health checks of the load balancer",
		forEach: m.ports(r.Ports), group: memberGroup,
		source: reference, from: code("local.balancer_group_ids[0]"), port: code("each.value"),
	}
	if r.FromName.V != topology.Members {
		root.rule(rule)
		return
	}
	rule.label, rule.description, rule.from = "members_from_members", "Members among each other", code(memberGroup)
	root.rule(rule)
	rule.kind, rule.label = egressRule, "members_to_members"
	root.rule(rule)
}

// networksToMembers admits the networks of the rules that have these ports, a resource a port.
func (m *awsModule) networksToMembers(root *body, f topology.Firewall, ports []topology.PortRange) {
	var rules []topology.FirewallRule
	for _, r := range f.Rules {
		if !r.FromName.Known() && slices.Equal(r.Ports, ports) {
			rules = append(rules, r)
		}
	}
	for _, p := range ports {
		label, description := m.portName(p.First), fmt.Sprintf("Port %d of members", p.First)
		switch label {
		case "client":
			label, description = "direct", "Clients and operators that reach members directly"
		case "metrics":
			label, description = "monitoring", "Metrics of members"
		}
		root.rule(groupRule{
			kind: ingressRule, label: label + "_" + family(f), description: description,
			forEach: call("toset", list(sources(rules))), group: memberGroup,
			source: "cidr_" + family(f), from: code("each.value"), port: number(p.First),
		})
	}
}

// group writes a security group that is made only when the user brings none, and returns its lifecycle.
func (m *awsModule) group(root *body, label, when, suffix, description string) *body {
	b := root.block("resource", "aws_security_group", label)
	b.set("count", choose(code(when), number(1), number(0)))
	b.set("name_prefix", text(m.Name+"-"+suffix+"-"))
	b.set("description", text(description))
	b.set("vpc_id", code("var.vpc_id"))
	b.set("tags", call("merge", code("var.tags"), object(pair{"Name", text(m.Name + "-" + suffix)})))
	out := b.block("lifecycle")
	out.set("create_before_destroy", boolean(true))
	return out
}

// ifOwned chooses by whether the load balancer's group is the module's own.
func (m *awsModule) ifOwned(yes, no hclwrite.Tokens) hclwrite.Tokens {
	return choose(code("local.owns_balancer_group"), yes, no)
}

// ports is a map of ports by what they are for.
func (m *awsModule) ports(ports []topology.PortRange) hclwrite.Tokens {
	pairs := make([]pair, len(ports))
	for i, p := range ports {
		pairs[i] = pair{m.portName(p.First), number(p.First)}
	}
	return object(pairs...)
}

// checked are the ports of members that the load balancer dials.
func (m *awsModule) checked() []topology.PortRange {
	out := []topology.PortRange{topology.Port(m.MemberPort())}
	if p := m.Pool.Check.Port.V; p != m.MemberPort() {
		out = append(out, topology.Port(p))
	}
	return out
}

func family(f topology.Firewall) string { return fmt.Sprintf("ipv%d", f.Family) }

// sources are the networks of rules, in their order.
func sources(rules []topology.FirewallRule) []string {
	var out []string
	for _, r := range rules {
		if r.From.Known() {
			out = append(out, r.From.V.String())
		}
	}
	return out
}

// distinctPorts are the sets of ports that networks are admitted to, in the order of their first rules.
func distinctPorts(rules []topology.FirewallRule) [][]topology.PortRange {
	var out [][]topology.PortRange
	for _, r := range rules {
		seen := func(p []topology.PortRange) bool { return slices.Equal(p, r.Ports) }
		if !r.FromName.Known() && !slices.ContainsFunc(out, seen) {
			out = append(out, r.Ports)
		}
	}
	return out
}
