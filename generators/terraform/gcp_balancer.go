package terraform

import (
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// main is main.tf.
func (m *gcpModule) main() file {
	f := newFile("main.tf")
	m.locals(f.root)
	m.reserve(f.root)
	m.groups(f.root)
	m.healthCheck(f.root)
	m.backendService(f.root)
	m.forwardingRule(f.root)
	m.firewalls(f.root)
	m.record(f.root)
	m.alert(f.root)
	return f
}

func (m *gcpModule) locals(root *body) {
	l := root.block("locals")
	l.set("owns_groups", code("length(var.instance_groups) == 0"))
	l.set("groups", code("local.owns_groups ? values(google_compute_instance_group.members)[*].id : values(var.instance_groups)"))
	l.note("What the log calls the groups; it does not name those of network endpoints.")
	l.set("group_names", code("local.owns_groups ? values(google_compute_instance_group.members)[*].name : "+
		`[for g in values(var.instance_groups) : regex("[^/]+$", g) if strcontains(g, "/instanceGroups/")]`))
	l.note("The project of a shared network is its host's.")
	l.set("network_project", code(`try(regex("projects/([^/]+)/global/networks/", var.network)[0], var.project)`))
}

// reserve writes the address, which outlives the forwarding rule.
func (m *gcpModule) reserve(root *body) {
	b := root.block("resource", "google_compute_address", "this")
	b.set("name", text(m.Name))
	b.set("project", code("var.project"))
	b.set("region", code("var.region"))
	b.set("subnetwork", code("var.subnetwork"))
	b.note("Without this the address would face the internet.")
	b.set("address_type", text("INTERNAL"))
	b.set("address", code(`var.address == "" ? null : var.address`))
	b.set("labels", code("var.labels"))
}

// groups writes an instance group a zone, and each member's place in its one: a member that goes leaves the others alone.
func (m *gcpModule) groups(root *body) {
	b := root.block("resource", "google_compute_instance_group", "members")
	b.set("for_each", code("local.owns_groups ? toset(values(var.members)[*].zone) : toset([])"))
	b.set("name", code(`"`+m.Name+`-${each.key}"`))
	b.set("description", text("Members of "+m.Title()))
	b.set("project", code("var.project"))
	b.set("zone", code("each.key"))
	l := b.block("lifecycle")
	l.note("Who is in it say the memberships.")
	l.set("ignore_changes", code("[instances]"))

	in := root.block("resource", "google_compute_instance_group_membership", "members")
	in.set("for_each", choose(code("local.owns_groups"), call("toset", list(m.Servers())), code("toset([])")))
	in.set("project", code("var.project"))
	in.set("zone", code("var.members[each.key].zone"))
	in.set("instance_group", code("google_compute_instance_group.members[var.members[each.key].zone].name"))
	in.set("instance", code(`var.members[each.key].instance != "" ? var.members[each.key].instance : `+
		`"projects/${var.project}/zones/${var.members[each.key].zone}/instances/${each.key}"`))
	place := in.block("lifecycle").block("precondition")
	place.set("condition", code("contains(keys(var.members), each.key)"))
	place.set("error_message", text("members: say where each member is that the spec puts behind the load balancer, or name instance_groups."))
}

func (m *gcpModule) healthCheck(root *body) {
	c := m.Pool.Check
	b := root.block("resource", "google_compute_region_health_check", "this")
	b.set("name", text(m.Name))
	b.set("description", text("Members of "+m.Title()))
	b.set("project", code("var.project"))
	b.set("region", code("var.region"))
	b.set("check_interval_sec", seconds(c.Interval))
	b.set("timeout_sec", seconds(c.Timeout))
	b.set("healthy_threshold", number(c.Rise.V))
	b.set("unhealthy_threshold", number(c.Fall.V))
	kind := "tcp_health_check"
	if c.Kind.V == topology.CheckHTTP {
		kind = "http_health_check"
	}
	in := b.block(kind)
	in.set("port", number(c.Port.V))
	if c.Kind.V == topology.CheckHTTP {
		in.set("request_path", text(c.Path.V))
	}
	log := b.block("log_config")
	log.note("Google counts healthy members in no metric: its log alone says when one comes or goes. The alert reads it.")
	log.set("enable", boolean(true))
}

func (m *gcpModule) backendService(root *body) {
	b := root.block("resource", "google_compute_region_backend_service", "this")
	b.set("name", text(m.Name))
	b.set("description", text("Members of "+m.Title()))
	b.set("project", code("var.project"))
	b.set("region", code("var.region"))
	b.set("protocol", text("TCP"))
	b.set("load_balancing_scheme", text("INTERNAL"))
	b.set("session_affinity", text("NONE"))
	b.note("A member that is taken out keeps its clients for a minute, then they move.")
	b.set("connection_draining_timeout_sec", number(60))
	b.set("health_checks", code("[google_compute_region_health_check.this.id]"))

	each := b.block("dynamic", "backend")
	each.set("for_each", code("local.groups"))
	in := each.block("content")
	in.set("group", code("backend.value"))
	in.note("What is written by default is refused here.")
	in.set("balancing_mode", text("CONNECTION"))
	if m.Pool.CutOnDown.V {
		p := b.block("connection_tracking_policy")
		p.note("Else clients stay on a member that is known to be down.")
		p.set("connection_persistence_on_unhealthy_backends", text("NEVER_PERSIST"))
	}
}

// allNamed holds where the variable says of each member where it is.
func (m *gcpModule) allNamed() hclwrite.Tokens {
	return equals(code("toset(keys(var.members))"), call("toset", list(m.Servers())))
}

func (m *gcpModule) forwardingRule(root *body) {
	b := root.block("resource", "google_compute_forwarding_rule", "this")
	b.set("name", text(m.Name))
	b.set("description", text("Clients of "+m.Title()))
	b.set("project", code("var.project"))
	b.set("region", code("var.region"))
	b.set("network", code("var.network"))
	b.set("subnetwork", code("var.subnetwork"))
	b.set("load_balancing_scheme", text("INTERNAL"))
	b.set("backend_service", code("google_compute_region_backend_service.this.id"))
	b.set("ip_address", code("google_compute_address.this.id"))
	b.set("ip_protocol", text("TCP"))
	b.set("ports", hclwrite.TokensForTuple([]hclwrite.Tokens{number(m.Port())}))
	b.set("allow_global_access", boolean(m.global))
	b.set("service_label", code(`var.service_label == "" ? null : var.service_label`))
	b.set("labels", code("var.labels"))
}

// record writes the name that clients dial into the user's zone.
func (m *gcpModule) record(root *body) {
	if m.Host == "" {
		return
	}
	b := root.block("resource", "google_dns_record_set", "this")
	b.set("count", code(`var.dns_managed_zone == "" ? 0 : 1`))
	b.set("project", code(`var.dns_project == "" ? var.project : var.dns_project`))
	b.set("managed_zone", code("var.dns_managed_zone"))
	b.set("name", text(m.Host+"."))
	b.set("type", text("A"))
	b.set("ttl", number(60))
	b.set("rrdatas", code("[google_compute_address.this.address]"))
}

// alert tells of each member that fails its health check. Google has no metric that counts the healthy ones, so none rings
// below quorum.
func (m *gcpModule) alert(root *body) {
	b := root.block("resource", "google_monitoring_alert_policy", "member")
	b.set("count", code("length(local.group_names) == 0 ? 0 : 1"))
	b.set("project", code("var.project"))
	b.set("display_name", text(m.Name+" member unhealthy"))
	b.set("combiner", text("OR"))
	b.set("notification_channels", code("var.notification_channels"))
	b.set("user_labels", code("var.labels"))
	c := b.block("conditions")
	c.set("display_name", text("a member of "+m.Title()+" fails its health check"))
	l := c.block("condition_matched_log")
	l.set("filter", call("join", text(" AND "), hclwrite.TokensForTuple([]hclwrite.Tokens{
		code(`"logName=\"projects/${var.project}/logs/compute.googleapis.com%2Fhealthchecks\""`),
		text(`resource.type="gce_instance_group"`),
		code(`"resource.labels.instance_group_name=(${join(" OR ", formatlist("%q", local.group_names))})"`),
		text(`jsonPayload.healthCheckProbeResult.healthState="UNHEALTHY"`),
	})))
	l.set("label_extractors", object(pair{"member", text("EXTRACT(jsonPayload.healthCheckProbeResult.ipAddress)")}))
	s := b.block("alert_strategy")
	s.note("What a log says does not end: an incident is closed when nothing was logged for so long.")
	s.set("auto_close", text("1800s"))
	s.block("notification_rate_limit").set("period", text("300s"))
	d := b.block("documentation")
	d.note("It tells of one, not of a quorum lost. The numbers stand in no text, so that a member more or less changes nothing here.")
	d.set("content", text("The load balancer sends no new clients to this member of "+m.Title()+". Whether the others are a quorum says "+
		"gcloud compute backend-services get-health "+m.Name+"."))
}
