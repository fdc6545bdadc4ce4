package iptables

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What we read in a script is what we read in the dump of a machine that ran it.
func TestScriptsMeanWhatTheyDo(t *testing.T) {
	scripts := map[string]string{
		"guide": guide,
		"inserts": `iptables -A INPUT -p tcp --dport 2379 -j DROP
iptables -I INPUT -p tcp --dport 2379 -s 10.0.0.1 -j ACCEPT
iptables -I INPUT 2 -p tcp --dport 2379:2380 -s 10.0.2.0/24,10.0.3.0/24 -j ACCEPT
iptables -R INPUT 1 -i lo -j ACCEPT
iptables -D INPUT -p tcp --dport 2379 -j DROP
iptables -A INPUT -p tcp ! --dport 22 -j REJECT --reject-with tcp-reset
iptables -D INPUT 2
`,
		"chains": `iptables -P INPUT DROP
iptables -N ETCD 2>/dev/null || iptables -F ETCD
iptables -C INPUT -p tcp -m multiport --dports 2379,2380 -j ETCD 2>/dev/null || \
	iptables -I INPUT -p tcp -m multiport --dports 2379,2380 -j ETCD
iptables -A ETCD -m state --state ESTABLISHED,RELATED -j ACCEPT
iptables -A ETCD -s 10.0.0.0/255.255.255.0 -p tcp --dport 2380 -j ACCEPT
iptables -A ETCD ! -s 10.0.9.1 -p tcp --dport 2379 -j DROP
iptables -A ETCD -s 10.0.9.1 -j RETURN
iptables -A ETCD -m limit --limit 5/min -j LOG --log-prefix "etcd: "
iptables -A ETCD -j REJECT
`,
		"variables and loops": `#!/bin/bash
PORT=2379
export PEER=2380 MEMBERS="10.0.0.1 10.0.0.2"
readonly NET='10.0.9.0/24'
OPEN="${OPEN:-no}"
IPT="iptables -w"
for m in $MEMBERS 10.0.0.$(expr 1 + 2); do :; done
for m in $MEMBERS; do
	for p in $PORT ${PEER}; do
		$IPT -A INPUT -p tcp -s "$m" --dport $p -j ACCEPT
	done
done
PORT=2381
$IPT -A INPUT -p tcp -s ${NET} --dport "$PORT" -j ACCEPT
for p in 2379 2380 2381
do
	if [ "$OPEN" = yes ]; then VERDICT=DROP; else VERDICT=DROP; fi
	$IPT -A INPUT -p tcp --dport $p -j DROP
done
`,
		"both families": `for port in 2379; do
	ip6tables -A INPUT -p tcp --dport 2379 -s fd00::1/64 -j ACCEPT
	/usr/sbin/iptables --append INPUT --protocol tcp --destination-port=2379 --in-interface eth0 --jump DROP
done
ip6tables-restore --noflush <<'EOF'
*filter
:E - [0:0]
:F - [0:0]
-A E -p ipv6-icmp -j ACCEPT
-A E -m conntrack --ctstate NEW -p tcp -m tcp --dport 2380 -g F
-A F -j DROP
-A INPUT -j E
COMMIT
EOF
`,
	}
	for name, text := range scripts {
		t.Run(name, func(t *testing.T) {
			n := newNetns(t)
			file := filepath.Join(t.TempDir(), "firewall.sh")
			if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
			n.must("sh", file)
			script := spell(parse(t, "firewall.sh", text))
			dump := spell(parse(t, "dump", n.must("iptables-save")+n.must("ip6tables-save")))
			if diff := cmp.Diff(dump, script); diff != "" || script == "" {
				t.Errorf("(-dump +script)\n%s", diff)
			}
		})
	}
}

// The rules we write mean on a machine what they mean in the file, for the ports that the jump lets in.
func TestLoadedRulesReadBack(t *testing.T) {
	m := newMachine(t)
	script := install(t, sample(false), "members")
	m.ok(script, "apply")
	file := filepath.Join(filepath.Dir(script), "v4.restore")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := parse(t, file, string(data)).Firewalls[0].Rules
	got := parse(t, "dump", m.must("iptables-save")).Firewalls[0].Rules
	if len(got) != len(want) {
		t.Fatalf("%d rules loaded, %d in the file", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		w.Protocol = "tcp"
		if w.Ports == nil {
			w.Ports = sample(false).Firewalls[0].Guarded
		}
		if diff := cmp.Diff(w, g, meaning); diff != "" {
			t.Errorf("rule %d differs (-file +loaded):\n%s", i, diff)
		}
	}
}
