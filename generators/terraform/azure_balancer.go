package terraform

import (
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// common writes where a resource belongs.
func (m *azureModule) common(b *body, name string) {
	b.set("name", text(name))
	b.set("resource_group_name", code("var.resource_group_name"))
}

// balancer writes the azurerm_lb with its one address.
func (m *azureModule) balancer(root *body) {
	b := root.block("resource", "azurerm_lb", "this")
	m.common(b, m.Name)
	b.set("location", code("var.location"))
	b.set("sku", text("Standard"))
	b.set("tags", code("var.tags"))
	f := b.block("frontend_ip_configuration")
	f.set("name", text(frontendName))
	f.set("subnet_id", code("var.subnet_id"))
	f.set("private_ip_address", code(`var.address == "" ? null : var.address`))
	f.set("private_ip_address_allocation", code(`var.address == "" ? "Dynamic" : "Static"`))
	f.set("private_ip_address_version", text("IPv4"))
	f.set("zones", code("var.zones"))
}

const frontendName = "clients"

// pool writes the backend pool with its members, each by itself, so that one that goes leaves the others alone.
func (m *azureModule) pool(root *body) {
	b := root.block("resource", "azurerm_lb_backend_address_pool", "members")
	b.set("name", text(m.Name))
	b.set("loadbalancer_id", code("azurerm_lb.this.id"))

	root.gap()
	root.note("Behind an internal load balancer machines lose Azure's default way out to the internet: members that need one")
	root.note("get a NAT gateway for their subnet.")
	b = &body{hcl: root.hcl.AppendNewBlock("resource", []string{"azurerm_lb_backend_address_pool_address", "members"}).Body()}
	b.set("for_each", choose(code("length(var.network_interfaces) == 0"), call("toset", list(m.Servers())), code("toset([])")))
	b.set("name", code("each.key"))
	b.set("backend_address_pool_id", code("azurerm_lb_backend_address_pool.members.id"))
	b.note("The network of the subnet.")
	b.set("virtual_network_id", code(`split("/subnets/", var.subnet_id)[0]`))
	b.set("ip_address", code("var.members[each.key]"))

	b = root.block("resource", "azurerm_network_interface_backend_address_pool_association", "members")
	b.set("for_each", code("var.network_interfaces"))
	b.set("network_interface_id", code("each.value.id"))
	b.set("ip_configuration_name", code("each.value.ip_configuration_name"))
	b.set("backend_address_pool_id", code("azurerm_lb_backend_address_pool.members.id"))
}

// rule writes the probe and the rule.
func (m *azureModule) rule(root *body) {
	c := m.Pool.Check
	b := root.block("resource", "azurerm_lb_probe", "members")
	b.set("name", text(m.Name))
	b.set("loadbalancer_id", code("azurerm_lb.this.id"))
	b.set("protocol", text(map[topology.CheckKind]string{topology.CheckHTTP: "Http", topology.CheckTCP: "Tcp"}[c.Kind.V]))
	b.set("port", number(c.Port.V))
	if c.Kind.V != topology.CheckTCP {
		b.set("request_path", text(c.Path.V))
	}
	b.set("interval_in_seconds", seconds(c.Interval))
	b.set("probe_threshold", number(c.Fall.V))

	b = root.block("resource", "azurerm_lb_rule", "clients")
	b.set("name", text(m.Name))
	b.set("loadbalancer_id", code("azurerm_lb.this.id"))
	b.set("protocol", text("Tcp"))
	b.set("frontend_ip_configuration_name", text(frontendName))
	b.set("frontend_port", number(m.Port()))
	b.set("backend_address_pool_ids", code("[azurerm_lb_backend_address_pool.members.id]"))
	b.set("backend_port", number(m.memberPort()))
	b.set("probe_id", code("azurerm_lb_probe.members.id"))
	b.note("A watch may stay quiet for as long as this; then both sides are told.")
	route := m.Listener.Routes[0]
	b.set("idle_timeout_in_minutes", number(int(route.Idle.V/time.Minute)))
	b.set("tcp_reset_enabled", boolean(route.Reset.V))
	b.note("Members see their own address as destination.")
	b.set("floating_ip_enabled", boolean(false))
}

// memberPort is the one that members serve clients on.
func (m *azureModule) memberPort() int {
	if len(m.Pool.Servers) == 0 {
		return m.etcd.ClientPort.V
	}
	return m.Pool.Servers[0].Port.V
}

// record writes the name that clients dial into the user's private zone, which provider 4 and 5 name in different ways.
func (m *azureModule) record(root *body) {
	if m.Host == "" {
		return
	}
	b := root.block("resource", "azurerm_private_dns_a_record", "this")
	b.set("count", code(`local.zone_name == "" ? 0 : 1`))
	b.set("name", choose(equals(code("local.zone_name"), text(m.Host)), text("@"),
		call("trimsuffix", text(m.Host), code(`".${local.zone_name}"`))))
	if m.provider == 4 {
		b.set("zone_name", code("local.zone_name"))
		b.set("resource_group_name", code(`var.private_dns_zone_resource_group_name == "" ? var.resource_group_name : var.private_dns_zone_resource_group_name`))
	} else {
		b.set("private_dns_zone_id", code("var.private_dns_zone_id"))
	}
	b.set("ttl", number(60))
	b.set("records", code("[azurerm_lb.this.private_ip_address]"))
	b.set("tags", code("var.tags"))
	in := b.block("lifecycle").block("precondition")
	in.set("condition", either(equals(code("local.zone_name"), text(m.Host)), call("endswith", text(m.Host), code(`".${local.zone_name}"`))))
	in.set("error_message", text("The private zone does not hold "+m.Host+"."))
}

// alert rings below quorum. What Azure measures is the share of probes that succeed, averaged over the members: the
// threshold lies halfway between enough and one too few.
func (m *azureModule) alert(root *body) {
	b := root.block("resource", "azurerm_monitor_metric_alert", "quorum")
	m.common(b, m.Name+"-below-quorum")
	b.set("description", text("Fewer members of etcd cluster "+strings.TrimPrefix(m.Name, "etcd-")+" are healthy than its quorum needs."))
	b.set("scopes", code("[azurerm_lb.this.id]"))
	b.set("severity", number(1))
	b.set("frequency", text("PT1M"))
	b.set("window_size", text("PT1M"))
	b.set("tags", code("var.tags"))
	c := b.block("criteria")
	c.set("metric_namespace", text("Microsoft.Network/loadBalancers"))
	c.set("metric_name", text("DipAvailability"))
	c.set("aggregation", text("Average"))
	c.set("operator", text("LessThan"))
	c.set("threshold", number(m.threshold()))
	a := b.block("dynamic", "action")
	a.set("for_each", code("var.action_group_ids"))
	a.block("content").set("action_group_id", code("action.value"))
}

func (m *azureModule) threshold() int {
	return (2*m.Quorum - 1) * 100 / (2 * max(len(m.Pool.Servers), 1))
}
