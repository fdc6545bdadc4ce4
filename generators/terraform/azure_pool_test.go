package terraform

import (
	"slices"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// A pool is whole where all its addresses stand in the folder: an interface, or any number of addresses, may be more.
func TestAzurePoolWhole(t *testing.T) {
	for name, c := range map[string]struct {
		more    string
		partial bool
	}{
		"addresses": {"", false},
		"an interface": {`resource "azurerm_network_interface_backend_address_pool_association" "more" {
  network_interface_id    = var.nic
  ip_configuration_name   = "internal"
  backend_address_pool_id = azurerm_lb_backend_address_pool.etcd.id
}
`, true},
		"an interface of another pool": {`resource "azurerm_network_interface_backend_address_pool_association" "more" {
  backend_address_pool_id = azurerm_lb_backend_address_pool.other.id
}
`, false},
		"no interface": {`resource "azurerm_network_interface_backend_address_pool_association" "more" {
  for_each                = {}
  backend_address_pool_id = azurerm_lb_backend_address_pool.etcd.id
}
`, false},
		"any number": {`resource "azurerm_lb_backend_address_pool_address" "more" {
  for_each                = var.more
  backend_address_pool_id = azurerm_lb_backend_address_pool.etcd.id
  ip_address              = each.value
}
`, true},
	} {
		if p := parsed(t, azure+c.more).Proxies[0].Pools[0]; p.Partial != c.partial {
			t.Errorf("%s: partial is %v", name, p.Partial)
		}
	}
}

// What is for everybody is for both families, where some rule is for IPv6; a range is for its own. Priorities may be sums.
func TestAzureFamilies(t *testing.T) {
	top := parsed(t, `
variable "first" {
  default = 200
}
resource "azurerm_network_security_rule" "clients" {
  network_security_group_name = "etcd"
  priority                    = var.first + 1
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = "Tcp"
  source_address_prefixes     = ["10.0.2.0/24", "fd00::/64"]
  destination_port_range      = "2379"
}
resource "azurerm_network_security_rule" "before" {
  network_security_group_name = "etcd"
  priority                    = var.first
  direction                   = "Inbound"
  access                      = "Deny"
  protocol                    = "Tcp"
  source_address_prefix       = "0.0.0.0/0"
  destination_port_range      = "2380"
}
resource "azurerm_network_security_rule" "others" {
  network_security_group_name = "etcd"
  priority                    = 3000
  direction                   = "Inbound"
  access                      = "Deny"
  protocol                    = "Tcp"
  source_address_prefix       = "*"
  destination_port_range      = "2379-2380"
}
`)
	want := map[topology.Family][]string{
		topology.IPv4: {"drop 0.0.0.0/0", "accept 10.0.2.0/24", "drop 0.0.0.0/0"},
		topology.IPv6: {"accept fd00::/64", "drop ::/0"},
	}
	for _, f := range top.Firewalls {
		var got []string
		for _, r := range f.Rules {
			if !r.Loopback && !r.Established {
				got = append(got, string(r.Verdict)+" "+r.From.V.String())
			}
			if r.Limited {
				t.Errorf("%+v may not apply", r)
			}
		}
		if !slices.Equal(got, want[f.Family]) {
			t.Errorf("IPv%d: %q, want %q", f.Family, got, want[f.Family])
		}
		delete(want, f.Family)
	}
	if len(want) > 0 {
		t.Errorf("no rules of %v", want)
	}
}
