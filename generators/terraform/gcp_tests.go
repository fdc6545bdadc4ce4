package terraform

import (
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// tests is a test file that "terraform test" runs without credentials.
func (m *gcpModule) tests() file {
	f := newFile("tests/" + m.Name + ".tftest.hcl")
	f.root.block("mock_provider", "google")
	in := f.root.block("variables")
	in.set("project", text("example"))
	in.set("region", text("europe-west1"))
	in.set("network", text("projects/host/global/networks/example"))
	in.set("subnetwork", text("projects/host/regions/europe-west1/subnetworks/example"))
	if m.zones == nil {
		in.set("members", m.zonesOf(m.sampleZones("")))
	}
	m.testDefaults(f.root)
	m.testOwnGroups(f.root)
	m.testAccounts(f.root)
	m.testOwnFirewall(f.root)
	m.testMembers(f.root)
	return f
}

// sampleZones places the members in zones, under names that end as told.
func (m *gcpModule) sampleZones(suffix string) map[string]string {
	out := map[string]string{}
	for i, name := range m.Servers() {
		out[name+suffix] = "europe-west1-" + string(rune('b'+i%3))
	}
	return out
}

func (m *gcpModule) testDefaults(root *body) {
	run := root.test("defaults")
	run.assert(equals(code("google_compute_forwarding_rule.this.load_balancing_scheme"), text("INTERNAL")), "The load balancer never faces the internet.")
	run.assert(code(`google_compute_address.this.address_type == "INTERNAL"`), "Nor does its address.")
	run.assert(equals(code("toset(keys(google_compute_instance_group_membership.members))"), call("toset", list(m.Servers()))),
		"Every member that takes clients is behind the load balancer.")
	run.assert(code(`alltrue([for b in google_compute_region_backend_service.this.backend : b.balancing_mode == "CONNECTION"])`),
		"Google takes no other mode here.")
	block := "tcp_health_check"
	if m.Pool.Check.Kind.V == topology.CheckHTTP {
		block = "http_health_check"
	}
	run.assert(equals(code("google_compute_region_health_check.this."+block+"[0].port"), number(m.Pool.Check.Port.V)),
		"The health check asks the port that tells the truth.")
	ranges := make([]string, len(m.Pool.Check.Sources))
	for i, p := range m.Pool.Check.Sources {
		ranges[i] = p.String()
	}
	run.assert(equals(code("google_compute_firewall.probes[0].source_ranges"), call("toset", list(ranges))), "Members admit the probes.")
	run.assert(code(`google_compute_firewall.probes[0].project == "host"`), "Firewall rules belong to the network's project.")
}

func (m *gcpModule) testOwnGroups(root *body) {
	run := root.test("own_instance_groups")
	in := run.block("variables")
	in.set("instance_groups", object(pair{"a", text("projects/example/zones/europe-west1-b/instanceGroups/etcd")}))
	in.set("members", code("{}"))
	run.assert(code("length(google_compute_instance_group.members) + length(google_compute_instance_group_membership.members) == 0"),
		"Groups that are brought along are not made.")
	run.assert(code(`strcontains(google_monitoring_alert_policy.member[0].conditions[0].condition_matched_log[0].filter, "instance_group_name=(\"etcd\")")`),
		"The alert reads what their log says.")
	run.assert(code("[for b in google_compute_region_backend_service.this.backend : b.group] == "+
		`["projects/example/zones/europe-west1-b/instanceGroups/etcd"]`), "They are behind the load balancer.")
}

func (m *gcpModule) testAccounts(root *body) {
	run := root.test("service_accounts")
	run.block("variables").set("member_service_accounts", list([]string{"etcd@example.iam.gserviceaccount.com"}))
	run.assert(code("google_compute_firewall.probes[0].target_tags == null"), "Google takes tags or service accounts, not both.")
	run.assert(code(`google_compute_firewall.members[0].source_service_accounts == toset(["etcd@example.iam.gserviceaccount.com"])`),
		"Members reach each other by their service account.")
}

func (m *gcpModule) testOwnFirewall(root *body) {
	run := root.test("own_firewall")
	run.block("variables").set("create_firewall_rules", boolean(false))
	run.assert(code("length(google_compute_firewall.probes) + length(google_compute_firewall.members) == 0"), "A firewall that is others' is left alone.")
}

func (m *gcpModule) testMembers(root *body) {
	run := root.test("refuses_unknown_members")
	run.block("variables").set("members", m.zonesOf(m.sampleZones("-other")))
	run.set("expect_failures", code("[var.members]"))
	if m.zones != nil {
		return
	}
	run = root.test("asks_for_members")
	run.block("variables").set("members", code("{}"))
	run.set("expect_failures", code("[google_compute_instance_group_membership.members]"))
}
