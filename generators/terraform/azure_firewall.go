package terraform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Priorities of security rules, counted from the first one.
const (
	azureProbesAt    = 0
	azureNetworksAt  = 10 // two for each set of ports: IPv4, IPv6
	azureMembersAt   = 100
	azureMembersAt6  = azureMembersAt + topology.AzureSlots
	azureOthersAt    = azureMembersAt6 + topology.AzureSlots
	azureFirst       = 1000
	azureLastOfAzure = 4096
)

// azureRule is one resource of security rules.
type azureRule struct {
	label, description string
	name               hclwrite.Tokens
	forEach            hclwrite.Tokens // nil: there is one
	access             string
	priority           hclwrite.Tokens
	source             string // the argument that names who is meant
	from               hclwrite.Tokens
	ports              []topology.PortRange
}

func (m *azureModule) securityRule(root *body, r azureRule) {
	b := root.block("resource", "azurerm_network_security_rule", r.label)
	if r.forEach != nil {
		b.set("for_each", r.forEach)
	}
	name := r.name
	if name == nil {
		name = text(m.Name + "-" + strings.ReplaceAll(r.label, "_", "-"))
	}
	b.set("name", name)
	b.set("description", text(r.description))
	b.set("resource_group_name", code("local.security_group_resource_group"))
	b.set("network_security_group_name", code("local.security_group_name"))
	b.set("direction", text("Inbound"))
	b.set("access", text(r.access))
	b.set("priority", r.priority)
	b.set("protocol", text("Tcp"))
	b.set(r.source, r.from)
	b.set("source_port_range", text("*"))
	b.set("destination_address_prefix", text("*"))
	b.set("destination_port_ranges", list(numbers(r.ports)))
}

// at is a priority.
func at(offset int) hclwrite.Tokens {
	if offset == 0 {
		return code("var.first_priority")
	}
	return code(fmt.Sprintf("var.first_priority + %d", offset))
}

const oneSource, allSources = "source_address_prefix", "source_address_prefixes"

// firewall writes who reaches the members.
func (m *azureModule) firewall(root *body) {
	b := root.block("resource", "azurerm_network_security_group", "members")
	b.set("count", code("local.owns_security_group ? 1 : 0"))
	m.common(b, m.Name+"-members")
	b.set("location", code("var.location"))
	b.set("tags", code("var.tags"))
	for _, f := range m.Firewalls {
		m.networks(root, f)
		m.others(root, f)
	}
	m.peers(root)
}

// networks writes the rules for the networks that the spec names, one for each set of ports.
func (m *azureModule) networks(root *body, f topology.Firewall) {
	rules := slices.DeleteFunc(slices.Clone(f.Rules), func(r topology.FirewallRule) bool {
		return !r.From.Known() || r.Verdict != topology.Accept || len(r.Ports) != 1
	})
	for i, ports := range distinctPorts(rules) {
		label, description := "clients", "Clients, whose addresses the load balancer keeps, and who reaches members directly"
		if ports[0].First == m.etcd.MetricsPort.V {
			label, description = "monitoring", "Metrics of members"
		}
		offset := azureNetworksAt + 2*i
		if f.Family == topology.IPv6 { // a rule of Azure's takes one family
			label += "_ipv6"
			offset++
		}
		of := slices.DeleteFunc(slices.Clone(rules), func(r topology.FirewallRule) bool { return !slices.Equal(r.Ports, ports) })
		m.securityRule(root, azureRule{
			label: label, description: description, access: "Allow", priority: at(offset),
			source: allSources, from: list(sources(of)), ports: ports,
		})
	}
}

// others writes the rules for the probes, and for everybody whom no rule has let in: both are for all families.
func (m *azureModule) others(root *body, f topology.Firewall) {
	if f.Family != topology.IPv4 {
		return
	}
	for _, r := range f.Rules {
		switch {
		case r.FromName.V == topology.AzureTag:
			m.securityRule(root, azureRule{
				label: "probes", description: "Health checks of Azure's load balancers", access: "Allow", priority: at(azureProbesAt),
				source: oneSource, from: text(r.FromName.V), ports: r.Ports,
			})
		case r.Verdict == topology.Drop:
			root.gap()
			root.note("Azure's own rules would let the whole network in.")
			root.used = false
			m.securityRule(root, azureRule{
				label: "others", description: "Nobody else", access: "Deny", priority: at(azureOthersAt),
				source: oneSource, from: text("*"), ports: r.Ports,
			})
		}
	}
}

// peers writes a rule for each member, so that one that comes or goes leaves the others' alone.
func (m *azureModule) peers(root *body) {
	client, peer := m.etcd.ClientPort.V, m.etcd.PeerPort.V
	ports := []topology.PortRange{topology.Port(min(client, peer)), topology.Port(max(client, peer))}
	slots := topology.Slots(m.everybody(), topology.AzureSlots)
	first, second := map[string]cty.Value{}, map[string]cty.Value{}
	for _, e := range m.etcd.Members {
		first[e.Name.V] = cty.NumberIntVal(int64(azureMembersAt + slots[e.Name.V]))
		if e.Address6.Known() {
			second[e.Name.V] = cty.ObjectVal(map[string]cty.Value{
				"address":  cty.StringVal(e.Address6.V.String()),
				"priority": cty.NumberIntVal(int64(azureMembersAt6 + slots[e.Name.V])),
			})
		}
	}
	rule := azureRule{
		label: "members", description: "A member, to the others", access: "Allow", ports: ports,
		name:    code(fmt.Sprintf(`"%s-member-${each.key}"`, m.Name)),
		forEach: byName(first), priority: code("var.first_priority + each.value"),
		source: oneSource, from: code("var.members[each.key]"),
	}
	m.securityRule(root, rule)
	if len(second) > 0 {
		rule.label, rule.description = "members_ipv6", "A member by its IPv6 address, to the others"
		rule.name = code(fmt.Sprintf(`"%s-member-ipv6-${each.key}"`, m.Name))
		rule.forEach, rule.priority, rule.from = byName(second), code("var.first_priority + each.value.priority"), code("each.value.address")
		m.securityRule(root, rule)
	}
}

// byName is a map of anything, with quoted keys.
func byName(values map[string]cty.Value) hclwrite.Tokens {
	var attrs []hclwrite.ObjectAttrTokens
	for _, key := range sortedKeys(values) {
		attrs = append(attrs, hclwrite.ObjectAttrTokens{Name: text(key), Value: hclwrite.TokensForValue(values[key])})
	}
	return hclwrite.TokensForObject(attrs)
}
