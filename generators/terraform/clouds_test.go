package terraform

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/etcdlbgen/etcdlbgen/generators/terraform/terraformtest"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// What packets pass through: the members are instances of a group.
const googlePassthrough = `
resource "google_compute_address" "etcd" {
  name         = "etcd"
  address_type = "INTERNAL"
  address      = "10.0.1.100"
}
resource "google_compute_forwarding_rule" "etcd" {
  name                  = "etcd"
  load_balancing_scheme = "INTERNAL"
  backend_service       = google_compute_region_backend_service.etcd.self_link
  ip_address            = google_compute_address.etcd.id
  ports                 = ["2379"]
}
resource "google_compute_region_backend_service" "etcd" {
  name          = "etcd"
  health_checks = [google_compute_region_health_check.etcd.id]
  backend { group = google_compute_instance_group.etcd.id }
}
resource "google_compute_region_health_check" "etcd" {
  name               = "etcd"
  check_interval_sec = 3
  https_health_check { port = 2379 }
}
resource "google_compute_instance_group" "etcd" {
  name      = "etcd"
  instances = [google_compute_instance.a.id, google_compute_instance.b.id]
}
resource "google_compute_instance" "a" {
  name = "etcd-1"
  network_interface { network_ip = "10.0.1.10" }
}
`

// A proxy before endpoints, in the old syntax.
const googleProxy = `
resource "google_compute_global_forwarding_rule" "etcd" {
  name       = "etcd"
  target     = "${google_compute_target_tcp_proxy.etcd.self_link}"
  port_range = "2379-2380"
}
resource "google_compute_target_tcp_proxy" "etcd" {
  name            = "etcd"
  backend_service = "${google_compute_backend_service.etcd.self_link}"
}
resource "google_compute_backend_service" "etcd" {
  name          = "etcd"
  protocol      = "TCP"
  health_checks = ["${google_compute_http_health_check.etcd.self_link}"]
  backend { group = "${google_compute_network_endpoint_group.etcd.id}" }
}
resource "google_compute_http_health_check" "etcd" { name = "etcd" }
resource "google_compute_network_endpoint_group" "etcd" {
  name         = "etcd"
  default_port = 2379
}
resource "google_compute_network_endpoint" "etcd" {
  network_endpoint_group = "${google_compute_network_endpoint_group.etcd.name}"
  ip_address             = "10.0.1.10"
}
`

func TestGooglePassthrough(t *testing.T) {
	p := parsed(t, googlePassthrough).Proxies[0]
	l, b := p.Listeners[0], p.Pools[0]
	for what, got := range map[string][2]string{
		"platform":              {p.Platform, "gcp"},
		"internal":              {show(p.Internal), "set true"},
		"address":               {show(l.Binds[0].Addr), "set 10.0.1.100"},
		"port":                  {show(l.Binds[0].Port), "set 2379"},
		"idle":                  {show(l.Routes[0].Idle), "default 0s"},
		"mode":                  {show(b.Mode), "default tcp"},
		"client's address":      {show(b.KeepsSource), "default true"},
		"dialed address":        {show(b.KeepsDestination), "default true"},
		"check":                 {show(b.Check.Kind), "set https"},
		"check's port":          {show(b.Check.Port), "set 2379"},
		"check's path":          {show(b.Check.Path), "default /"},
		"interval":              {show(b.Check.Interval), "set 3s"},
		"fall":                  {show(b.Check.Fall), "default 2"},
		"instance":              {show(b.Servers[0].Name), "set etcd-1"},
		"instance's address":    {show(b.Servers[0].Host), "set 10.0.1.10"},
		"instance's port":       {show(b.Servers[0].Port), "set 2379"},
		"an instance elsewhere": {show(b.Servers[1].Host), "unknown"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %s, want %s", what, got[0], got[1])
		}
	}
	if len(b.Check.Sources) != 2 {
		t.Errorf("probes come from %v", b.Check.Sources)
	}
}

func TestGoogleProxy(t *testing.T) {
	p := parsed(t, googleProxy).Proxies[0]
	l, b := p.Listeners[0], p.Pools[0]
	for what, got := range map[string][2]string{
		"platform":         {p.Platform, "gcp-proxy"},
		"internal":         {show(p.Internal), "default false"},
		"last port":        {show(l.Binds[1].Port), "set 2380"},
		"idle":             {show(l.Routes[0].Idle), "default 30s"},
		"client's address": {show(b.KeepsSource), "default false"},
		"check":            {show(b.Check.Kind), "set http"},
		"check's port":     {show(b.Check.Port), "default 80"},
		"endpoint":         {show(b.Servers[0].Host), "set 10.0.1.10"},
		"endpoint's port":  {show(b.Servers[0].Port), "set 2379"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %s, want %s", what, got[0], got[1])
		}
	}
}

