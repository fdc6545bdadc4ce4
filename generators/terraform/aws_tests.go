package terraform

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// tests is a test file that "terraform test" runs without credentials.
func (m *awsModule) tests() file {
	f := newFile("tests/" + m.Name + ".tftest.hcl")
	f.root.block("mock_provider", "aws")
	in := f.root.block("variables")
	in.set("vpc_id", text("vpc-0123456789abcdef0"))
	in.set("subnets", mapOf(m.sampleSubnets()))
	if !m.Placed() {
		in.set("members", mapOf(m.sampleMembers("")))
	}
	if len(m.Role(topology.Balancer)) == 0 {
		in.set("client_security_group_ids", object(pair{"clients", text("sg-00000000000000001")}))
	}
	m.testDefaults(f.root)
	m.testOwnGroups(f.root)
	m.testMembers(f.root)
	return f
}

// sampleSubnets has a subnet in each zone that the module knows of.
func (m *awsModule) sampleSubnets() map[string]string {
	zones := slices.Sorted(maps.Keys(m.static))
	for _, e := range m.etcd.Members {
		if e.Zone.Known() {
			zones = append(zones, e.Zone.V)
		}
	}
	if len(zones) == 0 {
		zones = []string{"zone-a", "zone-b"}
	}
	out := map[string]string{}
	for _, zone := range zones {
		if _, ok := out[zone]; !ok {
			out[zone] = fmt.Sprintf("subnet-%017x", len(out)+1)
		}
	}
	return out
}

// sampleMembers are members whose names end in a suffix, which the module refuses unless it is empty.
func (m *awsModule) sampleMembers(suffix string) map[string]string {
	format := "192.0.2.%d"
	switch {
	case m.targetType == "instance":
		format = "i-%017x"
	case m.IPv6():
		format = "2001:db8::%x"
	}
	out := map[string]string{}
	for i, target := range m.Servers() {
		out[target+suffix] = fmt.Sprintf(format, i+1)
	}
	return out
}

func (b *body) test(name string) *body {
	out := b.block("run", name)
	out.set("command", code("plan"))
	return out
}

func (b *body) assert(condition hclwrite.Tokens, message string) {
	in := b.block("assert")
	in.set("condition", condition)
	in.set("error_message", text(message))
}

func (m *awsModule) testDefaults(root *body) {
	run := root.test("defaults")
	run.assert(equals(code("toset(keys(aws_lb_target_group_attachment.members))"), call("toset", list(m.Servers()))),
		"Every member that takes clients is a target.")
	run.assert(equals(code("aws_lb_listener.client.tcp_idle_timeout_seconds"), seconds(m.Listener.Routes[0].Idle)),
		"Quiet watches live as long as the spec says.")
	run.assert(equals(code("aws_lb_target_group.client.health_check[0].port"), text(strconv.Itoa(m.Pool.Check.Port.V))),
		"The health check asks the port that tells the truth.")
	run.assert(equals(code("length(aws_security_group.balancer)"), number(1)),
		"The load balancer gets a security group when it is created, since it can get none later.")
	run.assert(equals(code("aws_cloudwatch_metric_alarm.quorum.threshold"), number(m.Quorum)),
		"The alarm rings below quorum.")
}

func (m *awsModule) testOwnGroups(root *body) {
	run := root.test("own_security_groups")
	in := run.block("variables")
	in.set("security_group_ids", list([]string{"sg-00000000000000002"}))
	in.set("member_security_group_id", text("sg-00000000000000003"))
	run.assert(equals(code("length(aws_security_group.balancer) + length(aws_security_group.members)"), number(0)),
		"Groups that are brought along are not made.")
	run.assert(code(`alltrue([for rule in aws_vpc_security_group_ingress_rule.members_from_balancer : `+
		`rule.referenced_security_group_id == "sg-00000000000000002" && rule.security_group_id == "sg-00000000000000003"])`),
		"The members admit the group that the load balancer has.")
}

func (m *awsModule) testMembers(root *body) {
	run := root.test("refuses_unknown_members")
	in := run.block("variables")
	in.set("members", mapOf(m.sampleMembers("-other")))
	run.set("expect_failures", code("[var.members]"))
}
