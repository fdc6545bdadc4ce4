package iptables

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// nftSample is the sample for nftables.
func nftSample(observe bool) *topology.Topology {
	top := sample(observe)
	for i := range top.Firewalls {
		top.Firewalls[i].Target = nftables
	}
	return top
}

// nftFile is the ruleset of a role as it is written.
func nftFile(t testing.TB, top *topology.Topology, role string) string {
	t.Helper()
	artifacts, diags := renderNft(top, nil, target.Header{Spec: "spec.cue"})
	if len(diags) > 0 || len(artifacts) != 2 {
		t.Fatalf("%d files and %v", len(artifacts), diags)
	}
	for _, a := range artifacts {
		if a.Path == "nftables/"+role+".nft" {
			return string(a.Data)
		}
	}
	t.Fatalf("no rules for %s", role)
	return ""
}

func readNft(t testing.TB, text string) []topology.Firewall {
	t.Helper()
	top, diags := parseNft(target.Source{Path: "x.nft", Files: []target.File{{Path: "x.nft", Data: []byte(text)}}})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return top.Firewalls
}

func TestNftRoundTrip(t *testing.T) {
	for _, observe := range []bool{false, true} {
		top := nftSample(observe)
		got := &topology.Topology{Format: nftables}
		for _, role := range []string{"members", "nodes"} {
			text := nftFile(t, top, role)
			if !detectNft("-", []byte(text)) {
				t.Errorf("the rules of %s are not detected", role)
			}
			got.Firewalls = append(got.Firewalls, readNft(t, text)...)
		}
		if diff := cmp.Diff(topology.Restrict(top, nftables, Nftables.Facts), got, meaning); diff != "" {
			t.Errorf("observe %v: parsed facts differ (-spec +files):\n%s", observe, diff)
		}
	}
}

func TestNftRuleWithoutSourceIsRefused(t *testing.T) {
	top := nftSample(false)
	top.Firewalls[0].Rules[2].From = topology.Value[netip.Prefix]{}
	if _, diags := renderNft(top, nil, target.Header{}); len(diags) != 1 || diags[0].Rule != "unsupported" {
		t.Errorf("got %v", diags)
	}
}

// TestNftGuard: a chain that only sends some ports on stands before the one that decides; any other decides itself.
func TestNftGuard(t *testing.T) {
	base := func(lines ...string) string {
		return "table inet t {\nchain in {\ntype filter hook input priority 0; policy accept;\n" + strings.Join(lines, "\n") +
			"\n}\nchain own {\nip saddr 10.0.0.1 accept\ndrop\n}\nchain other {\ndrop\n}\n}\n"
	}
	for name, c := range map[string]struct {
		text, chain string
		ports       int
	}{
		"ports":                {base("tcp dport { 2379, 2380 } jump own"), "own", 2},
		"a range":              {base("tcp dport 2379-2381 jump own"), "own", 1},
		"beside VRRP":          {base("meta l4proto vrrp jump own", "tcp dport 2379 jump own"), "own", 1},
		"all TCP":              {base("meta l4proto tcp jump own"), "in", 0},
		"everything":           {base("jump own"), "in", 0},
		"nothing":              {base(), "in", 0},
		"of one source":        {base("ip saddr 10.0.0.0/8 tcp dport 2379 jump own"), "in", 0},
		"of one interface":     {base("iifname eth0 tcp dport 2379 jump own"), "in", 0},
		"two chains":           {base("tcp dport 2379 jump own", "tcp dport 2380 jump other"), "in", 0},
		"two ways":             {base("tcp dport 2379 jump own", "tcp dport 2380 jump own"), "in", 0},
		"not to come back":     {base("tcp dport 2379 goto own"), "in", 0},
		"something more":       {base("tcp dport 2379 jump own", "tcp dport 22 accept"), "in", 0},
		"a policy that drops":  {strings.Replace(base("tcp dport 2379 jump own"), "policy accept", "policy drop", 1), "in", 0},
		"a chain that is gone": {base("tcp dport 2379 jump gone"), "in", 0},
	} {
		for _, f := range readNft(t, c.text) {
			if f.Name.V != c.chain || len(f.Guarded) != c.ports {
				t.Errorf("%s: IPv%d is decided by %q for %v", name, f.Family, f.Name.V, f.Guarded)
			}
		}
	}
}

// TestNftMaps: each value of a map is a rule of its own, in both families where it holds for both; what is looked up by
// several parts may decide anything.
func TestNftMaps(t *testing.T) {
	text := func(line string) string {
		return "table inet t {\nmap m {\ntype inet_service : verdict\nelements = { 2380 : accept }\n}\nchain in {\n" +
			"type filter hook input priority 0;\n" + line + "\nip saddr 10.0.0.1 tcp dport 2379 accept\n}\nchain own {\nip saddr 10.0.1.0/24 accept\n}\n}\n"
	}
	const after = "4 accept tcp 2379 from 10.0.0.1/32\n"
	for line, want := range map[string]string{
		"tcp dport vmap { 22 : drop, 2379: accept,2380:accept }": "4 drop tcp 22 from 0.0.0.0/0\n4 accept tcp 2379 from 0.0.0.0/0\n4 accept tcp 2380 from 0.0.0.0/0\n" + after +
			"6 drop tcp 22 from ::/0\n6 accept tcp 2379 from ::/0\n6 accept tcp 2380 from ::/0\n",
		"ip saddr 10.0.2.0/24 tcp dport vmap @m":             "4 accept tcp 2380 from 10.0.2.0/24\n" + after,
		"ip saddr vmap { 10.0.1.0/25 : jump own }":           "4 accept from 10.0.1.0/25\n" + after,
		"meta protocol vmap { ip : accept, ip6 : jump own }": "4 accept from 0.0.0.0/0\n" + after,
		"iifname vmap { \"lo\" : accept, \"eth0\" : drop }":  "4 accept lo\n4 drop limited from ?\n" + after + "6 accept lo\n6 drop limited from ?\n",
		"ip saddr . tcp dport vmap { 10.0.0.9 . 22 : drop }": strings.Replace(after, "2379", "2379 limited", 1),
		"tcp dport vmap { 22 : accept, * : drop }":           strings.Replace(after, "2379", "2379 limited", 1),
		"tcp dport vmap @gone":                               strings.Replace(after, "2379", "2379 limited", 1),
	} {
		if diff := cmp.Diff(want, spell(&topology.Topology{Firewalls: readNft(t, text(line))})); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", line, diff)
		}
	}
}

