package iptables

import (
	"bytes"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// role is what one kind of machine gets: its firewalls in both families.
type role struct {
	cluster   string
	name      string // topology.Members or topology.Nodes
	firewalls []topology.Firewall
}

// chain is the name of the role's own chain, alike in both families.
func (r role) chain() string { return r.firewalls[0].Name.V }

// title names the machines in the heads of files.
func (r role) title() string {
	if r.name == topology.Nodes {
		return "load balancer nodes of etcd cluster " + r.cluster
	}
	return "members of etcd cluster " + r.cluster
}

// folder is where the unit expects the role's files on a machine.
func (r role) folder() string { return path.Join("/etc/etcd-lb", r.cluster, r.name) }

// Render writes a folder for each role that has firewalls: a restore file a family, the script and the boot unit.
func Render(t *topology.Topology, _ *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	var out []target.Artifact
	var diags diag.List
	sources := sourceNames(t, maxComment)
	for _, r := range roles(t, name) {
		add := func(file string, data []byte, exec bool) {
			out = append(out, target.Artifact{Path: path.Join(name, r.name, file), Data: data, Exec: exec})
		}
		for _, f := range r.firewalls {
			diags = append(diags, openSources(f)...)
			add(fmt.Sprintf("v%d.restore", f.Family), restore(r, f, sources, header), false)
		}
		add("apply.sh", script(r, header), true)
		add("etcd-lb-firewall-"+r.cluster+"-"+r.name+".service", unit(r, header), false)
	}
	return out, diags
}

// roles groups a target's firewalls by machine, members first.
func roles(t *topology.Topology, target string) []role {
	var out []role
	for _, machines := range []string{topology.Members, topology.Nodes} {
		r := role{cluster: t.Name.V, name: machines}
		for _, f := range t.Firewalls {
			if f.Target == target && f.Role == machines {
				r.firewalls = append(r.firewalls, f)
			}
		}
		if len(r.firewalls) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// openSources reports rules that would admit everybody because nobody says whom they admit.
func openSources(f topology.Firewall) diag.List {
	var diags diag.List
	for _, r := range f.Rules {
		if r.Verdict == topology.Accept && !r.Loopback && !r.Established && !r.From.Known() {
			diags.Error(r.From.Span, "unsupported", "a firewall rule without a known source would admit everybody; "+
				"need an address for each machine that it admits", "state the address in the spec")
		}
	}
	return diags
}

// restore is the text of one family's file. The chain line empties the chain, so loading the file twice is loading it once.
func restore(r role, f topology.Firewall, sources map[netip.Prefix]string, header target.Header) []byte {
	var b text
	b.comment(header.Lines()...)
	b.comment(
		fmt.Sprintf("IPv%d rules of the %s, for %s-restore --noflush.", f.Family, r.title(), tool(f.Family)),
		"apply.sh loads them and adds the jump from INPUT, which would double if it stood here.",
	)
	b.write("*filter\n:", r.chain(), " - [0:0]\n")
	for i, rule := range f.Rules {
		for _, line := range lines(f, rule, sources) {
			b.write("-A ", r.chain(), " ", line, "\n")
		}
		if rule.Protocol == vrrp && (i+1 == len(f.Rules) || f.Rules[i+1].Protocol != vrrp) {
			b.write("-A ", r.chain(), " -p ", vrrpNumber, ` -m comment --comment "other VRRP is none of ours" -j RETURN`, "\n")
		}
	}
	b.write("COMMIT\n")
	return b.Bytes()
}

// VRRP by its number: not every machine has a name for it in /etc/protocols.
const (
	vrrp       = "vrrp"
	vrrpNumber = "112"
)

// lines are the arguments of one rule. Where the firewall only observes, a refusal becomes a log line and an accept.
func lines(f topology.Firewall, r topology.FirewallRule, sources map[netip.Prefix]string) []string {
	match := matches(r)
	if text := sources[r.From.V]; r.From.Known() && text != "" {
		match = append(match, `-m comment --comment "`+text+`"`)
	}
	line := func(words ...string) string { return strings.Join(slices.Concat(match, words), " ") }
	switch refuses := r.Verdict == topology.Drop || r.Verdict == topology.Reject; {
	case refuses && f.Observe.V:
		return []string{
			line("-m limit --limit 10/minute --limit-burst 20", `-j LOG --log-prefix "`+logPrefix(f.Name.V)+`"`),
			line("-j ACCEPT"),
		}
	case r.Verdict == topology.Reject && r.Protocol == "tcp":
		return []string{line("-j REJECT --reject-with tcp-reset")}
	}
	return []string{line("-j " + strings.ToUpper(string(r.Verdict)))}
}

// logPrefix begins the log lines of a chain that observes. The kernel keeps 29 characters: a chain's name and a blank.
func logPrefix(chain string) string { return chain + " " }

// matches are the matches of one rule, in the order of iptables-save.
func matches(r topology.FirewallRule) []string {
	var out []string
	if r.From.Known() && r.From.V.Bits() > 0 {
		out = append(out, "-s "+r.From.V.String())
	}
	if r.Loopback {
		out = append(out, "-i lo")
	}
	switch r.Protocol {
	case "":
	case vrrp:
		out = append(out, "-p "+vrrpNumber)
	default:
		out = append(out, "-p "+r.Protocol)
	}
	if len(r.Ports) > 0 {
		out = append(out, "-m multiport --dports "+ports(r.Ports))
	}
	if r.Established {
		out = append(out, "-m conntrack --ctstate ESTABLISHED,RELATED")
	}
	return out
}

// ports spells ranges for multiport, which takes up to 15 of them.
func ports(ranges []topology.PortRange) string {
	words := make([]string, len(ranges))
	for i, p := range ranges {
		words[i] = strconv.Itoa(p.First)
		if p.Last != p.First {
			words[i] += ":" + strconv.Itoa(p.Last)
		}
	}
	return strings.Join(words, ",")
}

func tool(f topology.Family) string {
	if f == topology.IPv6 {
		return "ip6tables"
	}
	return "iptables"
}

// text is a file on its way.
type text struct{ bytes.Buffer }

func (t *text) write(parts ...string) {
	for _, p := range parts {
		t.WriteString(p)
	}
}

func (t *text) comment(lines ...string) {
	for _, l := range lines {
		t.write("# ", l, "\n")
	}
}
