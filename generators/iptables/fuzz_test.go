package iptables

import (
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
)

// FuzzParse: whatever the text, reading ends, and what it finds lies inside the text.
func FuzzParse(f *testing.F) {
	for _, observe := range []bool{false, true} {
		for _, a := range render(f, sample(observe)) {
			f.Add(string(a.Data))
		}
	}
	for _, seed := range []string{
		guide,
		chains(":KUBE-FIREWALL - [0:0]", `-A INPUT -m comment --comment "kubernetes health check" -j KUBE-FIREWALL`,
			"-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"),
		"*filter\n:INPUT DROP [0:0]\n:E - [0:0]\n[1:2] -A INPUT -p tcp -m multiport --dports 2379:2380,1024: -j E\n-A E -g E\nCOMMIT\n",
		chains("-A INPUT -j A", "-A A -j B", "-A B -j A", "-A B -s 10/8 -j RETURN", "-A B -j NFQUEUE"),
		"iptables -I INPUT 0 -s ! 10.0.0.1/0.0.0.255,::1%eth0 ! --dport 9:1 \\\n-j \"ACC'EPT\nip6tables -R INPUT 9 -D\n$IPT -P INPUT\n",
		"cat <<-'X' | iptables-restore <<Y\n*filter\n:\n-\n-A\nY\n`iptables -F $(\n${",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Count(text, "\n") + 1
		Detect("fuzz.sh", []byte(text))
		top, _ := Parse(target.Source{Path: "fuzz", Files: []target.File{{Path: "fuzz", Data: []byte(text)}}})
		for _, firewall := range top.Firewalls {
			for _, r := range firewall.Rules {
				if r.Verdict == "" || r.Span.Line < 1 || r.Span.EndLine < r.Span.Line || r.Span.EndLine > lines {
					t.Fatalf("rule %+v of a text of %d lines", r, lines)
				}
				if r.From.Known() && !r.From.V.IsValid() {
					t.Fatalf("rule %+v admits from an invalid prefix", r)
				}
			}
		}
	})
}
