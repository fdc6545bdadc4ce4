package terraform

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// gcpRule is one firewall rule before the members.
type gcpRule struct {
	label, description string
	when               string          // beside create_firewall_rules; "" for nothing else
	ranges             []string        // who is admitted, where they are networks
	tags               hclwrite.Tokens // where they are machines with a tag
	accounts           hclwrite.Tokens // or with a service account
	ports              []topology.PortRange
}

// The machines that the rules are for. Google takes tags or service accounts, not both.
const (
	byTag     = "length(var.member_service_accounts) == 0 ? var.member_tags : null"
	byAccount = "length(var.member_service_accounts) == 0 ? null : var.member_service_accounts"
)

func (m *gcpModule) firewall(root *body, r gcpRule) *body {
	b := root.block("resource", "google_compute_firewall", r.label)
	condition := "var.create_firewall_rules"
	if r.when != "" {
		condition += " && " + r.when
	}
	b.set("count", code(condition+" ? 1 : 0"))
	b.set("name", text(m.Name+"-"+dashed(r.label)))
	b.set("description", text(r.description))
	b.set("project", code("local.network_project"))
	b.set("network", code("var.network"))
	b.set("direction", text("INGRESS"))
	if r.ranges != nil {
		b.set("source_ranges", list(r.ranges))
	}
	if r.tags != nil {
		b.set("source_tags", r.tags)
	}
	if r.accounts != nil {
		b.set("source_service_accounts", r.accounts)
	}
	b.set("target_tags", code(byTag))
	b.set("target_service_accounts", code(byAccount))
	allow := b.block("allow")
	allow.set("protocol", text("tcp"))
	allow.set("ports", list(numbers(r.ports)))
	return b
}

func dashed(label string) string {
	out := []byte(label)
	for i, c := range out {
		if c == '_' {
			out[i] = '-'
		}
	}
	return string(out)
}

func numbers(ports []topology.PortRange) []string {
	out := make([]string, len(ports))
	for i, p := range ports {
		out[i] = strconv.Itoa(p.First)
	}
	return out
}

// firewalls writes who reaches the members: each other, the probes, then whom the spec names, a rule for each set of
// ports.
func (m *gcpModule) firewalls(root *body) {
	for _, f := range m.Firewalls {
		rules := slices.DeleteFunc(slices.Clone(f.Rules), func(r topology.FirewallRule) bool { return r.Loopback || r.Established })
		probing := func(r topology.FirewallRule) bool { return slices.Contains(m.Pool.Check.Sources, r.From.V) }
		for _, r := range rules {
			if r.FromName.Known() {
				m.firewall(root, gcpRule{
					label: "members", description: "Members of " + m.Title() + " among each other",
					tags: code(byTag), accounts: code(byAccount), ports: r.Ports,
				})
			}
		}
		if probes := slices.DeleteFunc(slices.Clone(rules), func(r topology.FirewallRule) bool { return !probing(r) }); len(probes) > 0 {
			m.firewall(root, gcpRule{
				label: "probes", description: "Health checks of Google's load balancers",
				ranges: sources(probes), ports: probes[0].Ports,
			})
		}
		rules = slices.DeleteFunc(rules, func(r topology.FirewallRule) bool { return r.FromName.Known() || probing(r) })
		for _, ports := range distinctPorts(rules) {
			m.networks(root, f, ports, slices.DeleteFunc(slices.Clone(rules), func(r topology.FirewallRule) bool {
				return !slices.Equal(r.Ports, ports)
			}))
		}
	}
	m.tagged(root)
}

func (m *gcpModule) networks(root *body, f topology.Firewall, ports []topology.PortRange, rules []topology.FirewallRule) {
	label, description := "clients", "Clients, whose addresses the load balancer keeps, and who reaches members directly"
	if ports[0].First == m.etcd.MetricsPort.V {
		label, description = "monitoring", "Metrics of members"
	}
	if f.Family == topology.IPv6 { // a rule of Google's takes one family
		label += "_ipv6"
	}
	m.firewall(root, gcpRule{label: label, description: description, ranges: sources(rules), ports: ports})
}

// tagged writes the rules for machines that the user names by their tags.
func (m *gcpModule) tagged(root *body) {
	for _, of := range m.tagVariables() {
		b := m.firewall(root, gcpRule{
			label: of.label, description: of.description,
			when: fmt.Sprintf("length(var.%s) > 0", of.variable),
			tags: code("var." + of.variable), ports: []topology.PortRange{topology.Port(of.port)},
		})
		in := b.block("lifecycle").block("precondition")
		in.set("condition", code("length(var.member_service_accounts) == 0"))
		in.set("error_message", text(of.variable+": Google refuses tags beside member_service_accounts."))
	}
}

type tagVariable struct {
	variable, label, description string
	port                         int
}

func (m *gcpModule) tagVariables() []tagVariable {
	out := []tagVariable{{"client_tags", "tagged_clients", "Further clients", m.Port()}}
	if m.etcd.MetricsPort.Known() {
		out = append(out, tagVariable{"monitoring_tags", "tagged_monitoring", "Further scrapers of members' metrics", m.etcd.MetricsPort.V})
	}
	return out
}