// What a variable, a condition or another folder decides is unknown.
func TestGoogleUnknown(t *testing.T) {
	replace := func(old, new string) topology.Proxy {
		text := strings.Replace(googlePassthrough, old, new, 1)
		if text == googlePassthrough {
			t.Fatalf("no %q", old)
		}
		return parsed(t, text).Proxies[0]
	}
	scheme := replace(`  name          = "etcd"`, "  name = \"etcd\"\n  load_balancing_scheme = var.scheme")
	for what, got := range map[string]string{
		"internal":         show(replace(`"INTERNAL"`+"\n  backend_service", "var.scheme\n  backend_service").Internal),
		"idle":             show(scheme.Listeners[0].Routes[0].Idle),
		"client's address": show(scheme.Pools[0].KeepsSource),
		"check by condition": show(replace("google_compute_region_health_check.etcd.id",
			"var.tcp ? google_compute_health_check.tcp[0].id : google_compute_region_health_check.etcd.id").Pools[0].Check.Kind),
		"check elsewhere": show(replace("[google_compute_region_health_check.etcd.id]", "var.checks").Pools[0].Check.Kind),
		"named port":      show(replace("port = 2379 }", "port_name = \"etcd\" }").Pools[0].Check.Port),
		"port":            show(replace(`["2379"]`, "var.ports").Listeners[0].Binds[0].Port),
	} {
		if got != "unknown" {
			t.Errorf("%s is %s", what, got)
		}
	}
	if got := show(replace("  health_checks = [google_compute_region_health_check.etcd.id]\n", "").Pools[0].Check.Kind); got != "default none" {
		t.Errorf("without health checks the check is %s", got)
	}
}

