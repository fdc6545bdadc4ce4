package terraform

import (
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// main is main.tf.
func (m *awsModule) main() file {
	f := newFile("main.tf")
	m.locals(f.root)
	m.balancerGroup(f.root)
	m.loadBalancer(f.root)
	m.targetGroup(f.root)
	m.attachments(f.root)
	m.awsListener(f.root)
	m.record(f.root)
	m.alarm(f.root)
	m.memberGroup(f.root)
	return f
}

func (m *awsModule) locals(root *body) {
	l := root.block("locals")
	l.set("tags", call("merge", code("var.tags"), object(pair{"Name", text(m.Name)})))
	l.set("owns_balancer_group", code("length(var.security_group_ids) == 0"))
	l.set("owns_member_group", code(`var.member_security_group_id == ""`))
	l.set("balancer_group_ids", code("local.owns_balancer_group ? aws_security_group.balancer[*].id : var.security_group_ids"))
	l.set("member_group_id", code("local.owns_member_group ? one(aws_security_group.members[*].id) : var.member_security_group_id"))
}

// loadBalancer writes the aws_lb, with an address in each subnet.
func (m *awsModule) loadBalancer(root *body) {
	b := root.block("resource", "aws_lb", "this")
	b.set("name", text(m.Name))
	b.set("load_balancer_type", text("network"))
	b.set("internal", boolean(m.Proxy.Internal.V))
	if m.DualStack() {
		b.set("ip_address_type", text("dualstack"))
	}
	b.set("enable_cross_zone_load_balancing", boolean(m.Proxy.CrossZone.V))
	b.set("enable_deletion_protection", code("var.deletion_protection"))
	b.note("A load balancer that is created without a security group can never get one.")
	b.set("security_groups", code("local.balancer_group_ids"))
	b.set("tags", code("local.tags"))

	subnets := b.block("dynamic", "subnet_mapping")
	subnets.set("for_each", code("var.subnets"))
	each := subnets.block("content")
	each.set("subnet_id", code("subnet_mapping.value"))
	each.set("private_ipv4_address", code("lookup(var.addresses, subnet_mapping.key, null)"))

	in := b.block("lifecycle").block("precondition")
	in.set("condition", code("length(setsubtract(keys(var.addresses), keys(var.subnets))) == 0"))
	in.set("error_message", text("addresses: every zone that has an address needs a subnet."))
}

// targetGroup writes the aws_lb_target_group. Its name is only a prefix, so that a change that replaces it finds the
// old one still in place.
func (m *awsModule) targetGroup(root *body) {
	b := root.block("resource", "aws_lb_target_group", "client")
	b.set("name_prefix", text("etcd-"))
	b.set("port", number(m.MemberPort()))
	b.set("protocol", text("TCP"))
	b.set("vpc_id", code("var.vpc_id"))
	b.set("target_type", text(m.targetType))
	if m.IPv6() {
		b.set("ip_address_type", text("ipv6"))
	}
	b.note("A member that is taken out keeps its clients for a minute, then they move.")
	b.set("deregistration_delay", number(60))
	b.set("connection_termination", boolean(true))
	if m.targetType == "instance" {
		b.note("Members see the clients' addresses, and none can reach itself through the load balancer.")
	} else {
		b.note("With the client's address kept, a member could not reach itself through the load balancer.")
	}
	b.set("preserve_client_ip", text(strconv.FormatBool(m.targetType == "instance")))
	b.note("etcd cannot read the PROXY protocol.")
	b.set("proxy_protocol_v2", boolean(false))
	b.set("tags", code("local.tags"))

	m.healthCheck(b)
	sticky := b.block("stickiness")
	sticky.set("type", text("source_ip"))
	sticky.set("enabled", boolean(false))
	b.block("target_health_state").set("enable_unhealthy_connection_termination", boolean(true))
	b.block("lifecycle").set("create_before_destroy", boolean(true))
}

func (m *awsModule) healthCheck(group *body) {
	c := m.Pool.Check
	b := group.block("health_check")
	b.set("protocol", text(strings.ToUpper(string(c.Kind.V))))
	b.set("port", text(strconv.Itoa(c.Port.V)))
	if c.Kind.V != topology.CheckTCP {
		b.set("path", text(c.Path.V))
		b.set("matcher", text("200"))
	}
	b.set("interval", seconds(c.Interval))
	b.set("timeout", seconds(c.Timeout))
	b.set("healthy_threshold", number(c.Rise.V))
	b.set("unhealthy_threshold", number(c.Fall.V))
}

func seconds(d topology.Value[time.Duration]) hclwrite.Tokens { return number(int(d.V / time.Second)) }

// attachments registers the members by name, so that one that goes leaves the others alone.
func (m *awsModule) attachments(root *body) {
	b := root.block("resource", "aws_lb_target_group_attachment", "members")
	b.set("for_each", call("toset", list(m.Servers())))
	b.set("target_group_arn", code("aws_lb_target_group.client.arn"))
	b.set("target_id", code("var.members[each.key]"))
	b.set("port", number(m.MemberPort()))
}

func (m *awsModule) awsListener(root *body) {
	b := root.block("resource", "aws_lb_listener", "client")
	b.set("load_balancer_arn", code("aws_lb.this.arn"))
	b.set("port", number(m.Port()))
	b.set("protocol", text("TCP"))
	b.note("A watch may stay quiet for as long as this.")
	b.set("tcp_idle_timeout_seconds", seconds(m.Listener.Routes[0].Idle))
	b.set("tags", code("local.tags"))
	action := b.block("default_action")
	action.set("type", text("forward"))
	action.set("target_group_arn", code("aws_lb_target_group.client.arn"))
}

// record writes the name that clients dial into the user's zone.
func (m *awsModule) record(root *body) {
	if m.Host == "" {
		return
	}
	types := []string{"A"}
	if m.DualStack() {
		types = append(types, "AAAA")
	}
	b := root.block("resource", "aws_route53_record", "this")
	b.set("for_each", choose(code(`var.route53_zone_id == ""`), code("toset([])"), call("toset", list(types))))
	b.set("zone_id", code("var.route53_zone_id"))
	b.set("name", text(m.Host))
	b.set("type", code("each.key"))
	alias := b.block("alias")
	alias.set("name", code("aws_lb.this.dns_name"))
	alias.set("zone_id", code("aws_lb.this.zone_id"))
	alias.set("evaluate_target_health", boolean(false))
}

// alarm rings below quorum. Across zones each node of the load balancer counts all members; within zones each counts
// its own, so that their sum is what matters.
func (m *awsModule) alarm(root *body) {
	b := root.block("resource", "aws_cloudwatch_metric_alarm", "quorum")
	b.set("alarm_name", text(m.Name+"-below-quorum"))
	b.set("alarm_description", text("Fewer members of "+m.Title()+" are healthy than its quorum needs."))
	b.set("comparison_operator", text("LessThanThreshold"))
	b.set("threshold", number(m.Quorum))
	b.set("evaluation_periods", number(2))
	b.set("treat_missing_data", text("breaching"))
	b.set("alarm_actions", code("var.alarm_actions"))
	b.set("ok_actions", code("var.alarm_actions"))
	b.set("tags", code("local.tags"))
	dimensions := []pair{
		{"LoadBalancer", code("aws_lb.this.arn_suffix")},
		{"TargetGroup", code("aws_lb_target_group.client.arn_suffix")},
	}
	if m.Proxy.CrossZone.V {
		b.set("namespace", text("AWS/NetworkELB"))
		b.set("metric_name", text("HealthyHostCount"))
		b.set("statistic", text("Minimum"))
		b.set("period", number(60))
		b.set("dimensions", object(dimensions...))
		return
	}
	sum := b.block("metric_query")
	sum.set("id", text("healthy"))
	sum.set("expression", text("SUM(METRICS())"))
	sum.set("label", text("healthy members"))
	sum.set("return_data", boolean(true))
	zones := b.block("dynamic", "metric_query")
	zones.set("for_each", code("var.subnets"))
	zone := zones.block("content")
	zone.set("id", code(`"zone_${replace(metric_query.key, "-", "_")}"`))
	metric := zone.block("metric")
	metric.set("namespace", text("AWS/NetworkELB"))
	metric.set("metric_name", text("HealthyHostCount"))
	metric.set("stat", text("Minimum"))
	metric.set("period", number(60))
	metric.set("dimensions", object(append(dimensions, pair{"AvailabilityZone", code("metric_query.key")})...))
}
