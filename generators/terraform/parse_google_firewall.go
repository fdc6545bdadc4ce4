package terraform

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// ranked is a rule of a cloud's firewall, where a number orders the rules.
type ranked struct {
	inbound
	priority int
}

// googlePriority is that of a rule which says none.
const googlePriority = 1000

// googleFirewalls are the inbound rules, one firewall for each kind of machine that rules are for. What no rule admits
// is dropped.
func googleFirewalls(f *folder) []topology.Firewall {
	rules := map[string][]ranked{}
	var order []string
	for _, n := range f.of("google_compute_firewall") {
		direction := readOr(n, "direction", value.text, "INGRESS")
		off := readOr(n, "disabled", value.truth, false)
		if direction.V != "INGRESS" || off.V {
			continue
		}
		machines := audience(n)
		if !slices.Contains(order, machines) {
			order = append(order, machines)
		}
		rules[machines] = append(rules[machines], googleRules(n, !off.Known())...)
	}
	var out []topology.Firewall
	for _, machines := range order {
		for _, fw := range ordered(rules[machines]) {
			fw.Name, fw.Rest = topology.SetAt(machines, fw.Span), topology.Drop
			out = append(out, fw)
		}
	}
	return out
}

// audience names the machines that a rule is for: tags, or service accounts; "" for all.
func audience(n node) string {
	var words []string
	for _, name := range []string{"target_tags", "target_service_accounts"} {
		v, written := n.get(name)
		items, ok := v.items()
		for _, item := range items {
			t, known := item.text()
			ok = ok && known
			words = append(words, t)
		}
		if written && !ok {
			words = append(words, strings.Join(union([]string{name}, v.mentions()), " "))
		}
	}
	return strings.Join(words, " ")
}

// googleRules makes a rule of each source and each block. Denials come before what is allowed at the same priority.
func googleRules(n node, limited bool) []ranked {
	priority := readOr(n, "priority", value.whole, googlePriority)
	limited = limited || !priority.Known()
	if _, narrow := n.get("destination_ranges"); narrow {
		limited = true
	}
	var out []ranked
	for _, verdict := range []topology.Verdict{topology.Drop, topology.Accept} {
		kind := map[topology.Verdict]string{topology.Drop: "deny", topology.Accept: "allow"}[verdict]
		for _, b := range n.blocks(kind) {
			maybe := verdict == topology.Drop && (n.many || b.many) // not in every run
			base := inbound{family: topology.IPv4, FirewallRule: topology.FirewallRule{Verdict: verdict, Limited: limited || maybe, Span: n.span()}}
			base.googleTraffic(b)
			for _, r := range googleSources(n, base) {
				if out = append(out, ranked{r, priority.V}); len(out) >= maxLength {
					return out // each block takes all sources, so that they multiply
				}
			}
		}
	}
	return out
}

func (r *inbound) googleTraffic(b node) {
	protocol, _ := b.get("protocol")
	switch p, _ := protocol.text(); strings.ToLower(p) {
	case "all":
		return
	case "tcp", "6":
		r.Protocol = "tcp"
	case "":
		r.Limited = true
	default:
		r.Protocol = strings.ToLower(p)
		return
	}
	r.portRanges(each(b.get, "ports"))
}

// portRanges adds ports, each one or a range. What cannot be read makes the rule one that may not apply.
func (r *inbound) portRanges(ports []value) {
	for _, v := range ports {
		if t, _ := v.text(); t == "*" {
			r.Ports = nil
			return
		}
		first, last, ok := portRange(v)
		if !ok {
			r.Limited = true
			continue
		}
		r.Ports = append(r.Ports, topology.PortRange{First: first, Last: last})
	}
	if len(ports) > 0 && r.Ports == nil {
		r.Ports = []topology.PortRange{{First: 0, Last: 65535}} // unknown ones, for a rule that is limited
	}
}

// googleSources makes a rule of each source that is named.
func googleSources(n node, base inbound) []inbound {
	var out []inbound
	for _, v := range each(n.get, "source_ranges") {
		out = append(out, base.from(n, v))
	}
	for _, name := range []string{"source_tags", "source_service_accounts"} {
		for _, v := range each(n.get, name) {
			r := base
			r.FromName = fact(n, v, value.text)
			r.From = topology.UnknownAt[netip.Prefix](n.scope.folder.span(v.at))
			out = append(out, r)
		}
	}
	return out
}

// from is the rule for a source that is an address or a range, in its family.
func (r inbound) from(n node, v value) inbound {
	r.From = fact(n, v, anyPrefix)
	if r.From.Known() {
		r.family = topology.FamilyOf(r.From.V.Addr())
	}
	return r
}

// anyPrefix reads a range, or an address as the range of it alone.
func anyPrefix(v value) (netip.Prefix, bool) {
	if p, ok := prefix(v); ok {
		return p, true
	}
	a, ok := addr(v)
	if !ok {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// ordered makes a firewall of each family that has rules, in the order in which a cloud looks at them. Before these,
// it lets answers through, and never sees what a machine sends to itself.
func ordered(rules []ranked) []topology.Firewall {
	rules = slices.Clone(rules)
	slices.SortStableFunc(rules, func(a, b ranked) int {
		if a.priority != b.priority {
			return cmp.Compare(a.priority, b.priority)
		}
		return cmp.Compare(denials(a), denials(b))
	})
	var out []topology.Firewall
	for _, family := range []topology.Family{topology.IPv4, topology.IPv6} {
		f := topology.Firewall{Target: targetName, Family: family, Cloud: true}
		for _, r := range rules {
			if r.family == family {
				f.Rules = append(f.Rules, r.FirewallRule)
			}
		}
		if f.Rules == nil {
			continue
		}
		f.Span = f.Rules[0].Span
		f.Rules = append([]topology.FirewallRule{
			{Verdict: topology.Accept, Loopback: true, Span: f.Span},
			{Verdict: topology.Accept, Established: true, Span: f.Span},
		}, f.Rules...)
		out = append(out, f)
	}
	return out
}

// denials sorts what refuses before what accepts.
func denials(r ranked) int {
	if r.Verdict == topology.Accept {
		return 1
	}
	return 0
}
