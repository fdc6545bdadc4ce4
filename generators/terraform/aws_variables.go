package terraform

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

// versions is versions.tf. Test files with mocked providers, which lie beside the module and are loaded with it, need
// Terraform 1.7. Of provider 5, tcp_idle_timeout_seconds needs 5.73; whatever else the module says is alike in both.
func (m *awsModule) versions() file {
	f := newFile("versions.tf")
	t := f.root.block("terraform")
	t.set("required_version", text(">= 1.7"))
	from := map[int]string{5: ">= 5.73, < 6.0", 6: ">= 6.0, < 7.0"}
	t.block("required_providers").set("aws", object(
		pair{"source", text("hashicorp/aws")},
		pair{"version", text(from[m.provider])},
	))
	return f
}

// variable is an argument of the module.
type variable struct {
	name, kind, description string
	fallback                hclwrite.Tokens // nil: required
	checks                  []check
}

// check is a condition on a variable's value, and what it says when that does not hold.
type check struct {
	condition hclwrite.Tokens
	message   string
}

func (b *body) variable(v variable) {
	out := b.block("variable", v.name)
	out.set("description", text(v.description))
	out.set("type", code(v.kind))
	if v.fallback != nil {
		out.set("default", v.fallback)
	}
	out.set("nullable", boolean(false))
	for _, c := range v.checks {
		in := out.block("validation")
		in.set("condition", c.condition)
		in.set("error_message", text(c.message))
	}
}

// ids checks that a variable holds AWS identifiers of one kind: "sg".
func ids(expression, kind, of string) check {
	return check{code(expression), fmt.Sprintf("%s: an identifier begins with %s-.", of, kind)}
}

// variables is variables.tf: what only the network knows, and what the spec says as a default.
func (m *awsModule) variables() file {
	f := newFile("variables.tf")
	for _, v := range slices.Concat(m.networkVariables(), m.groupVariables(), m.otherVariables()) {
		f.root.variable(v)
	}
	return f
}

func (m *awsModule) networkVariables() []variable {
	return []variable{
		{
			name: "vpc_id", kind: "string", description: "The VPC of members and clients.",
			checks: []check{ids(`startswith(var.vpc_id, "vpc-")`, "vpc", "vpc_id")},
		},
		{
			name: "subnets", kind: "map(string)",
			description: "One subnet by availability zone; the load balancer has an address in each.",
			checks: []check{
				{code("length(var.subnets) > 0"), "subnets: name at least one."},
				ids(`alltrue([for id in values(var.subnets) : startswith(id, "subnet-")])`, "subnet", "subnets"),
			},
		},
		{
			name: "addresses", kind: "map(string)", fallback: mapOf(m.static),
			description: "The load balancer's own IPv4 address by availability zone. Where none is given AWS chooses, and certificates can only name the load balancer.",
			checks: []check{{
				code(`alltrue([for address in values(var.addresses) : can(cidrnetmask("${address}/32"))])`),
				"addresses: write IPv4 addresses.",
			}},
		},
		m.membersVariable(),
	}
}

// membersVariable is where the members are: defaulted where the spec says it of all, else required.
func (m *awsModule) membersVariable() variable {
	v := variable{
		name: "members", kind: "map(string)",
		description: "The address of each member behind the load balancer, by its name in the spec.",
		checks: []check{{
			equals(code("toset(keys(var.members))"), call("toset", list(m.Servers()))),
			"members: name each member that the spec puts behind the load balancer, and no other.",
		}},
	}
	width, family := 32, "IPv4"
	if m.IPv6() {
		width, family = 128, "IPv6"
	}
	valid := check{
		code(fmt.Sprintf(`alltrue([for address in values(var.members) : can(cidrhost("${address}/%d", 0))])`, width)),
		"members: write " + family + " addresses.",
	}
	if m.targetType == "instance" {
		v.description = "The instance of each member behind the load balancer, by the member's name in the spec."
		valid = ids(`alltrue([for id in values(var.members) : startswith(id, "i-")])`, "i", "members")
	}
	v.checks = append(v.checks, valid)
	if m.Placed() {
		hosts := map[string]string{}
		for _, s := range m.Pool.Servers {
			hosts[s.Name.V] = s.Host.V
		}
		v.fallback = mapOf(hosts)
	}
	return v
}

// groupVariables are the switches that bring security groups along.
func (m *awsModule) groupVariables() []variable {
	valid := func(name string) []check {
		return []check{ids(fmt.Sprintf(`alltrue([for id in values(var.%s) : startswith(id, "sg-")])`, name), "sg", name)}
	}
	out := []variable{
		{
			name: "security_group_ids", kind: "list(string)", fallback: code("[]"),
			description: "Security groups of the load balancer, instead of one that the module makes. They admit the clients and reach the members.",
			checks:      []check{ids(`alltrue([for id in var.security_group_ids : startswith(id, "sg-")])`, "sg", "security_group_ids")},
		},
		{
			name: "member_security_group_id", kind: "string", fallback: text(""),
			description: "The security group that members are in, without inline rules: the module adds its rules to it. Empty: the module makes one, to be attached to the members.",
			checks: []check{ids(`var.member_security_group_id == "" || startswith(var.member_security_group_id, "sg-")`, "sg",
				"member_security_group_id")},
		},
		{
			name: "client_security_group_ids", kind: "map(string)", fallback: code("{}"),
			description: "Security groups of further clients of the load balancer, by any name.",
			checks:      valid("client_security_group_ids"),
		},
	}
	if m.monitored() {
		out = append(out, variable{
			name: "monitoring_security_group_ids", kind: "map(string)", fallback: code("{}"),
			description: "Security groups of machines that scrape the metrics port of members, by any name.",
			checks:      valid("monitoring_security_group_ids"),
		})
	}
	return out
}

func (m *awsModule) otherVariables() []variable {
	out := []variable{{
		name: "deletion_protection", kind: "bool", fallback: boolean(m.protection),
		description: "Refuse to delete the load balancer.",
	}}
	if m.Host != "" {
		out = append(out, variable{
			name: "route53_zone_id", kind: "string", fallback: text(""),
			description: "The hosted zone that gets a record of " + m.Host + ". Empty: no record.",
			checks:      []check{{code(`can(regex("^[A-Z0-9]*$", var.route53_zone_id))`), "route53_zone_id: write the identifier of a hosted zone."}},
		})
	}
	return append(out,
		variable{
			name: "alarm_actions", kind: "set(string)", fallback: code("[]"),
			description: "ARNs that are told when too few members are healthy, and when they are again.",
			checks: []check{{
				code(`alltrue([for arn in var.alarm_actions : startswith(arn, "arn:")])`),
				"alarm_actions: an ARN begins with arn:.",
			}},
		},
		variable{
			name: "tags", kind: "map(string)", fallback: code("{}"),
			description: "Tags of everything that the module makes.",
			checks:      []check{{code("length(var.tags) <= 49"), "tags: AWS allows 50, of which the module sets Name."}},
		},
	)
}
