package iptables

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// spell writes the firewalls of a topology as short lines: "4 accept tcp 2379 from 10.0.0.0/8".
func spell(t *topology.Topology) string {
	var b strings.Builder
	for _, f := range t.Firewalls {
		for _, r := range f.Rules {
			fmt.Fprintf(&b, "%d %s", f.Family, r.Verdict)
			if r.Protocol != "" {
				b.WriteString(" " + r.Protocol)
			}
			if len(r.Ports) > 0 {
				b.WriteString(" " + ports(r.Ports))
			}
			for _, flag := range []struct {
				word string
				is   bool
			}{{" lo", r.Loopback}, {" established", r.Established}, {" fresh", r.Fresh}, {" limited", r.Limited}} {
				if flag.is {
					b.WriteString(flag.word)
				}
			}
			switch {
			case r.From.Known():
				b.WriteString(" from " + r.From.V.String())
			case r.FromName.Known():
				b.WriteString(" from " + r.FromName.V)
			case !r.Loopback && !r.Established:
				b.WriteString(" from ?")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// reads compares what a file says with short lines.
func reads(t *testing.T, path, text string, want ...string) {
	t.Helper()
	lines := strings.Join(want, "\n")
	if len(want) > 0 {
		lines += "\n"
	}
	if diff := cmp.Diff(lines, spell(parse(t, path, text))); diff != "" {
		t.Errorf("(-want +got)\n%s\nof\n%s", diff, text)
	}
}

// The guide's rules: what they admit, in their order.
const guide = `# Firewall example (only allow LB to access etcd)
iptables -A INPUT -p tcp --dport 2379 -s 10.0.1.100 -j ACCEPT  # LB
iptables -A INPUT -p tcp --dport 2379 -j DROP  # Block all others

# Port 2380 (peer) should only allow other etcd nodes
iptables -A INPUT -p tcp --dport 2380 -s 10.0.1.0/24 -j ACCEPT  # etcd subnet
iptables -A INPUT -p tcp --dport 2380 -j DROP
`

// What a rule matches may stand before the command, too.
func TestMatchesFirst(t *testing.T) {
	reads(t, "firewall.sh", `iptables -i lo -I INPUT -p tcp --dport 2379 -j ACCEPT
iptables -t filter -s 10.0.2.0/24 -A INPUT -p tcp --dport 2379 -j ACCEPT
iptables -p tcp -A INPUT --dport 2379 -j DROP
`, "4 accept tcp 2379 lo", "4 accept tcp 2379 from 10.0.2.0/24", "4 drop tcp 2379 from 0.0.0.0/0")
}

func TestGuide(t *testing.T) {
	reads(t, "firewall.sh", guide,
		"4 accept tcp 2379 from 10.0.1.100/32", "4 drop tcp 2379 from 0.0.0.0/0",
		"4 accept tcp 2380 from 10.0.1.0/24", "4 drop tcp 2380 from 0.0.0.0/0")
}

func TestMatches(t *testing.T) {
	for rule, want := range map[string]string{
		"-p tcp --dport 2379 -j ACCEPT":                                     "accept tcp 2379 from 0.0.0.0/0",
		"-p 6 --dport etcd-client -j ACCEPT":                                "accept tcp 2379 from 0.0.0.0/0",
		"-p tcp -m tcp --dport 2379:2380 -j ACCEPT":                         "accept tcp 2379:2380 from 0.0.0.0/0",
		"-p tcp --destination-port=2379 --source=10.0.0.1 --jump ACCEPT":    "accept tcp 2379 from 10.0.0.1/32",
		"-p tcp -m multiport --dports 2381,2379:2380 -j ACCEPT":             "accept tcp 2379:2380,2381 from 0.0.0.0/0",
		"-p tcp ! --dport 2379:2380 -j DROP":                                "drop tcp 0:2378,2381:65535 from 0.0.0.0/0",
		"-p tcp --dport ! 22 -j DROP":                                       "drop tcp 0:21,23:65535 from 0.0.0.0/0",
		"-p tcp -s 10.0.1.5/24 -j ACCEPT":                                   "accept tcp from 10.0.1.0/24",
		"-p tcp -s 10.0.1.5/255.255.255.0 -j ACCEPT":                        "accept tcp from 10.0.1.0/24",
		"-p tcp -s 10.0.1.5/255.0.255.0 -j ACCEPT":                          "accept tcp from ?",
		"-s 10/8 -j ACCEPT":                                                 "accept from 10.0.0.0/8",
		"-s 0/0 -j ACCEPT":                                                  "accept from 0.0.0.0/0",
		"-s lb.example.com -p tcp --dport 2380 -j ACCEPT":                   "accept tcp 2380 from lb.example.com",
		"-s LB_IP -p tcp --dport 2380 -j ACCEPT":                            "accept tcp 2380 from ?",
		"-s $LB -p tcp --dport 2380 -j ACCEPT":                              "accept tcp 2380 from ?",
		`-s "${NODES[0]}" -p tcp --dport 2380 -j ACCEPT`:                    "accept tcp 2380 from ?",
		"-s $(dig +short lb) -p tcp --dport 2380 -j ACCEPT":                 "accept tcp 2380 from ?",
		"-s q_zq_zq_ -p tcp --dport 2380 -j ACCEPT":                         "accept tcp 2380 from ?",
		"-s 10.0.0.1 -p tcp --dport $PORT -j ACCEPT":                        "accept tcp limited from ?",
		"-s 10.0.0.1 -p tcp --dport {{ -j ACCEPT":                           "accept tcp limited from ?",
		"! -s 10.0.0.1 -p tcp --dport 2379 -j DROP":                         "drop tcp 2379 limited from ?",
		"-p tcp -s ! 10.0.0.1 --dport 2379 -j DROP":                         "drop tcp 2379 limited from ?",
		"-i lo -j ACCEPT":                                                   "accept lo",
		"! -i lo -p tcp --dport 2379 -j DROP":                               "drop tcp 2379 limited from ?",
		"-i eth0 -p tcp --dport 2379 -j DROP":                               "drop tcp 2379 limited from ?",
		"-i eth0 -s 10.0.0.1 -p tcp --dport 2379 -j ACCEPT":                 "accept tcp 2379 limited from 10.0.0.1/32",
		"-d 10.0.1.10 -p tcp --dport 2379 -j ACCEPT":                        "accept tcp 2379 limited from ?",
		"-m set --match-set members src -p tcp --dport 2380 -j ACCEPT":      "accept tcp 2380 limited from ?",
		"-m state --state ESTABLISHED,RELATED -j ACCEPT":                    "accept established",
		"-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT":              "accept established",
		"-m state --state NEW -m tcp -p tcp --dport 2379 -j ACCEPT":         "accept tcp 2379 fresh from 0.0.0.0/0",
		"-p tcp --dport 2379 -m state --state NEW,ESTABLISHED -j ACCEPT":    "accept tcp 2379 from 0.0.0.0/0",
		"-p tcp -m multiport --ports 2379,2380 -j ACCEPT":                   "accept tcp 2379,2380 from 0.0.0.0/0",
		"-p tcp -m multiport ! --ports 2379 -j DROP":                        "drop tcp limited from ?",
		"-m conntrack --ctstate INVALID -j DROP":                            "drop limited from ?",
		"-m conntrack ! --ctstate ESTABLISHED -j DROP":                      "drop limited from ?",
		"-p tcp --syn ! -s 10.0.0.1 --dport 2379 -j DROP":                   "drop tcp 2379 limited from ?",
		`-p tcp --dport 2379 -m comment --comment "- -j DROP #1" -j ACCEPT`: "accept tcp 2379 from 0.0.0.0/0",
		"-p udp --dport 53 -j ACCEPT":                                       "accept udp 53 from 0.0.0.0/0",
		"! -p tcp -j ACCEPT":                                                "accept !tcp from 0.0.0.0/0",
		"-p vrrp -j ACCEPT":                                                 "accept vrrp from 0.0.0.0/0",
		"-p tcp -m limit --limit 5/min -j LOG --log-prefix 'a b '":          "log tcp limited from ?",
		"-p tcp --dport 2379 -j REJECT --reject-with tcp-reset":             "reject tcp 2379 from 0.0.0.0/0",
		"-p tcp --dport 2379 -j DROP 2>/dev/null":                           "drop tcp 2379 from 0.0.0.0/0",
		"-ptcp -s10.0.0.1 -jACCEPT":                                         "accept tcp from 10.0.0.1/32",
		"-s 10.0.0.1,10.0.0.2 -p tcp -j ACCEPT":                             "accept tcp from 10.0.0.1/32\n4 accept tcp from 10.0.0.2/32",
		"-p tcp --dport 2379 \\\n  -s 10.0.0.1 \\\n  -j ACCEPT":             "accept tcp 2379 from 10.0.0.1/32",
	} {
		reads(t, "firewall.sh", "iptables -A INPUT "+rule+"\n", "4 "+want)
	}
}

func TestScripts(t *testing.T) {
	const drop, ok = "4 drop tcp 2379 from 0.0.0.0/0", "4 accept tcp 2379 from 10.0.0.1/32"
	const dropping, accepting = " INPUT -p tcp --dport 2379 -j DROP\n", " INPUT -p tcp --dport 2379 -s 10.0.0.1 -j ACCEPT\n"
	for script, want := range map[string][]string{
		"iptables -A" + dropping + "iptables -I" + accepting:                                  {ok, drop},
		"iptables -A" + dropping + "iptables -I INPUT 2 -p tcp -j ACCEPT":                     {drop, "4 accept tcp from 0.0.0.0/0"},
		"iptables -A" + dropping + "iptables -D" + dropping + "iptables -A" + accepting:       {ok},
		"iptables -A" + dropping + "iptables -A" + accepting + "iptables -D INPUT 1":          {ok},
		"iptables -A" + dropping + "iptables -R INPUT 1 -i lo -j ACCEPT":                      {"4 accept lo"},
		"iptables -A" + dropping + "iptables -F\niptables -A" + accepting:                     {ok},
		"iptables -A" + dropping + "iptables -F INPUT":                                        nil,
		"iptables -P INPUT DROP\niptables -A" + accepting:                                     {ok, "4 drop from 0.0.0.0/0"},
		"iptables -P INPUT ACCEPT\niptables -A" + accepting:                                   {ok},
		"iptables -t nat -A" + dropping + "iptables -A INPUT -t mangle -j DROP":               nil,
		"iptables -A FORWARD -j DROP\niptables -I DOCKER-USER -j DROP":                        nil,
		"iptables -C" + accepting + "iptables -L INPUT -n\niptables -S":                       nil,
		"sudo /sbin/iptables -w 5 -A" + accepting:                                             {ok},
		"sudo -n -u root iptables -A" + accepting:                                             {ok},
		"$SUDO iptables -A" + accepting + "${SUDO} ip netns exec x iptables -F":               {ok},
		"if ! iptables -C INPUT -j X 2>/dev/null; then iptables -I" + accepting + "fi":        {ok},
		"iptables -D" + dropping + "iptables -C INPUT -j Y || iptables -A" + accepting:        {ok},
		"$IPT -A" + dropping + "${IP6TABLES} -A INPUT -s ::1 -j ACCEPT":                       {drop, "6 accept from ::1/128"},
		"echo iptables -A" + dropping + "# iptables -A" + dropping:                            nil,
		"cat <<EOF\nit's\niptables -A" + dropping + "EOF\niptables -A" + accepting:            {ok},
		"iptables-restore <<-'END'\n*filter\n-A" + dropping + "COMMIT\nEND\n":                 {drop},
		"ip6tables-restore << END\n*filter\n-A INPUT -j DROP\nCOMMIT\nEND\n":                  {"6 drop from ::/0"},
		"for i in 1 2; do iptables -A INPUT -s 10.0.0.$i -j ACCEPT; done":                     {"4 accept from 10.0.0.1/32", "4 accept from 10.0.0.2/32"},
		"for i in $(seq 2); do iptables -A INPUT -s 10.0.0.$i -j ACCEPT; done":                {"4 accept from ?"},
		"for i in 1 2; do iptables -A INPUT -s 10.0.0.$i -j ACCEPT":                           {"4 accept from ?"},
		"for i in 1; do for i in 2; do :; done; iptables -A INPUT -s 10.0.0.$i -j DROP; done": {"4 drop from ?"},
		"X=10.0.0.1\niptables -A INPUT -p tcp --dport 2379 -s $X -j ACCEPT":                   {ok},
		"X='10.0.0.1'; iptables -A INPUT -p tcp --dport 2379 -s '$X' -j ACCEPT":               {"4 accept tcp 2379 from ?"},
		"X=10.0.0.1 Y=$X; iptables -A INPUT -p tcp --dport 2379 -s \"${Y}\" -j ACCEPT":        {ok},
		"iptables -A INPUT -p tcp --dport ${P:-2379} -s ${X-10.0.0.1} -j ACCEPT":              {ok},
		"X=$1; iptables -A INPUT -s $X -j ACCEPT":                                             {"4 accept from ?"},
		"X=1; if a; then X=2; fi; iptables -A INPUT -s 10.0.0.$X -j ACCEPT":                   {"4 accept from ?"},
		"X=1; a && X=2\niptables -A INPUT -s 10.0.0.$X -j ACCEPT":                             {"4 accept from ?"},
		"X=1; X=2; iptables -A INPUT -s 10.0.0.$X -j ACCEPT":                                  {"4 accept from 10.0.0.2/32"},
		"X=1; X+=2; iptables -A INPUT -s 10.0.0.$X -j ACCEPT":                                 {"4 accept from ?"},
		"cat > rules.v4 <<EOF\n# x\n*filter\n-A" + dropping + "COMMIT\nEOF\n":                 {drop},
		"cat > /etc/iptables/rules.v6 <<EOF\n*filter\n-A INPUT -j DROP\nCOMMIT\nEOF\n":        {"6 drop from ::/0"},
		"iptables -N E\niptables -A INPUT -j E\niptables -A E -p tcp -j DROP":                 {"4 drop tcp from 0.0.0.0/0"},
	} {
		reads(t, "firewall.sh", script, want...)
	}
}

// chains puts rules into a dump.
func chains(lines ...string) string {
	return "*filter\n:INPUT ACCEPT [0:0]\n" + strings.Join(lines, "\n") + "\nCOMMIT\n"
}

func TestJumps(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  []string
	}{
		{
			"the jump restricts",
			[]string{":E - [0:0]", "-A INPUT -s 10.0.0.0/8 -p tcp -j E", "-A E -p tcp --dport 2379 -j ACCEPT", "-A E -p udp -j ACCEPT"},
			[]string{"4 accept tcp 2379 from 10.0.0.0/8"},
		},
		{
			"the narrower of both",
			[]string{"-A INPUT -s 10.0.0.0/8 -p tcp --dport 2379:2380 -j E", "-A E -s 10.1.0.0/16 -p tcp --dport 2380:2381 -j ACCEPT", "-A E -s 11.0.0.1 -j ACCEPT"},
			[]string{"4 accept tcp 2380 from 10.1.0.0/16"},
		},
		{
			"rules go on behind the jump",
			[]string{"-A INPUT -j E", "-A INPUT -p tcp -j DROP", "-A E -i lo -j ACCEPT"},
			[]string{"4 accept lo", "4 drop tcp from 0.0.0.0/0"},
		},
		{
			"return ends the chain",
			[]string{"-A INPUT -j E", "-A E -j RETURN", "-A E -j DROP"},
			nil,
		},
		{
			"return of some makes the rest doubtful",
			[]string{"-A INPUT -j E", "-A E -s 10.0.0.0/8 -p tcp -j RETURN", "-A E -p tcp -j DROP", "-A E -s 11.0.0.1 -j ACCEPT"},
			[]string{"4 drop tcp limited from ?", "4 accept from 11.0.0.1/32"},
		},
		{
			"goto does not come back",
			[]string{"-A INPUT -j E", "-A E -g F", "-A E -j DROP", "-A F -i lo -j ACCEPT"},
			[]string{"4 accept lo"},
		},
		{
			"an unknown chain makes what it meets doubtful",
			[]string{"-A INPUT -p tcp --dport 22 -j f2b", "-A INPUT -p tcp --dport 2379 -j ACCEPT", "-A INPUT -p tcp -j ACCEPT"},
			[]string{"4 accept tcp 2379 from 0.0.0.0/0", "4 accept tcp limited from ?"},
		},
		{
			"a cycle is unknown",
			[]string{"-A INPUT -j E", "-A E -j F", "-A F -j E", "-A F -j DROP"},
			[]string{"4 drop limited from ?"},
		},
		{
			"marks decide nothing",
			[]string{"-A INPUT -j MARK --set-xmark 0x1/0x1", "-A INPUT -m comment --comment x", "-A INPUT -p tcp -j DROP"},
			[]string{"4 drop tcp from 0.0.0.0/0"},
		},
		{
			"a limited jump keeps a stated source",
			[]string{"-A INPUT -i eth0 -j E", "-A E -s 10.0.0.1 -p tcp -j ACCEPT"},
			[]string{"4 accept tcp limited from 10.0.0.1/32"},
		},
	} {
		t.Run(c.name, func(t *testing.T) { reads(t, "dump", chains(c.lines...), c.want...) })
	}
}

func TestFamilies(t *testing.T) {
	const rule = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -j DROP\nCOMMIT\n"
	for path, want := range map[string]string{"rules.v4": "4", "rules.v6": "6", "ip6tables.save": "6", "dump.txt": "4"} {
		reads(t, path, rule, want+" drop tcp from "+map[string]string{"4": "0.0.0.0/0", "6": "::/0"}[want])
	}
	reads(t, "dump", "# Generated by ip6tables-save v1.8.9\n"+rule, "6 drop tcp from ::/0")
	reads(t, "dump", "*filter\n-A INPUT -s fd00::/8 -j ACCEPT\n-A INPUT -j REJECT\n", "6 accept from fd00::/8", "6 reject from ::/0")
	reads(t, "both", "# Generated by iptables-save\n"+rule+"# Generated by ip6tables-save\n"+rule,
		"4 drop tcp from 0.0.0.0/0", "6 drop tcp from ::/0")
	reads(t, "counted", "*filter\n:INPUT DROP [1:2]\n[3:4] -A INPUT -i lo -j ACCEPT\n", "4 accept lo", "4 drop from 0.0.0.0/0")
}

// What a file for --noflush holds without INPUT is one chain; several could be for anything. Rules of INPUT may accept
// before it.
func TestFileOfOneChain(t *testing.T) {
	reads(t, "x.restore", "*filter\n:E - [0:0]\n-A E -p tcp -j F\n:F - [0:0]\n-A F -j DROP\nCOMMIT\n",
		"4 accept limited from ?", "4 drop tcp from 0.0.0.0/0")
	reads(t, "before.rules", "*filter\n:ufw-before-input - [0:0]\n:ufw-before-output - [0:0]\n-A ufw-before-output -j ACCEPT\nCOMMIT\n")
}

func TestSpans(t *testing.T) {
	text := "# é\n  iptables -A INPUT -p tcp \\\n    -s 10.0.0.1 -j ACCEPT # é\n"
	r := parse(t, "fw.sh", text).Firewalls[0].Rules[0]
	if s := r.Span; s.Line != 2 || s.Col != 12 || s.EndLine != 3 || s.EndCol != 26 {
		t.Errorf("the rule is at %+v", s)
	}
	if s := r.From.Span; s.File != "fw.sh" || s.Line != 3 || s.Col != 8 || s.EndCol != 16 {
		t.Errorf("the source is at %+v", s)
	}
}

func TestHostNamesTheMachine(t *testing.T) {
	top, _ := Parse(target.Source{Path: "dump", Host: "etcd-1", Files: []target.File{{Path: "dump", Data: []byte(chains("-A INPUT -j DROP"))}}})
	if f := top.Firewalls[0]; f.Role != "etcd-1" || f.Name.V != "INPUT" || f.Observe.V {
		t.Errorf("got role %q, name %q, observe %v", f.Role, f.Name.V, f.Observe.V)
	}
}

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		path, head string
		want       bool
	}{
		{"dump", "# Generated by iptables-save v1.8.9\n*nat\n", true},
		{"etc/iptables/rules.v4", "*filter\n:INPUT DROP [0:0]\n", true},
		{"firewall.sh", guide, true},
		{"firewall", "#!/bin/bash\nset -e\n$IPTABLES -A INPUT -j DROP\n", true},
		{"README.md", guide, false},
		{"deploy.sh", "#!/bin/sh\n# iptables -A INPUT\necho hello\n", false},
		{"haproxy.cfg", "global\n  maxconn 100\n", false},
		{"notes.txt", "we use iptables -A INPUT\n", false},
	} {
		if got := Detect(c.path, []byte(c.head)); got != c.want {
			t.Errorf("%s is detected: %v, want %v", c.path, got, c.want)
		}
	}
}

// A Kubernetes node holds thousands of chains; one that is made to explode must not.
func TestLargeDumps(t *testing.T) {
	var kube, bomb strings.Builder
	kube.WriteString("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j cali-INPUT\n-A INPUT -p tcp --dport 2380 -s 10.0.0.1 -j ACCEPT\n-A cali-INPUT -i cali+ -j cali-wl\n")
	for i := range 5000 {
		fmt.Fprintf(&kube, ":cali-fw-%d - [0:0]\n-A cali-wl -i cali%d -g cali-fw-%d\n-A cali-fw-%d -m mark --mark 0x1/0x1 -j RETURN\n-A cali-fw-%d -j DROP\n", i, i, i, i, i)
	}
	bomb.WriteString("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j c0\n")
	for i := range 60 {
		fmt.Fprintf(&bomb, "-A c%d -j c%d\n-A c%d -j c%d\n-A c%d -p tcp -j ACCEPT\n", i, i+1, i, i+1, i)
	}
	f := parse(t, "kube", kube.String()).Firewalls[0]
	if last := f.Rules[len(f.Rules)-1]; len(f.Rules) != 5001 || last.Limited || last.From.V.String() != "10.0.0.1/32" {
		t.Errorf("%d rules, the last %+v", len(f.Rules), last)
	}
	inserts := "*filter\n:INPUT DROP [0:0]\n" + strings.Repeat("-I INPUT -s 10.0.0.1 -p tcp -j DROP\n", 12_000)
	for name, text := range map[string]string{"bomb": bomb.String(), "inserts": inserts} {
		for _, r := range parse(t, name, text).Firewalls[0].Rules {
			if !r.Limited {
				t.Fatalf("%s: a rule of a table that was not followed to its end is taken for certain", name)
			}
		}
	}
}
