package iptables

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// rulesets are texts for nft: those of the golden cases, and what these lack.
func rulesets(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{
		"sets and jumps": `flush ruleset
define FIRST = 10.0.1.10
define PEERS = {
	$FIRST, 10.0.1.11,
	10.0.1.12
}
define ETCD = 2379
table inet filter {
	set clients {
		type ipv4_addr
		flags interval
		elements = { 10.0.2.0/24, 10.0.3.7 }
	}
	chain input {
		type filter hook input priority 0; policy drop;
		iif "lo" accept
		ct state established,related accept
		ct state vmap { invalid : drop }
		meta l4proto icmpv6 accept
		tcp dport { $ETCD, 2380 } jump etcd
		tcp dport 22 accept comment "ssh: 2379"
	}
	chain etcd {
		ip saddr { $PEERS, 10.0.1.13 } tcp dport 2380 accept
		ip saddr $PEERS tcp dport $ETCD accept
		ip saddr @clients tcp dport 2379 counter accept
		ip6 saddr fd00::/64 tcp dport 2379-2380 accept
		tcp dport 2379 log prefix "etcd " reject with tcp reset
		return
	}
}
`,
		"maps": `table inet filter {
	map ports {
		type inet_service : verdict
		elements = { 2379 : accept, 2380 : jump etcd }
	}
	chain input {
		type filter hook input priority 0; policy drop;
		ct state vmap { established : accept, related : accept, invalid : drop }
		iifname vmap { "lo" : accept }
		meta protocol vmap { ip : jump four, ip6 : jump six }
		ip saddr 10.9.0.0/16 tcp dport vmap @ports
	}
	chain four {
		ip protocol vmap { icmp : accept, tcp : jump etcd }
	}
	chain six {
		tcp dport vmap { 22 : accept, 2379 : accept, 2380 : drop }
	}
	chain etcd {
		ip saddr 10.0.1.0/24 tcp dport 2380 accept
	}
}
`,
		"commands": `add table inet fw
add chain inet fw in { type filter hook input priority 0 ; policy drop ; }
add chain inet fw etcd
add chain inet fw before
add rule inet fw in jump before
add set inet fw lbs { type ipv4_addr ; elements = { 10.0.1.21 } ; }
add element inet fw lbs { 10.0.1.22 }
add rule inet fw in tcp dport { 2379, 2380 } jump etcd
insert rule inet fw in ct state established,related accept
insert rule inet fw in iif "lo" accept
add rule inet fw etcd ip saddr @lbs tcp dport 2379 accept
add rule inet fw etcd tcp dport 2379 ct state new drop
`,
		"two families": `table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy accept;
		iifname "lo" accept
		ip saddr 10.0.1.0/24 ip protocol tcp tcp dport 2379 accept
		tcp dport 2379 drop
	}
}
table ip6 filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
		ip6 saddr { fd00::1, fd00::2 } tcp dport 2379 accept
	}
}
`,
		"a control plane": `table inet filter {
	chain input {
		type filter hook input priority 0; policy drop;
		ip saddr 127.0.0.0/8 counter drop
		tcp dport { 6443, 2379-2380, 10250 } accept
	}
	chain forward { type filter hook forward priority 0; policy drop; }
}
`,
	}
	cases, err := filepath.Glob("../../golden/lint/*/*nft*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no golden cases of nft: %v", err)
	}
	for _, path := range cases {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if f.Name != "want" && detectNft(f.Name, f.Data) {
				out[filepath.Base(filepath.Dir(path))+" "+filepath.Base(path)+" "+f.Name] = string(f.Data)
			}
		}
	}
	return out
}

// What we read in a ruleset is what we read in the listing of a machine that loaded it.
func TestRulesetsMeanWhatTheyDo(t *testing.T) {
	if _, err := exec.LookPath("nft"); err != nil {
		missing(t, "nft")
	}
	for name, text := range rulesets(t) {
		t.Run(name, func(t *testing.T) {
			n := newNetns(t)
			file := filepath.Join(t.TempDir(), "rules.nft")
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			n.must("nft", "-c", "-f", file)
			n.must("nft", "-f", file)
			written, listed := spell(nft(t, text)), spell(nft(t, n.must("nft", "list", "ruleset")))
			if diff := cmp.Diff(listed, written); diff != "" || written == "" {
				t.Errorf("(-listed +written)\n%s", diff)
			}
		})
	}
}

func nft(t *testing.T, text string) *topology.Topology {
	t.Helper()
	top, diags := parseNft(target.Source{Path: "rules.nft", Files: []target.File{{Path: "rules.nft", Data: []byte(text)}}})
	if len(diags) > 0 {
		t.Fatalf("unexpected diagnostics: %v", diags)
	}
	return top
}
