package terraform

import (
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const azure = `
resource "azurerm_lb" "etcd" {
  name                = "etcd"
  location            = var.location
  resource_group_name = var.resource_group
  frontend_ip_configuration {
    name               = "etcd"
    subnet_id          = var.subnet
    private_ip_address = "10.0.1.100"
  }
}
resource "azurerm_lb_backend_address_pool" "etcd" {
  name            = "etcd"
  loadbalancer_id = azurerm_lb.etcd.id
}
resource "azurerm_lb_backend_address_pool_address" "etcd" {
  for_each                = { etcd-1 = "10.0.1.10", etcd-2 = "10.0.1.11" }
  name                    = each.key
  backend_address_pool_id = azurerm_lb_backend_address_pool.etcd.id
  ip_address              = each.value
}
resource "azurerm_lb_rule" "etcd" {
  name                           = "etcd-client"
  loadbalancer_id                = azurerm_lb.etcd.id
  frontend_ip_configuration_name = "etcd"
  backend_address_pool_ids       = [azurerm_lb_backend_address_pool.etcd.id]
  probe_id                       = azurerm_lb_probe.etcd.id
  protocol                       = "All"
  frontend_port                  = 2379
  backend_port                   = 2379
}
resource "azurerm_lb_probe" "etcd" {
  name            = "etcd"
  loadbalancer_id = azurerm_lb.etcd.id
  port            = 2381
}
`

func TestAzure(t *testing.T) {
	p := parsed(t, azure).Proxies[0]
	l, b := p.Listeners[0], p.Pools[0]
	for what, got := range map[string][2]string{
		"platform":         {p.Platform, "azure"},
		"internal":         {show(p.Internal), "set true"},
		"address":          {show(l.Binds[0].Addr), "set 10.0.1.100"},
		"name":             {show(l.Name), "set etcd-client"},
		"idle":             {show(l.Routes[0].Idle), "default 4m0s"},
		"reset":            {show(l.Routes[0].Reset), "default false"},
		"pool":             {show(b.Name), "set etcd"},
		"client's address": {show(b.KeepsSource), "default true"},
		"check":            {show(b.Check.Kind), "default tcp"},
		"check's port":     {show(b.Check.Port), "set 2381"},
		"interval":         {show(b.Check.Interval), "default 15s"},
		"fall":             {show(b.Check.Fall), "default 1"},
		"second server":    {show(b.Servers[1].Name) + " " + show(b.Servers[1].Host), "set etcd-2 set 10.0.1.11"},
		"its port":         {show(b.Servers[1].Port), "set 2379"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %s, want %s", what, got[0], got[1])
		}
	}
}

// The arguments of a rule have had several names; without a probe nothing is checked; a second port is a pool of its own.
func TestAzureRules(t *testing.T) {
	rule := func(args string) topology.Proxy {
		text := azure + "resource \"azurerm_lb_rule\" \"second\" {\n  name = \"second\"\n  loadbalancer_id = azurerm_lb.etcd.id\n" +
			"  frontend_ip_configuration_name = \"etcd\"\n  frontend_port = 6443\n  backend_port = 6443\n" + args + "\n}\n"
		p := parsed(t, text).Proxies[0]
		p.Listeners, p.Pools = p.Listeners[1:], p.Pools[1:]
		return p
	}
	older := rule(`protocol = "tcp"
  backend_address_pool_id = azurerm_lb_backend_address_pool.etcd.id
  enable_tcp_reset        = true
  idle_timeout_in_minutes = 30`)
	for what, got := range map[string][2]string{
		"reset":     {show(older.Listeners[0].Routes[0].Reset), "set true"},
		"idle":      {show(older.Listeners[0].Routes[0].Idle), "set 30m0s"},
		"pool":      {show(older.Pools[0].Name), "set etcd:6443"},
		"check":     {show(older.Pools[0].Check.Kind), "default none"},
		"unchecked": {show(older.Pools[0].Servers[0].Checked), "default false"},
		"variable":  {show(rule("protocol = \"Tcp\"\ntcp_reset_enabled = var.reset").Listeners[0].Routes[0].Reset), "unknown"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %s, want %s", what, got[0], got[1])
		}
	}
	if udp := rule(`protocol = "Udp"`); len(udp.Listeners) != 0 {
		t.Errorf("a rule for UDP is %+v", udp.Listeners)
	}
}

// A frontend is public where it has a public address for sure.
func TestAzureFrontends(t *testing.T) {
	for args, want := range map[string]string{
		`public_ip_address_id = azurerm_public_ip.etcd.id`:                                         "set false",
		`public_ip_prefix_id = "/subscriptions/x"`:                                                 "set false",
		"public_ip_address_id = null\nsubnet_id = var.subnet":                                      "set true",
		"public_ip_address_id = \"\"\nsubnet_id = var.subnet":                                      "set true",
		"public_ip_address_id = var.address\nsubnet_id = var.subnet":                               "unknown",
		`public_ip_address_id = var.public ? azurerm_public_ip.etcd.id : null`:                     "unknown",
		`public_ip_address_id = azurerm_public_ip.perhaps[0].id`:                                   "unknown",
		"subnet_id = var.subnet\n}\nfrontend_ip_configuration {\npublic_ip_prefix_id = \"prefix\"": "unknown",
	} {
		text := "resource \"azurerm_public_ip\" \"perhaps\" {\ncount = var.count\n}\n" +
			"resource \"azurerm_lb\" \"etcd\" {\nfrontend_ip_configuration {\n" + args + "\n}\n}\n"
		if got := show(parsed(t, text).Proxies[0].Internal); got != want {
			t.Errorf("%s: internal is %s, want %s", args, got, want)
		}
	}
}

// Rules of a security group stand in it, or by themselves; the priorities order them.
func TestAzureFirewalls(t *testing.T) {
	got := lines(parsed(t, `
resource "azurerm_network_security_group" "etcd" {
  name = "etcd"
  security_rule {
    priority                   = 200
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_port_range          = "*"
    source_address_prefix      = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }
  security_rule {
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_port_range          = "*"
    source_address_prefixes    = ["10.0.2.0/24", "10.0.3.7"]
    destination_address_prefix = "10.0.1.10"
    destination_port_ranges    = ["2379", "2381"]
  }
}
resource "azurerm_network_security_rule" "probes" {
  network_security_group_name = azurerm_network_security_group.etcd.name
  priority                    = "150"
  direction                   = "inbound"
  access                      = "allow"
  protocol                    = "TCP"
  source_address_prefix       = "AzureLoadBalancer"
  destination_port_range      = 2381
}
resource "azurerm_network_security_rule" "internet" {
  network_security_group_name = azurerm_network_security_group.etcd.name
  priority                    = 160
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = "Tcp"
  source_address_prefix       = "Internet"
  destination_port_range      = "2379"
}
resource "azurerm_network_security_rule" "out" {
  network_security_group_name = azurerm_network_security_group.etcd.name
  priority                    = 100
  direction                   = "Outbound"
  access                      = "Allow"
  protocol                    = "*"
  source_address_prefix       = "*"
  destination_port_range      = "*"
}
`).Firewalls)
	want := strings.TrimPrefix(`
etcd v4: from ?
etcd v4: from ?
etcd v4: tcp 2379-2379,2381-2381 from 10.0.2.0/24 perhaps
etcd v4: tcp 2379-2379,2381-2381 from 10.0.3.7/32 perhaps
etcd v4: tcp 2381-2381 from AzureLoadBalancer
etcd v4: tcp 2379-2379 from 0.0.0.0/0
etcd v4: from 0.0.0.0/0`, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A list of objects is read as blocks are.
func TestAzureRulesInList(t *testing.T) {
	got := lines(parsed(t, `
resource "azurerm_network_security_group" "etcd" {
  security_rule = [{
    name                   = "clients", priority = 100, direction = "Inbound", access = "Allow", protocol = "Tcp"
    source_address_prefix  = "10.0.2.0/24", source_port_range = "*", destination_address_prefix = "*"
    destination_port_range = "2379", destination_port_ranges = null
  }]
}
`).Firewalls)
	if want := "etcd v4: from ?\netcd v4: from ?\netcd v4: tcp 2379-2379 from 10.0.2.0/24"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
