package terraform

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const securityGroup = "aws_security_group"

// inbound is one rule, before it is known what the group that it names is called.
type inbound struct {
	topology.FirewallRule
	family topology.Family
	all    bool   // for everybody in either family: From says it of IPv4
	group  string // address of the security group that is admitted; "" where another source is
}

// groupReader gathers the inbound rules of security groups.
type groupReader struct {
	folder *folder
	order  []string // of groups: addresses, and expressions that name one elsewhere
	rules  map[string][]inbound
	roles  map[string]string
}

// firewalls are the security groups that have rules, each one firewall a family. A rule that names a group counts as
// IPv4.
func (r *awsReader) firewalls() []topology.Firewall {
	g := &groupReader{folder: r.folder, rules: map[string][]inbound{}, roles: map[string]string{}}
	for _, n := range r.folder.of(securityGroup) {
		g.inline(n)
	}
	for _, n := range r.folder.of(ingressRule) {
		g.add(n, g.of(n))
	}
	for _, n := range r.folder.of("aws_security_group_rule") {
		if t, ok := n.get("type"); ok && t.data == "ingress" {
			g.add(n, g.of(n))
		}
	}
	g.assignRoles(r)
	return g.result()
}

// of is the group that a rule belongs to: its address, or the expression that names it.
func (g *groupReader) of(n node) string {
	if address := n.target("security_group_id", securityGroup); address != "" {
		return address
	}
	v, _ := n.get("security_group_id")
	text := g.folder.texts[v.at.Filename]
	if v.at.CanSliceBytes(text) {
		return "(" + string(v.at.SliceBytes(text)) + ")"
	}
	return "()"
}

// inline reads the rules that stand in a group itself, as blocks or as a list of objects.
func (g *groupReader) inline(n node) {
	for _, b := range n.blocks("ingress") {
		g.add(b, n.address())
	}
	attribute, _ := n.get("ingress")
	items, _ := attribute.items()
	for _, item := range items {
		if m, ok := item.data.(*mapping); ok {
			get := func(name string) (value, bool) {
				v, ok := m.fields[name]
				return v, ok && !v.absent()
			}
			g.append(n.address(), g.rulesOf(n.address(), get, g.folder.span(item.at)))
		}
	}
}

// add reads one rule block. Instances of one resource that admit one source to several ports are one rule.
func (g *groupReader) add(n node, group string) {
	g.append(group, g.rulesOf(group, n.get, n.span()))
}

func (g *groupReader) append(group string, rules []inbound) {
	if !slices.Contains(g.order, group) {
		g.order = append(g.order, group)
	}
	for _, r := range rules {
		same := slices.IndexFunc(g.rules[group], func(old inbound) bool { return old.instanceOf(r) })
		if same < 0 {
			g.rules[group] = append(g.rules[group], r)
			continue
		}
		old := &g.rules[group][same]
		old.Ports = append(old.Ports, r.Ports...)
		slices.SortFunc(old.Ports, func(a, b topology.PortRange) int { return a.First - b.First })
	}
}

// instanceOf reports whether two rules come from one block and differ in their ports only.
func (r inbound) instanceOf(other inbound) bool {
	return r.Span == other.Span && r.Protocol == other.Protocol && r.Limited == other.Limited &&
		r.family == other.family && r.group == other.group && r.From.State == other.From.State && r.From.V == other.From.V &&
		r.FromName.V == other.FromName.V && len(r.Ports) > 0 && len(other.Ports) > 0
}

// rulesOf makes a rule of each source that a block admits. One that only some runs have opens what it says whenever it is
// there.
func (g *groupReader) rulesOf(group string, get func(string) (value, bool), at diag.Span) []inbound {
	base := inbound{family: topology.IPv4, FirewallRule: topology.FirewallRule{Verdict: topology.Accept, Span: at}}
	base.traffic(get)
	var out []inbound
	for _, name := range []string{"cidr_ipv4", "cidr_blocks", "cidr_ipv6", "ipv6_cidr_blocks"} {
		for _, v := range each(get, name) {
			r := base
			if strings.Contains(name, "ipv6") {
				r.family = topology.IPv6
			}
			r.From = topology.UnknownAt[netip.Prefix](g.folder.span(v.at))
			if p, ok := prefix(v); ok {
				r.From = topology.SetAt(p, r.From.Span)
			}
			out = append(out, r)
		}
	}
	for _, name := range []string{reference, "source_security_group_id", "security_groups", "prefix_list_id", "prefix_list_ids"} {
		for _, v := range each(get, name) {
			r := base
			if t, ok := v.text(); ok {
				r.FromName = topology.SetAt(t, g.folder.span(v.at))
			}
			for _, ref := range v.mentions() {
				if strings.HasPrefix(ref, securityGroup+".") {
					r.group, r.FromName.Span = ref, g.folder.span(v.at)
				}
			}
			out = append(out, r)
		}
	}
	if v, _ := get("self"); v.data == true {
		r := base
		r.group, r.FromName.Span = group, g.folder.span(v.at)
		out = append(out, r)
	}
	return out
}

