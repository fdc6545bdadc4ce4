package terraform

import (
	"strings"
	"testing"

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
