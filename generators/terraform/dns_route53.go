package terraform

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

// route53 fails over by pairs of records, a first and a second. Where there are more than two endpoints, the second of a
// pair is the next pair.
type route53 struct{ dnsModule }

// private are the endpoints that Route 53, which asks from the internet, cannot reach: an alarm tells it of their health.
func (m route53) private() []string {
	var out []string
	for _, e := range m.Endpoints {
		if e.Address.V.IsPrivate() {
			out = append(out, e.Name)
		}
	}
	return out
}

func (m route53) variables() []variable {
	out := []variable{
		{
			name: "zone_id", kind: "string", fallback: text(m.zone), description: "The hosted zone of " + m.Host + ".",
			checks: []check{matches("zone_id", "^[A-Z0-9]+$", "write the identifier of a hosted zone.")},
		},
		m.endpointsVariable(),
	}
	if private := m.private(); len(private) > 0 {
		out = append(out, variable{
			name: "alarms", kind: "map(object({ name = string, region = string }))",
			description: "The CloudWatch alarm that rings when too few members are healthy, of each endpoint with a private address: " +
				"Route 53 asks from the internet, so it cannot check these itself.",
			checks: []check{keysOf("alarms", private)},
		})
	}
	return append(out, variable{
		name: "tags", kind: "map(string)", fallback: code("{}"), description: "Tags of everything that the module makes and that takes some.",
		checks: []check{{code("length(var.tags) <= 49"), "tags: AWS allows 50, of which the module sets Name."}},
	})
}

func (m route53) main() file {
	f := newFile("main.tf")
	m.healthChecks(f.root)
	m.records(f.root)
	return f
}

func (m route53) healthChecks(root *body) {
	private, public := m.private(), []string{}
	for _, e := range m.Endpoints {
		if !e.Address.V.IsPrivate() {
			public = append(public, e.Name)
		}
	}
	ids := code("{ for name, check in aws_route53_health_check.public : name => check.id }")
	switch {
	case len(public) == 0:
		ids = code("{ for name, check in aws_route53_health_check.private : name => check.id }")
	case len(private) > 0:
		ids = call("merge", ids, code("{ for name, check in aws_route53_health_check.private : name => check.id }"))
	}
	root.block("locals").set("health_checks", ids)
	if len(public) > 0 {
		b := root.block("resource", "aws_route53_health_check", "public")
		b.set("for_each", call("toset", list(public)))
		b.set("type", text("TCP"))
		b.set("ip_address", code("var.endpoints[each.key]"))
		b.set("port", number(m.Port))
		b.set("request_interval", number(10))
		b.set("failure_threshold", number(3))
		m.named(b)
	}
	if len(private) > 0 {
		b := root.block("resource", "aws_route53_health_check", "private")
		b.set("for_each", call("toset", list(private)))
		b.set("type", text("CLOUDWATCH_METRIC"))
		b.set("cloudwatch_alarm_name", code("var.alarms[each.key].name"))
		b.set("cloudwatch_alarm_region", code("var.alarms[each.key].region"))
		b.note("An alarm that hears nothing is no proof of health.")
		b.set("insufficient_data_health_status", text("Unhealthy"))
		m.named(b)
	}
}

func (m route53) named(b *body) {
	b.set("tags", call("merge", code("var.tags"), object(pair{"Name", code(`"` + m.name + `-${each.key}"`)})))
}

// records writes a first record for each endpoint but the last, and the second ones: the next pair, or the last endpoint.
func (m route53) records(root *body) {
	n := len(m.Endpoints)
	names, next := map[string]string{}, map[string]string{}
	for i, e := range m.Endpoints[:n-1] {
		names[e.Name] = m.Host
		if i > 0 {
			names[e.Name] = e.Name + ".failover." + m.Host
			next[m.Endpoints[i-1].Name] = e.Name
		}
	}
	b := root.block("resource", "aws_route53_record", "endpoints")
	b.set("for_each", mapOf(names))
	m.record(b, code("each.value"), code("each.key"))
	b.set("ttl", number(dnsTTL))
	b.set("records", code("[var.endpoints[each.key]]"))
	b.set("health_check_id", code("local.health_checks[each.key]"))
	failover(b, "PRIMARY")
	if len(next) > 0 {
		b := root.block("resource", "aws_route53_record", "next")
		b.set("for_each", mapOf(next))
		m.record(b, code("aws_route53_record.endpoints[each.key].name"), text("next"))
		alias := b.block("alias")
		alias.set("name", code("aws_route53_record.endpoints[each.value].name"))
		alias.set("zone_id", code("var.zone_id"))
		alias.set("evaluate_target_health", boolean(true))
		failover(b, "SECONDARY")
	}
	last := m.Endpoints[n-1]
	b = root.block("resource", "aws_route53_record", "last")
	m.record(b, nameOf("aws_route53_record.endpoints", m.Endpoints[n-2].Name), text(last.Name))
	b.set("ttl", number(dnsTTL))
	b.set("records", hclwrite.TokensForTuple([]hclwrite.Tokens{entry("var.endpoints", last.Name)}))
	b.set("health_check_id", entry("local.health_checks", last.Name))
	failover(b, "SECONDARY")
}

func (m route53) record(b *body, name, identifier hclwrite.Tokens) {
	b.set("zone_id", code("var.zone_id"))
	b.set("name", name)
	b.set("type", text(m.kind()))
	b.set("set_identifier", identifier)
}

func failover(b *body, role string) {
	b.block("failover_routing_policy").set("type", text(role))
}

func (m route53) tests() file {
	f := newFile("tests/" + m.name + "-dns.tftest.hcl")
	f.root.block("mock_provider", "aws")
	in := f.root.block("variables")
	in.set("zone_id", text("Z0123456789ABCDEFGHIJ"))
	private := m.private()
	if len(private) > 0 {
		var attrs []hclwrite.ObjectAttrTokens
		for i, name := range private {
			attrs = append(attrs, hclwrite.ObjectAttrTokens{Name: text(name), Value: object(
				pair{"name", text("etcd-below-quorum")}, pair{"region", text(fmt.Sprintf("eu-west-%d", i+1))},
			)})
		}
		in.set("alarms", hclwrite.TokensForObject(attrs))
	}
	run := f.root.test("defaults")
	run.assert(equals(code("[for r in aws_route53_record.endpoints : r.failover_routing_policy[0].type if r.name == "+string(text(m.Host).Bytes())+"]"),
		list([]string{"PRIMARY"})), "One load balancer is asked for first.")
	run.assert(equals(code("aws_route53_record.last.records"), call("toset", list([]string{m.Endpoints[len(m.Endpoints)-1].Address.V.String()}))),
		"The last one is what remains.")
	run.assert(equals(code("length(local.health_checks)"), number(len(m.Endpoints))), "The health of each is known.")
	if len(private) > 0 {
		refused := f.root.test("asks_for_alarms")
		refused.block("variables").set("alarms", code("{}"))
		refused.set("expect_failures", code("[var.alarms]"))
	}
	return f
}