// each are the elements of an argument that is a list, or the one value that it is. An unknown list is one unknown.
func each(get func(string) (value, bool), name string) []value {
	v, ok := get(name)
	if !ok {
		return nil
	}
	if items, ok := v.items(); ok {
		return items
	}
	return []value{v}
}

// traffic reads protocol and ports. What cannot be read makes the rule one that may not apply.
func (r *inbound) traffic(get func(string) (value, bool)) {
	v, ok := get("ip_protocol")
	if !ok {
		v, _ = get("protocol")
	}
	switch protocol, _ := v.text(); strings.ToLower(protocol) {
	case "-1", "all":
		return
	case "tcp", "6":
		r.Protocol = "tcp"
	case "udp", "17":
		r.Protocol = "udp"
	case "":
		r.Limited = true
	default:
		r.Protocol = strings.ToLower(protocol)
		return
	}
	from, _ := get("from_port")
	to, _ := get("to_port")
	first, okFirst := from.whole()
	last, okLast := to.whole()
	if !okFirst || !okLast {
		r.Limited = true
		return
	}
	r.Ports = []topology.PortRange{{First: first, Last: last}}
}

func prefix(v value) (netip.Prefix, bool) {
	t, _ := v.text()
	p, err := netip.ParsePrefix(t)
	return p, err == nil
}

// assignRoles finds the groups of load balancers, and of their members: those that admit a load balancer's group to a
// port that it sends clients to.
func (g *groupReader) assignRoles(r *awsReader) {
	for _, lb := range r.balancer {
		for _, address := range lb.refers("security_groups") {
			g.roles[address] = topology.Balancer
		}
	}
	for group, rules := range g.rules {
		if g.roles[group] == "" && slices.ContainsFunc(rules, func(i inbound) bool {
			return g.roles[i.group] == topology.Balancer && r.serves(i.FirewallRule)
		}) {
			g.roles[group] = topology.Members
		}
	}
}

// serves reports whether a rule covers a port that some target group sends clients to.
func (r *awsReader) serves(rule topology.FirewallRule) bool {
	for _, p := range r.groups {
		for _, s := range p.Servers {
			if s.Port.Known() && rule.Covers(s.Port.V) {
				return true
			}
		}
	}
	return false
}

// result makes firewalls of the groups.
func (g *groupReader) result() []topology.Firewall {
	var out []topology.Firewall
	for _, address := range g.order {
		for _, family := range []topology.Family{topology.IPv4, topology.IPv6} {
			f := topology.Firewall{Target: targetName, Role: g.roles[address], Family: family, Cloud: true}
			for _, r := range g.rules[address] {
				if r.family != family {
					continue
				}
				if r.group != "" {
					r.FromName = topology.SetAt(g.name(r.group), r.FromName.Span)
				}
				f.Rules = append(f.Rules, r.FirewallRule)
			}
			if f.Rules == nil {
				continue
			}
			f.Span = f.Rules[0].Span
			if group := g.folder.byAddress[address]; group != nil {
				n := g.folder.block(group)
				f.Name, f.Span = read(n, "name", value.text), n.span()
			}
			out = append(out, f)
		}
	}
	return out
}

// name is what a group is called as a source: by its role, else by its name or label.
func (g *groupReader) name(address string) string {
	if role := g.roles[address]; role != "" {
		return role
	}
	if group := g.folder.byAddress[address]; group != nil {
		if name := read(g.folder.block(group), "name", value.text); name.Known() {
			return name.V
		}
	}
	return strings.TrimPrefix(address, securityGroup+".")
}
