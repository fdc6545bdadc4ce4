package terraform

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const azureGroup = "azurerm_network_security_group"

// azureFirewalls are the security groups with inbound rules of their own. Azure's default rules, which come after these,
// let the network and the probes in.
func azureFirewalls(f *folder) []topology.Firewall {
	rules := map[string][]ranked{}
	var order []string
	add := func(group string, rs []ranked) {
		if _, seen := rules[group]; !seen && rs != nil {
			order = append(order, group)
		}
		rules[group] = append(rules[group], rs...)
	}
	for _, n := range f.of(azureGroup) {
		for _, b := range n.entries("security_rule") {
			add(n.address(), azureRules(b))
		}
	}
	for _, n := range f.of("azurerm_network_security_rule") {
		group := n.target("network_security_group_name", azureGroup)
		if name := read(n, "network_security_group_name", value.text); name.Known() {
			group = name.V
		}
		add(group, azureRules(n))
	}
	var out []topology.Firewall
	for _, group := range order {
		for _, fw := range ordered(inBothFamilies(rules[group])) {
			if n, ok := f.first(group); ok {
				fw.Name = topology.SetAt(labelled(n), n.span())
			}
			out = append(out, fw)
		}
	}
	return out
}

// inBothFamilies adds, where some rule is for IPv6, what a rule for everybody says of that family.
func inBothFamilies(rules []ranked) []ranked {
	if !slices.ContainsFunc(rules, func(r ranked) bool { return r.family == topology.IPv6 }) {
		return rules
	}
	out := slices.Clone(rules)
	for _, r := range rules {
		if r.all {
			r.family, r.From.V = topology.IPv6, netip.PrefixFrom(netip.IPv6Unspecified(), 0)
			out = append(out, r)
		}
	}
	return out
}

// azureRules makes a rule of each source that an inbound rule names.
func azureRules(n node) []ranked {
	direction, _ := n.get("direction")
	if isText(direction, "outbound") {
		return nil
	}
	priority := read(n, "priority", value.whole)
	base := inbound{family: topology.IPv4, FirewallRule: topology.FirewallRule{
		Verdict: topology.Accept, Span: n.span(),
		Limited: !direction.known() || !priority.Known() || narrowed(n),
	}}
	switch access, _ := n.get("access"); {
	case isText(access, "deny"):
		base.Verdict = topology.Drop
		base.Limited = base.Limited || n.many // not in every run
	case !isText(access, "allow"):
		base.Limited = true
	}
	base.azureTraffic(n)
	var out []ranked
	for _, r := range azureSources(n, base) {
		out = append(out, ranked{r, priority.V})
	}
	return out
}

// narrowed reports whether a rule is for some machines alone, or for some source ports.
func narrowed(n node) bool {
	for _, name := range []string{
		"destination_address_prefix", "destination_address_prefixes", "destination_application_security_group_ids",
		"source_port_range", "source_port_ranges",
	} {
		for _, v := range each(n.get, name) {
			if t, _ := v.text(); t != "*" && t != "VirtualNetwork" && t != "0.0.0.0/0" && t != "0-65535" {
				return true
			}
		}
	}
	return false
}

func (r *inbound) azureTraffic(n node) {
	protocol, _ := n.get("protocol")
	switch p, known := protocol.text(); {
	case !known:
		r.Limited = true
	case p != "*":
		r.Protocol = strings.ToLower(p)
	}
	ports := append(each(n.get, "destination_port_range"), each(n.get, "destination_port_ranges")...)
	if ports == nil {
		r.Limited = true
	}
	r.portRanges(ports)
}

// azureSources makes a rule of each source that is named: a range, a name for one, or a group.
func azureSources(n node, base inbound) []inbound {
	var out []inbound
	for _, name := range []string{"source_address_prefix", "source_address_prefixes"} {
		for _, v := range each(n.get, name) {
			out = append(out, base.fromAzure(n, v))
		}
	}
	for _, v := range each(n.get, "source_application_security_group_ids") {
		r := base
		r.From = topology.UnknownAt[netip.Prefix](n.scope.folder.span(v.at))
		r.FromName = topology.UnknownAt[string](r.From.Span)
		if refs := v.mentions(); len(refs) > 0 {
			r.FromName = topology.SetAt(refs[0], r.From.Span)
		}
		out = append(out, r)
	}
	return out
}

// fromAzure is the rule for a source that is a range, or what Azure calls one. The internet is everybody where it is let
// in; a rule that refuses it does not refuse what Azure itself sends.
func (r inbound) fromAzure(n node, v value) inbound {
	at := n.scope.folder.span(v.at)
	t, known := v.text()
	if !known {
		r.From = topology.UnknownAt[netip.Prefix](at)
		return r
	}
	if _, ok := anyPrefix(v); ok {
		return r.from(n, v)
	}
	if t == "*" || strings.EqualFold(t, "any") || strings.EqualFold(t, "internet") && r.Verdict == topology.Accept {
		r.From, r.all = topology.SetAt(netip.MustParsePrefix("0.0.0.0/0"), at), true
		return r
	}
	r.From = topology.UnknownAt[netip.Prefix](at)
	r.FromName = topology.SetAt(t, at)
	r.Wide = strings.EqualFold(t, "VirtualNetwork")
	return r
}
