package terraform

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

const azureSample = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/example/providers/Microsoft.Network/"

// tests is a test file that "terraform test" runs without credentials.
func (m *azureModule) tests() file {
	f := newFile("tests/" + m.Name + ".tftest.hcl")
	f.root.block("mock_provider", "azurerm")
	in := f.root.block("variables")
	in.set("resource_group_name", text("example"))
	in.set("location", text("westeurope"))
	in.set("subnet_id", text(azureSample+"virtualNetworks/example/subnets/etcd"))
	if m.members == nil {
		in.set("members", mapOf(m.sampleMembers("")))
	}
	m.testDefaults(f.root)
	m.testOwnGroup(f.root)
	m.testInterfaces(f.root)
	m.testRecord(f.root)
	m.testMembers(f.root)
	return f
}

// sampleMembers are members whose names end in a suffix, which the module refuses unless it is empty.
func (m *azureModule) sampleMembers(suffix string) map[string]string {
	out := map[string]string{}
	for i, name := range m.everybody() {
		out[name+suffix] = fmt.Sprintf("192.0.2.%d", i+1)
	}
	return out
}

func (m *azureModule) testDefaults(root *body) {
	run := root.test("defaults")
	run.assert(equals(code("toset(keys(azurerm_lb_backend_address_pool_address.members))"), call("toset", list(m.Servers()))),
		"Every member that takes clients is behind the load balancer.")
	run.assert(code(`alltrue([for f in azurerm_lb.this.frontend_ip_configuration : f.subnet_id == var.subnet_id && f.public_ip_address_id == null])`),
		"The load balancer never faces the internet.")
	run.assert(code("azurerm_lb_rule.clients.tcp_reset_enabled && !azurerm_lb_rule.clients.floating_ip_enabled"),
		"Both sides are told when a connection ends, and members see their own address.")
	run.assert(equals(code("azurerm_lb_probe.members.port"), number(m.Pool.Check.Port.V)),
		"The probe asks the port that tells the truth.")
	run.assert(code(`azurerm_network_security_rule.probes.source_address_prefix == "AzureLoadBalancer" && `+
		`azurerm_network_security_rule.probes.priority < azurerm_network_security_rule.others.priority`),
		"Members admit the probes before they refuse others.")
	run.assert(equals(code("toset(keys(azurerm_network_security_rule.members))"), call("toset", list(m.everybody()))),
		"Members reach each other.")
	run.assert(equals(code("one(azurerm_monitor_metric_alert.quorum.criteria).threshold"), number(m.threshold())),
		"The alert rings below quorum.")
}

func (m *azureModule) testOwnGroup(root *body) {
	run := root.test("own_security_group")
	in := run.block("variables")
	in.set("network_security_group_name", text("members"))
	in.set("network_security_group_resource_group_name", text("network"))
	in.set("first_priority", number(200))
	run.assert(code("length(azurerm_network_security_group.members) == 0"), "A group that is brought along is not made.")
	run.assert(code(`azurerm_network_security_rule.probes.network_security_group_name == "members" && `+
		`azurerm_network_security_rule.probes.resource_group_name == "network" && azurerm_network_security_rule.probes.priority == 200`),
		"It gets the rules.")
}

func (m *azureModule) testInterfaces(root *body) {
	run := root.test("network_interfaces")
	var attrs []hclwrite.ObjectAttrTokens
	for _, name := range m.Servers() {
		attrs = append(attrs, hclwrite.ObjectAttrTokens{Name: text(name), Value: object(
			pair{"id", text(azureSample + "networkInterfaces/" + name)}, pair{"ip_configuration_name", text("internal")},
		)})
	}
	run.block("variables").set("network_interfaces", hclwrite.TokensForObject(attrs))
	run.assert(equals(code("length(azurerm_network_interface_backend_address_pool_association.members)"), number(len(m.Servers()))),
		"Members are behind the load balancer by their interfaces.")
	run.assert(code("length(azurerm_lb_backend_address_pool_address.members) == 0"), "And only once.")
}

func (m *azureModule) testRecord(root *body) {
	if m.Host == "" {
		return
	}
	run := root.test("record")
	in := run.block("variables")
	if m.provider == 4 {
		in.set("private_dns_zone_name", text(m.Host))
	} else {
		in.set("private_dns_zone_id", text(azureSample+"privateDnsZones/"+m.Host))
	}
	run.assert(code(`one(azurerm_private_dns_a_record.this[*].name) == "@"`), "The zone gets a record.")
	run = root.test("refuses_another_zone")
	in = run.block("variables")
	if m.provider == 4 {
		in.set("private_dns_zone_name", text("example.invalid"))
	} else {
		in.set("private_dns_zone_id", text(azureSample+"privateDnsZones/example.invalid"))
	}
	run.set("expect_failures", code("[azurerm_private_dns_a_record.this]"))
}

func (m *azureModule) testMembers(root *body) {
	run := root.test("refuses_unknown_members")
	run.block("variables").set("members", mapOf(m.sampleMembers("-other")))
	run.set("expect_failures", code("[var.members]"))
}
