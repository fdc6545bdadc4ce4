package terraform

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

// variables is variables.tf.
func (m *gcpModule) variables() file {
	return variablesFile(slices.Concat(m.placeVariables(), m.machineVariables(), m.moreVariables()))
}

// matches checks a variable's value, or its being left out.
func matches(name, pattern, message string) check {
	return check{code(fmt.Sprintf(`can(regex(%q, var.%s))`, pattern, name)), name + ": " + message}
}

// matchAll checks all elements of a collection.
func matchAll(name, pattern, message string) check {
	return check{code(fmt.Sprintf(`alltrue([for v in var.%s : can(regex(%q, v))])`, name, pattern)), name + ": " + message}
}

func (m *gcpModule) placeVariables() []variable {
	return []variable{
		{
			name: "project", kind: "string", description: "The project of the load balancer and the members.",
			checks: []check{matches("project", "^[a-z0-9.:-]+$", "write a project's identifier.")},
		},
		{
			name: "region", kind: "string", description: "The region of the load balancer and the members.",
			checks: []check{matches("region", "^[a-z]+-[a-z]+[0-9]+$", `write a region's name, such as "europe-west1".`)},
		},
		{
			name: "network", kind: "string",
			description: "The network of members and clients: its name, or of a shared one its self link, whose project gets the firewall rules.",
			checks:      []check{{code(`var.network != ""`), "network: name one."}},
		},
		{
			name: "subnetwork", kind: "string", description: "The subnetwork of the load balancer's address: its name, or of a shared one its self link.",
			checks: []check{{code(`var.subnetwork != ""`), "subnetwork: name one."}},
		},
		{
			name: "address", kind: "string", fallback: text(m.address),
			description: "The load balancer's address, an unused one of the subnetwork. Empty: Google chooses.",
			checks:      []check{{code(`var.address == "" || can(cidrnetmask("${var.address}/32"))`), "address: write an IPv4 address."}},
		},
	}
}

// machineVariables say which machines the members are. Where the spec gives each a zone, they are the instances that are
// called like the members.
func (m *gcpModule) machineVariables() []variable {
	members := variable{
		name: "members", kind: `map(object({ zone = string, instance = optional(string, "") }))`, fallback: m.zonesOf(m.zones),
		description: "The zone and the instance, by self link or identifier, of each member behind the load balancer, by the member's name in the spec. " +
			"Without an instance it is the one of that name. None are needed with instance_groups.",
		checks: []check{
			{
				either(equals(code("length(var.members)"), number(0)), m.allNamed()),
				"members: name each member that the spec puts behind the load balancer, and no other.",
			},
			{
				code(`alltrue([for m in values(var.members) : m.instance == "" || can(regex("projects/[^/]+/zones/${m.zone}/instances/[^/]+$", m.instance))])`),
				"members: write an instance's self link, in the member's zone.",
			},
		},
	}
	return []variable{
		members,
		{
			name: "instance_groups", kind: "map(string)", fallback: code("{}"),
			description: "Instance groups, by any name, that hold the members, instead of those that the module makes. An instance may be in only one group that is load balanced.",
			checks: []check{matchAll("instance_groups", "/(instanceGroups|networkEndpointGroups)/[^/]+$",
				"write the self link of an instance group.")},
		},
		{
			name: "create_firewall_rules", kind: "bool", fallback: boolean(true),
			description: "Write the network's firewall rules. Without them somebody else's must admit the probes, the clients and the members to the members.",
		},
		{
			name: "member_tags", kind: "set(string)", fallback: list([]string{m.Name}),
			description: "The network tags of the members, which the firewall rules are for: put them on every member.",
			checks: []check{
				{code("length(var.member_tags) > 0"), "member_tags: name at least one, else the rules would be for every machine of the network."},
				matchAll("member_tags", "^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", "write network tags."),
			},
		},
		{
			name: "member_service_accounts", kind: "set(string)", fallback: code("[]"),
			description: "The service accounts that members run as, for firewall rules that are for these instead of tags.",
			checks:      []check{matchAll("member_service_accounts", "@", "write the addresses of service accounts.")},
		},
	}
}

// zonesOf is the members variable's default.
func (m *gcpModule) zonesOf(zones map[string]string) hclwrite.Tokens {
	var attrs []hclwrite.ObjectAttrTokens
	for _, name := range slices.Sorted(maps.Keys(zones)) {
		attrs = append(attrs, hclwrite.ObjectAttrTokens{Name: text(name), Value: object(pair{"zone", text(zones[name])})})
	}
	return hclwrite.TokensForObject(attrs)
}

func (m *gcpModule) moreVariables() []variable {
	var out []variable
	for _, of := range m.tagVariables() {
		out = append(out, variable{
			name: of.variable, kind: "set(string)", fallback: code("[]"),
			description: of.description + fmt.Sprintf(" by their network tags, admitted to port %d of members.", of.port),
			checks:      []check{matchAll(of.variable, "^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", "write network tags.")},
		})
	}
	if m.Host != "" {
		out = append(out,
			variable{
				name: "dns_managed_zone", kind: "string", fallback: text(""),
				description: "The managed zone that gets a record of " + m.Host + ". Empty: no record.",
				checks:      []check{matches("dns_managed_zone", "^([a-z]([-a-z0-9]*[a-z0-9])?)?$", "write the name of a managed zone, not its domain.")},
			},
			variable{
				name: "dns_project", kind: "string", fallback: text(""),
				description: "The project of that zone. Empty: the load balancer's.",
				checks:      []check{matches("dns_project", "^[a-z0-9.:-]*$", "write a project's identifier.")},
			})
	}
	return append(out,
		variable{
			name: "notification_channels", kind: "list(string)", fallback: code("[]"),
			description: "The notification channels that are told of each member that fails its health check.",
			checks: []check{matchAll("notification_channels", "^projects/[^/]+/notificationChannels/[^/]+$",
				`write names such as "projects/example/notificationChannels/1".`)},
		},
		variable{
			name: "service_label", kind: "string", fallback: text(""),
			description: "A label that gives the load balancer a name within Google's internal DNS. Empty: none.",
			checks:      []check{matches("service_label", "^([a-z]([-a-z0-9]{0,61}[a-z0-9])?)?$", "write a DNS label.")},
		},
		variable{
			name: "labels", kind: "map(string)", fallback: code("{}"),
			description: "Labels of everything that the module makes and that takes some.",
			checks:      []check{{code("length(var.labels) <= 64"), "labels: Google takes 64."}},
		})
}