// TestNftCommands: statements that add one thing each, for families and tables as a script names them.
func TestNftCommands(t *testing.T) {
	for text, want := range map[string]string{
		"add table fw\nadd chain fw in { type filter hook input priority 0; }\nadd rule ip fw in tcp dport 2379 accept": "4 accept tcp 2379 from 0.0.0.0/0\n",
		"table inet fw {\nchain in {\ntype filter hook input priority 0;\n}\n}\nadd rule inet fw in index 0 tcp dport 2379 drop": "4 drop tcp 2379 limited from ?\n" +
			"6 drop tcp 2379 limited from ?\n",
		"add table ip6 fw\nadd chain ip6 fw in { type filter hook input priority 0; policy drop; }\nadd rule ip6 fw in tcp dport 22 accept\nflush chain ip6 fw in": "6 drop from ::/0\n",
		"add table bridge fw\nadd chain bridge fw in { type filter hook input priority 0; policy drop; }":                                                          "",
		"table ip fw {\nchain before {\n}\nchain in {\ntype filter hook input priority 0;\njump before\ntcp dport 2379 accept\n}\n}\n":                             "4 accept tcp 2379 from 0.0.0.0/0\n",
		"flush chain inet fw in\nadd rule inet\nadd set inet fw\nadd chain inet fw in { }":                                                                         "",
	} {
		if diff := cmp.Diff(want, spell(&topology.Topology{Firewalls: readNft(t, text)})); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", text, diff)
		}
	}
	if !detectNft("/etc/firewall", []byte("add table inet fw\nadd chain inet fw in\n")) {
		t.Error("a file of commands is not detected")
	}
}

// loadNft writes the rules of a role and has the machine load them.
func (n *netns) loadNft(text string) {
	n.t.Helper()
	if _, err := n.command("nft", "--version").Output(); err != nil {
		missing(n.t, "nft")
	}
	file := filepath.Join(n.t.TempDir(), "own.nft")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		n.t.Fatal(err)
	}
	n.must("nft", "-c", "-f", file)
	n.must("nft", "-f", file)
}

// foreign are tables that were there before us: nft's own, and those of iptables.
const foreign = `table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		tcp dport { 22, 2379-2381 } accept comment "SSH  stays"
		ct state established,related accept
	}
}
table ip nat {
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "wan0" masquerade
	}
}
`

// TestNftBesideForeign: loading twice is loading once, other tables are left alone, and nothing stays behind.
func TestNftBesideForeign(t *testing.T) {
	m := newMachine(t)
	m.loadNft(foreign)
	m.harden()
	ruleset := func() string { return m.must("nft", "-s", "list", "ruleset") }
	before := ruleset()
	var once string
	for _, top := range []*topology.Topology{nftSample(true), nftSample(false), nftSample(false)} {
		for _, role := range []string{"members", "nodes"} {
			m.loadNft(nftFile(t, top, role))
		}
		after := ruleset()
		if rest := withoutTables(after, "inet etcd-prod", "inet etlb-prod"); rest != before {
			t.Errorf("other tables changed:\n%s", cmp.Diff(before, rest))
		}
		if once == "" || strings.Contains(once, "log prefix") {
			once = after
		} else if once != after {
			t.Errorf("loaded a second time it is another ruleset:\n%s", cmp.Diff(once, after))
		}
	}
	if strings.Contains(once, "log prefix") {
		t.Error("the rules that observe are still there")
	}
	m.must("nft", "delete", "table", "inet", "etcd-prod")
	m.must("nft", "delete", "table", "inet", "etlb-prod")
	if after := ruleset(); after != before {
		t.Errorf("something stayed:\n%s", cmp.Diff(before, after))
	}
}

// withoutTables leaves tables out of a listed ruleset.
func withoutTables(ruleset string, names ...string) string {
	for _, name := range names {
		head, rest, ok := strings.Cut(ruleset, "table "+name+" {\n")
		if !ok {
			continue
		}
		_, tail, _ := strings.Cut(rest, "\n}\n")
		ruleset = head + tail
	}
	return ruleset
}

// TestNftLoadedRulesReadBack: what nft lists means what the file means.
func TestNftLoadedRulesReadBack(t *testing.T) {
	m := newMachine(t)
	for _, observe := range []bool{false, true} {
		for _, role := range []string{"members", "nodes"} {
			text := nftFile(t, nftSample(observe), role)
			m.loadNft(text)
			want := readNft(t, text)
			got := readNft(t, m.must("nft", "list", "ruleset"))
			for i := range want {
				want[i].Role = "" // is said by the head of the file
			}
			if diff := cmp.Diff(want, got, meaning); diff != "" {
				t.Errorf("%s, observe %v: (-file +loaded):\n%s", role, observe, diff)
			}
			m.must("nft", "flush", "ruleset")
		}
	}
}
