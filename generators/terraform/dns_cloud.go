package terraform

import (
	"fmt"
	"slices"
	"strconv"
)

// cloudDNS fails over by a routing policy, which knows the health of Google's internal load balancers from these.
type cloudDNS struct{ dnsModule }

func (m cloudDNS) variables() []variable {
	return []variable{
		{
			name: "project", kind: "string", description: "The project of the load balancers and the managed zone.",
			checks: []check{matches("project", "^[a-z0-9.:-]+$", "write a project's identifier.")},
		},
		{
			name: "network", kind: "string", description: "The self link or identifier of the load balancers' network.",
			checks: []check{matches("network", "projects/[^/]+/global/networks/[^/]+$", "write a network's self link.")},
		},
		{
			name: "managed_zone", kind: "string", fallback: text(m.zone), description: "The managed zone of " + m.Host + ".",
			checks: []check{matches("managed_zone", "^[a-z]([-a-z0-9]*[a-z0-9])?$", "write the name of a managed zone, not its domain.")},
		},
		m.endpointsVariable(),
		{
			name: "regions", kind: "map(string)", description: "The region of each load balancer, by its name in the spec.",
			checks: []check{
				keysOf("regions", m.names(m.Endpoints)),
				matchAll("regions", "^[a-z]+-[a-z]+[0-9]+$", `write a region's name, such as "europe-west1".`),
			},
		},
	}
}

func (m cloudDNS) main() file {
	f := newFile("main.tf")
	backups := m.names(m.Endpoints[1:])
	l := f.root.block("locals")
	l.set("backups", call("toset", list(backups)))
	l.note("A place has one entry, which holds all load balancers there.")
	l.set("backup_regions", code("toset([for name in local.backups : var.regions[name]])"))

	b := f.root.block("resource", "google_dns_record_set", "this")
	b.set("project", code("var.project"))
	b.set("managed_zone", code("var.managed_zone"))
	b.set("name", text(m.Host+"."))
	b.set("type", text("A"))
	b.set("ttl", number(dnsTTL))
	policy := b.block("routing_policy").block("primary_backup")
	first := policy.block("primary").block("internal_load_balancers")
	m.balancer(first)
	first.set("ip_address", entry("var.endpoints", m.Endpoints[0].Name))
	first.set("region", entry("var.regions", m.Endpoints[0].Name))

	each := policy.block("dynamic", "backup_geo")
	each.set("for_each", code("local.backup_regions"))
	place := each.block("content")
	place.set("location", code("backup_geo.key"))
	in := place.block("health_checked_targets").block("dynamic", "internal_load_balancers")
	in.set("for_each", code("[for name in local.backups : name if var.regions[name] == backup_geo.key]"))
	balancer := in.block("content")
	m.balancer(balancer)
	balancer.set("ip_address", code("var.endpoints[internal_load_balancers.value]"))
	balancer.set("region", code("backup_geo.key"))
	return f
}

func (m cloudDNS) balancer(b *body) {
	b.set("load_balancer_type", text("regionalL4ilb"))
	b.set("ip_protocol", text("tcp"))
	b.set("port", text(strconv.Itoa(m.Port)))
	b.set("network_url", code("var.network"))
	b.set("project", code("var.project"))
}

func (m cloudDNS) tests() file {
	f := newFile("tests/" + m.name + "-dns.tftest.hcl")
	f.root.block("mock_provider", "google")
	in := f.root.block("variables")
	in.set("project", text("example"))
	in.set("network", text("projects/example/global/networks/example"))
	in.set("managed_zone", text("example"))
	regions := map[string]string{}
	for i, e := range m.Endpoints {
		regions[e.Name] = fmt.Sprintf("europe-west%d", i+1)
	}
	in.set("regions", mapOf(regions))
	const policy = "google_dns_record_set.this.routing_policy[0].primary_backup[0]"
	run := f.root.test("defaults")
	run.assert(equals(code(policy+".primary[0].internal_load_balancers[0].ip_address"), text(m.Endpoints[0].Address.V.String())),
		"One load balancer is asked for first.")
	places := m.names(m.Endpoints[1:])
	for i, name := range places {
		places[i] = regions[name]
	}
	slices.Sort(places)
	run.assert(equals(code("sort([for place in "+policy+".backup_geo : place.location])"), call("tolist", list(places))), "The others stand by.")
	refused := f.root.test("asks_for_regions")
	refused.block("variables").set("regions", code("{}"))
	refused.set("expect_failures", code("[var.regions]"))
	return f
}
