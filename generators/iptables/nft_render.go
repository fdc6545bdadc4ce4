package iptables

import (
	"fmt"
	"net/netip"
	"path"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// maxNftComment is what a comment of nft holds, in bytes.
const maxNftComment = 127

// renderNft writes a ruleset of one table for each role that has firewalls, both families in it.
func renderNft(t *topology.Topology, _ *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	var out []target.Artifact
	var diags diag.List
	sources := sourceNames(t, maxNftComment)
	for _, r := range roles(t, nftables) {
		for _, f := range r.firewalls {
			diags = append(diags, openSources(f)...)
		}
		out = append(out, target.Artifact{Path: path.Join(nftables, r.name+".nft"), Data: ruleset(r, sources, header)})
	}
	return out, diags
}

// ruleset is the text of a role's file. That the table is made, deleted and made again in one transaction replaces it, be
// it there or not, while no packet meets anything in between.
func ruleset(r role, sources map[netip.Prefix]string, header target.Header) []byte {
	var b text
	table := "table inet " + r.chain()
	b.write("#!/usr/sbin/nft -f\n")
	b.comment(header.Lines()...)
	b.comment(
		"IPv4 and IPv6 rules of the "+r.title()+".",
		"Install as "+r.folder()+".nft on each of them, and include it at the end of",
		"/etc/nftables.conf, whose flush would drop it.",
		"Load: nft -f "+r.folder()+".nft    Withdraw: nft delete "+table,
		"What another table drops stays dropped: it must let our ports through.",
	)
	b.write(table, "\ndelete ", table, "\n", table, " {\n")
	b.write("\t# Only our ports enter the rules below.\n\tchain input {\n\t\ttype filter hook input priority 0; policy accept;\n")
	for _, guard := range guards(r.firewalls) {
		b.write("\t\t", guard, " jump ", r.chain(), "\n")
	}
	b.write("\t}\n\n\tchain ", r.chain(), " {\n")
	for _, rule := range merged(r.firewalls) {
		for _, line := range nftLines(r.firewalls[0], rule, sources) {
			b.write("\t\t", line, "\n")
		}
	}
	b.write("\t}\n}\n")
	return b.Bytes()
}

// guards are the matches of what enters the chain.
func guards(firewalls []topology.Firewall) []string {
	out := []string{"tcp dport " + nftPorts(firewalls[0].Guarded)}
	for _, rule := range merged(firewalls) {
		if rule.Protocol == vrrp {
			return append(out, "meta l4proto "+vrrpNumber)
		}
	}
	return out
}

// merged are the rules of both families in one list: those without a source are the same in both.
func merged(firewalls []topology.Firewall) []topology.FirewallRule {
	var out []topology.FirewallRule
	rest := firewalls[1].Rules
	for _, rule := range firewalls[0].Rules {
		if !sourced(rule) {
			for len(rest) > 0 && sourced(rest[0]) {
				out = append(out, rest[0])
				rest = rest[1:]
			}
			rest = rest[min(1, len(rest)):]
		}
		out = append(out, rule)
	}
	return out
}

// sourced reports whether a rule is about some machines only.
func sourced(r topology.FirewallRule) bool { return r.From.Known() && r.From.V.Bits() > 0 }

// nftLines spell one rule. Where the firewall only observes, a refusal becomes a log line and an accept.
func nftLines(f topology.Firewall, r topology.FirewallRule, sources map[netip.Prefix]string) []string {
	match := nftMatches(r)
	comment := ""
	if text := sources[r.From.V]; sourced(r) && text != "" {
		comment = fmt.Sprintf(` comment "%s"`, text)
	}
	switch refuses := r.Verdict == topology.Drop || r.Verdict == topology.Reject; {
	case refuses && f.Observe.V:
		return []string{
			match + "limit rate 10/minute burst 20 packets log prefix \"" + logPrefix(f.Name.V) + `"`,
			match + "counter accept" + comment,
		}
	case r.Verdict == topology.Reject && r.Protocol == "tcp":
		return []string{match + "counter reject with tcp reset" + comment}
	}
	return []string{match + string(r.Verdict) + comment}
}

// nftMatches are the matches of one rule, each with a blank behind it.
func nftMatches(r topology.FirewallRule) string {
	var b strings.Builder
	add := func(words ...string) { b.WriteString(strings.Join(words, " ") + " ") }
	if sourced(r) {
		family := "ip"
		if r.From.V.Addr().Is6() {
			family = "ip6"
		}
		source := r.From.V.String()
		if r.From.V.IsSingleIP() {
			source = r.From.V.Addr().String()
		}
		add(family, "saddr", source)
	}
	if r.Loopback {
		add(`iif "lo"`)
	}
	switch {
	case len(r.Ports) > 0:
		add(r.Protocol, "dport", nftPorts(r.Ports))
	case r.Protocol == vrrp:
		add("meta l4proto", vrrpNumber)
	case r.Protocol != "":
		add("meta l4proto", r.Protocol)
	}
	if r.Established {
		add("ct state established,related")
	}
	return b.String()
}

// nftPorts spells one port, or a set of ports and ranges.
func nftPorts(ranges []topology.PortRange) string {
	words := make([]string, len(ranges))
	for i, p := range ranges {
		words[i] = strconv.Itoa(p.First)
		if p.Last != p.First {
			words[i] += "-" + strconv.Itoa(p.Last)
		}
	}
	if len(words) == 1 {
		return words[0]
	}
	return "{ " + strings.Join(words, ", ") + " }"
}