// The order of Google's rules is that of their priorities, and at one priority what is denied comes first.
func TestGoogleFirewalls(t *testing.T) {
	got := lines(parsed(t, `
resource "google_compute_firewall" "clients" {
  source_ranges = ["10.0.2.0/24", var.office, "fd00::/64"]
  source_tags   = ["api"]
  target_tags   = ["etcd"]
  allow {
    protocol = "TCP"
    ports    = ["2379-2380", "2381"]
  }
}
resource "google_compute_firewall" "none" {
  source_ranges = ["0.0.0.0/0"]
  target_tags   = ["etcd"]
  deny { protocol = "all" }
}
resource "google_compute_firewall" "first" {
  priority                = 10
  source_ranges           = ["35.191.0.0/16"]
  target_tags             = ["etcd"]
  allow {
    protocol = "tcp"
    ports    = [var.port]
  }
}
resource "google_compute_firewall" "out" {
  direction          = "EGRESS"
  destination_ranges = ["0.0.0.0/0"]
  allow { protocol = "all" }
}
resource "google_compute_firewall" "off" {
  disabled      = true
  source_ranges = ["0.0.0.0/0"]
  allow { protocol = "tcp" }
}
`).Firewalls)
	want := strings.TrimPrefix(`
etcd v4: from ?
etcd v4: from ?
etcd v4: tcp 0-65535 from 35.191.0.0/16 perhaps
etcd v4: from 0.0.0.0/0
etcd v4: tcp 2379-2380,2381-2381 from 10.0.2.0/24
etcd v4: tcp 2379-2380,2381-2381 from ?
etcd v4: tcp 2379-2380,2381-2381 from api
etcd v6: from ?
etcd v6: from ?
etcd v6: tcp 2379-2380,2381-2381 from fd00::/64`, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

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
		"fall":             {show(b.Check.Fall), "unknown"},
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

const classicBalancer = `
resource "aws_elb" "etcd" {
  name      = "etcd"
  subnets   = var.subnets
  instances = ["i-1", "i-2", "i-3"]
  listener {
    instance_port     = 2379
    instance_protocol = "tcp"
    lb_port           = 2379
    lb_protocol       = "ssl"
  }
  listener {
    instance_port     = 2380
    instance_protocol = "TCP"
    lb_port           = 2380
    lb_protocol       = "TCP"
  }
  health_check {
    target              = "HTTPS:2379/health"
    interval            = 30
    timeout             = 3
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}
`

func TestClassicBalancer(t *testing.T) {
	p := parsed(t, classicBalancer).Proxies[0]
	b := p.Pools[0]
	for what, got := range map[string][2]string{
		"platform":       {p.Platform, "aws-classic"},
		"internal":       {show(p.Internal), "default false"},
		"idle":           {show(p.Listeners[0].Routes[0].Idle), "default 1m0s"},
		"mode":           {show(p.Listeners[0].Mode), "set tcp"},
		"check":          {show(b.Check.Kind), "set https"},
		"check's port":   {show(b.Check.Port), "set 2379"},
		"check's path":   {show(b.Check.Path), "set /health"},
		"instances":      {show(b.Servers[2].Port), "set 2379"},
		"second pool":    {show(p.Pools[1].Name), "set etcd:2380"},
		"its port":       {show(p.Pools[1].Servers[0].Port), "set 2380"},
		"cross zone":     {show(p.CrossZone), "unknown"},
		"security group": {show(p.Firewalled), "unknown"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %s, want %s", what, got[0], got[1])
		}
	}
	i := strings.Index(classicBalancer, "  health_check")
	if c := parsed(t, classicBalancer[:i]+"}\n").Proxies[0].Pools[0].Check; show(c.Kind) != "default tcp" || show(c.Interval) != "default 30s" {
		t.Errorf("without a health check it is %s every %s", show(c.Kind), show(c.Interval))
	}
}

// What only a network load balancer leaves to choose is unknown of another one.
func TestNetworkBalancer(t *testing.T) {
	for args, want := range map[string]string{
		`load_balancer_type = "network"`:     "default false, default false, unknown",
		`load_balancer_type = "application"`: "unknown, unknown, unknown",
		``:                                   "unknown, unknown, unknown",
		`load_balancer_type = var.type`:      "unknown, unknown, unknown",
		"load_balancer_type = \"network\"\nsecurity_groups = var.groups\nsubnets = [1, 2]":                          "default false, unknown, set 2",
		"load_balancer_type = \"network\"\nsecurity_groups = [var.group]\nsubnet_mapping {\n}\nsubnet_mapping {\n}": "default false, set true, set 2",
	} {
		p := parsed(t, "resource \"aws_lb\" \"etcd\" {\n"+args+"\n}\n").Proxies[0]
		if got := strings.Join([]string{show(p.CrossZone), show(p.Firewalled), show(p.Zones)}, ", "); got != want {
			t.Errorf("%s: got %s, want %s", args, got, want)
		}
	}
}

// A target group says what it does with connections, or the provider's defaults do.
func TestTargetGroupConnections(t *testing.T) {
	for args, want := range map[string]string{
		``:                              "default false, default true, default true",
		`connection_termination = true`: "set true, default true, default true",
		"target_type = \"ip\"\ntarget_health_state {\nenable_unhealthy_connection_termination = false\n}": "default false, set false, default false",
		`target_type = var.type`:         "default false, default true, unknown",
		`preserve_client_ip = "false"`:   "default false, default true, set false",
		`preserve_client_ip = var.keeps`: "default false, default true, unknown",
	} {
		b := parsed(t, strings.TrimSuffix(strings.TrimSpace(group), "}")+args+"\n}\n").Proxies[0].Pools[0]
		if got := strings.Join([]string{show(b.CutOnRemoval), show(b.CutOnDown), show(b.KeepsSource)}, ", "); got != want {
			t.Errorf("%s: got %s, want %s", args, got, want)
		}
	}
}

// The providers know the arguments that the readers read: each stands in the text below, which is held against what the
// providers say of their resources.
func TestProvidersKnowWhatIsRead(t *testing.T) {
	for _, p := range terraformtest.Providers {
		resources, err := p.Resources()
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{googlePassthrough, azure} {
			f, diags := hclsyntax.ParseConfig([]byte(text), "main.tf", hcl.InitialPos)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			for _, b := range f.Body.(*hclsyntax.Body).Blocks {
				known, ok := resources[b.Labels[0]]
				if !ok {
					continue
				}
				for name := range b.Body.Attributes {
					if _, ok := known.Attributes[name]; !ok && name != "for_each" {
						t.Errorf("%s %s: %s has no argument %s", p.Name, p.Version, b.Labels[0], name)
					}
				}
				for _, inner := range b.Body.Blocks {
					if _, ok := known.Blocks[inner.Type]; !ok {
						t.Errorf("%s %s: %s has no block %s", p.Name, p.Version, b.Labels[0], inner.Type)
					}
				}
			}
		}
	}
}
