package terraform

import (
	"fmt"
	"maps"
	"slices"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// variables is variables.tf.
func (m *azureModule) variables() file {
	f := newFile("variables.tf")
	for _, v := range slices.Concat(m.placeVariables(), m.memberVariables(), m.groupVariables(), m.recordVariables(), m.moreVariables()) {
		f.root.variable(v)
	}
	return f
}

func (m *azureModule) placeVariables() []variable {
	return []variable{
		{
			name: "resource_group_name", kind: "string", description: "The resource group of everything that the module makes.",
			checks: []check{{code(`var.resource_group_name != ""`), "resource_group_name: name one."}},
		},
		{
			name: "location", kind: "string", description: "The region of the load balancer and the members.",
			checks: []check{{code(`var.location != ""`), "location: name one."}},
		},
		{
			name: "subnet_id", kind: "string", description: "The subnet of the load balancer's address, in the members' network.",
			checks: []check{matches("subnet_id", "(?i)^/subscriptions/.+/virtualNetworks/[^/]+/subnets/[^/]+$", "write the resource ID of a subnet.")},
		},
		{
			name: "address", kind: "string", fallback: text(m.address),
			description: "The load balancer's address, an unused one of the subnet. Empty: Azure chooses.",
			checks:      []check{{code(`var.address == "" || can(cidrnetmask("${var.address}/32"))`), "address: write an IPv4 address."}},
		},
		{
			name: "zones", kind: "set(string)", fallback: list([]string{"1", "2", "3"}),
			description: "The zones that the load balancer stands in. Empty: none, for regions that have no zones.",
			checks:      []check{matchAll("zones", "^[1-9]$", "write numbers of zones.")},
		},
	}
}

func (m *azureModule) memberVariables() []variable {
	members := variable{
		name: "members", kind: "map(string)",
		description: "The address of each member, learners among them, by its name in the spec.",
		checks: []check{
			{equals(code("toset(keys(var.members))"), call("toset", list(m.everybody()))), "members: name each member of the spec, and no other."},
			{code(`alltrue([for address in values(var.members) : can(cidrnetmask("${address}/32"))])`), "members: write IPv4 addresses."},
		},
	}
	if m.members != nil {
		members.fallback = mapOf(m.members)
	}
	return []variable{
		members,
		{
			name: "network_interfaces", kind: "map(object({ id = string, ip_configuration_name = string }))", fallback: code("{}"),
			description: "The network interface of each member behind the load balancer, by the member's name in the spec, " +
				"for a backend pool of interfaces instead of addresses.",
			checks: []check{
				{
					either(equals(code("length(var.network_interfaces)"), number(0)),
						equals(code("toset(keys(var.network_interfaces))"), call("toset", list(m.Servers())))),
					"network_interfaces: name each member that the spec puts behind the load balancer, and no other.",
				},
				{
					code(`alltrue([for nic in values(var.network_interfaces) : can(regex("(?i)/networkInterfaces/[^/]+$", nic.id))])`),
					"network_interfaces: write resource IDs of network interfaces.",
				},
			},
		},
	}
}

func (m *azureModule) groupVariables() []variable {
	return []variable{
		{
			name: "network_security_group_name", kind: "string", fallback: text(""),
			description: "The security group that members are in, without inline rules: the module adds its rules to it. " +
				"Empty: the module makes one, to be attached to the members.",
			checks: []check{matches("network_security_group_name", "^[A-Za-z0-9._-]*$", "write a security group's name.")},
		},
		{
			name: "network_security_group_resource_group_name", kind: "string", fallback: text(""),
			description: "The resource group of that security group. Empty: the load balancer's.",
			checks: []check{matches("network_security_group_resource_group_name", `^[-A-Za-z0-9._()]*$`,
				"write a resource group's name.")},
		},
		{
			name: "first_priority", kind: "number", fallback: number(azureFirst),
			description: fmt.Sprintf("The priority of the module's first rule in the security group; it takes the next %d.", azureOthersAt),
			checks: []check{{
				code(fmt.Sprintf("var.first_priority >= 100 && var.first_priority <= %d && floor(var.first_priority) == var.first_priority",
					azureLastOfAzure-azureOthersAt)),
				fmt.Sprintf("first_priority: write a whole number between 100 and %d.", azureLastOfAzure-azureOthersAt),
			}},
		},
	}
}

// recordVariables name the private zone. Provider 5 takes its ID alone, provider 4 its name alone.
func (m *azureModule) recordVariables() []variable {
	if m.Host == "" {
		return nil
	}
	if m.provider == 4 {
		return []variable{
			{
				name: "private_dns_zone_name", kind: "string", fallback: text(""),
				description: "The private DNS zone that gets a record of " + m.Host + ". Empty: no record.",
				checks:      []check{matches("private_dns_zone_name", "^[A-Za-z0-9._-]*$", "write the name of a private zone.")},
			},
			{
				name: "private_dns_zone_resource_group_name", kind: "string", fallback: text(""),
				description: "The resource group of that zone. Empty: the load balancer's.",
				checks: []check{matches("private_dns_zone_resource_group_name", `^[-A-Za-z0-9._()]*$`,
					"write a resource group's name.")},
			},
		}
	}
	return []variable{{
		name: "private_dns_zone_id", kind: "string", fallback: text(""),
		description: "The private DNS zone that gets a record of " + m.Host + ". Empty: no record.",
		checks: []check{matches("private_dns_zone_id", "(?i)^(/subscriptions/.+/privateDnsZones/[^/]+)?$",
			"write the resource ID of a private zone.")},
	}}
}

func (m *azureModule) moreVariables() []variable {
	return []variable{
		{
			name: "action_group_ids", kind: "set(string)", fallback: code("[]"),
			description: "Action groups that are told when too few members are healthy, and when they are again.",
			checks:      []check{matchAll("action_group_ids", "(?i)/actionGroups/[^/]+$", "write resource IDs of action groups.")},
		},
		{
			name: "tags", kind: "map(string)", fallback: code("{}"),
			description: "Tags of everything that the module makes and that takes some.",
			checks:      []check{{code("length(var.tags) <= 50"), "tags: Azure takes 50."}},
		},
	}
}
