package keepalived

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// sample says everything that is read. keepalived itself accepts it, see TestOracle.
const sample = `! the load balancer of etcd
global_defs {
    router_id lb-1
    enable_script_security
    script_user nobody
}
vrrp_script alive
{
    script "/usr/bin/test ! -e /run/maintenance" # not a comment: !
    interval 2
}
vrrp_instance VI_1 {
    state MASTER
    interface eth0            ! the public one
    virtual_router_id 77
    priority 101
    unicast_src_ip 10.0.1.4
    unicast_peer {
        10.0.1.5
        10.0.1.6
    }
    authentication {
        auth_type PASS
        auth_pass "s e#1"
    }
    virtual_ipaddress {
        10.0.1.100/24 dev eth0 label eth0:0
        10.0.1.101
    }
    virtual_ipaddress_excluded { 2001:db8::100/64 }
    track_script { alive }
}
vrrp_instance VI_2 { interface eth0
    virtual_router_id 78
    virtual_ipaddress { 10.0.1.102 }
}
`

func parsed(t testing.TB, text string) []topology.VRRP {
	t.Helper()
	top, diags := parse(target.Source{Path: "k", Files: []target.File{{Path: "k", Data: []byte(text)}}})
	if len(diags) > 0 {
		t.Errorf("complaints: %v", diags)
	}
	return top.VRRP
}

func at(line, col, width int) diag.Span { return diag.At("k", line, col, width) }

func TestParse(t *testing.T) {
	prefix := func(s string, line, col int) topology.Value[netip.Prefix] {
		return topology.SetAt(netip.MustParsePrefix(s), at(line, col, len(strings.TrimSuffix(s, "/32"))))
	}
	addr := func(s string, line, col, width int) topology.Value[netip.Addr] {
		return topology.SetAt(netip.MustParseAddr(s), at(line, col, width))
	}
	second := at(33, 1, 18)
	want := []topology.VRRP{{
		Name:      topology.SetAt("VI_1", at(12, 15, 4)),
		Interface: topology.SetAt("eth0", at(14, 15, 4)),
		State:     topology.SetAt("MASTER", at(13, 11, 6)),
		RouterID:  topology.SetAt(77, at(15, 23, 2)),
		Priority:  topology.SetAt(101, at(16, 14, 3)),
		NoPreempt: topology.DefaultAt(false, at(12, 1, 18)),
		Unicast:   topology.SetAt(true, at(18, 5, 12)),
		Source:    addr("10.0.1.4", 17, 20, 8),
		Peers:     []topology.Value[netip.Addr]{addr("10.0.1.5", 19, 9, 8), addr("10.0.1.6", 20, 9, 8)},
		Password:  topology.SetAt("s e#1", at(24, 19, 7)),
		Addresses: []topology.Value[netip.Prefix]{
			prefix("10.0.1.100/24", 27, 9), prefix("10.0.1.101/32", 28, 9), prefix("2001:db8::100/64", 30, 34),
		},
		Check: topology.VRRPCheck{
			URL:      topology.UnknownAt[string](at(9, 12, 37)),
			Interval: topology.SetAt(2*time.Second, at(10, 14, 1)),
			Span:     at(31, 5, 12),
		},
		Span: at(12, 1, 18),
	}, {
		Name:      topology.SetAt("VI_2", at(33, 15, 4)),
		Interface: topology.SetAt("eth0", at(33, 32, 4)),
		State:     topology.DefaultAt("BACKUP", second),
		RouterID:  topology.SetAt(78, at(34, 23, 2)),
		Priority:  topology.DefaultAt(100, second),
		NoPreempt: topology.DefaultAt(false, second),
		Unicast:   topology.DefaultAt(false, second),
		Password:  topology.DefaultAt("", second),
		Addresses: []topology.Value[netip.Prefix]{prefix("10.0.1.102/32", 35, 25)},
		Span:      second,
	}}
	same := cmp.Options{cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })}
	if d := cmp.Diff(want, parsed(t, sample), same); d != "" {
		t.Error(d)
	}
}

// What only a run resolves is unknown, and so is a default that it may replace.
func TestUnknown(t *testing.T) {
	for name, tc := range map[string]struct {
		lines string
		known string // the facts that still are
	}{
		"nothing":            {"", "state priority unicast password"},
		"placeholders":       {"priority q_zq\nvirtual_router_id 5q_z\nunicast_peer {\nq_zq\n}", "state unicast password"},
		"parameters":         {"priority $PRIORITY\nstate ${STATE}\n", "unicast password"},
		"a block elsewhere":  {"$UNICAST\npriority 7", "priority"},
		"an include":         {"includer unicast.conf\nstate MASTER", "state"},
		"for one machine":    {"@lb-1 priority 101\n@^lb-1 unicast_src_ip 10.0.0.1\n@lb-1 garp_master_delay 1", "state unicast password"},
		"branches":           {"priority 101\npriority 100\nstate BACKUP\nstate BACKUP", "state unicast password"},
		"branches, a hole":   {"priority q_zq\npriority 100", "state unicast password"},
		"no number":          {"priority 300\nvirtual_router_id 0", "state unicast password"},
		"no peer":            {"unicast_peer {\n # 10.0.0.2\n}", "state priority password"},
		"a password is made": {"authentication {\nauth_type PASS\nauth_pass q_zq_z\n}", "state priority unicast"},
		"a definition":       {"$P=100 \\\n priority 7\n", "state priority unicast password"},
		"a loop":             {"~SEQ(x, 1, 2) track_interface eth$x", ""},
	} {
		got := parsed(t, "vrrp_instance a {\n"+tc.lines+"\n}")
		if len(got) != 1 {
			t.Fatalf("%s: %d instances", name, len(got))
		}
		v, known := got[0], []string{}
		for _, fact := range []struct {
			name  string
			known bool
		}{
			{"router", v.RouterID.Known()},
			{"state", v.State.Known()},
			{"priority", v.Priority.Known()},
			{"unicast", v.Unicast.Known()},
			{"source", v.Source.Known()},
			{"password", v.Password.Known()},
		} {
			if fact.known {
				known = append(known, fact.name)
			}
		}
		if s := strings.Join(known, " "); s != tc.known {
			t.Errorf("%s: known are %q, want %q", name, s, tc.known)
		}
	}
	if got := parsed(t, "@lb-1 vrrp_instance a {\npriority 1\n}\n"); len(got) != 0 {
		t.Errorf("an instance that one machine has reads as %+v", got)
	}
}

// A brace too few loses no more than its own block.
func TestBraces(t *testing.T) {
	for name, text := range map[string]string{
		"not closed": "vrrp_instance a {\nvirtual_ipaddress {\n10.0.0.1\nvrrp_instance b {\npriority 7\n}\n",
		"one more":   "vrrp_instance a {\npriority 8\n}\n}\n}\nvrrp_instance b\n{\npriority 7\n}\n",
		"no section": "{\npriority 9\n}\nvrrp_instance a { priority 8 }\nvrrp_instance b { priority 7 }",
		"CRLF":       "vrrp_instance a {\r\npriority 8\r\n}\r\nvrrp_instance b\r\n{\r\npriority 7\r\n}\r\n",
	} {
		got := parsed(t, text)
		if len(got) != 2 || got[1].Name.V != "b" || got[1].Priority.V != 7 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestCheck: what decides whether a machine may have the addresses, where that is one question to one proxy.
func TestCheck(t *testing.T) {
	const script = "vrrp_script a {\nscript \"/usr/bin/curl -f http://127.0.0.1:8405/healthz\"\ninterval 1\ntimeout 3\nfall 2\nrise 4\n}\n"
	read := func(text string) topology.VRRPCheck { return parsed(t, text)[0].Check }
	got := read("vrrp_instance i {\ntrack_script {\na\n}\n}\n" + script)
	if got.URL.V != "http://127.0.0.1:8405/healthz" || got.Interval.V != time.Second || got.Timeout.V != 3*time.Second ||
		got.Fall.V != 2 || got.Rise.V != 4 {
		t.Errorf("got %+v", got)
	}
	for name, text := range map[string]string{
		"none is named":           "vrrp_instance i {\n}\n" + script,
		"another one":             "vrrp_instance i {\ntrack_script {\nb\n}\n}\n" + script,
		"two":                     "vrrp_instance i {\ntrack_script {\na\nb\n}\n}\n" + script,
		"with a weight":           "vrrp_instance i {\ntrack_script {\na weight 5\n}\n}\n" + script,
		"of one machine":          "vrrp_instance i {\ntrack_script {\n@m a\n}\n}\n" + script,
		"by a placeholder":        "vrrp_instance i {\ntrack_script {\nq_z\n}\n}\n" + script,
		"a program of one's own":  "vrrp_instance i {\ntrack_script {\na\n}\n}\nvrrp_script a {\nscript \"/opt/check http://x\"\n}\n",
		"a program without words": "vrrp_instance i {\ntrack_script {\na\n}\n}\nvrrp_script a {\nscript /usr/bin/curl\ninterval -1\nfall x\n}\n",
	} {
		if c := read(text); c.URL.Known() || c.Interval.Known() || c.Fall.Known() {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestDetect(t *testing.T) {
	for path, text := range map[string]string{
		"keepalived.conf":            "",
		"a/keepalived.conf.j2":       "{% if x %}",
		"lb-1.conf":                  sample,
		"vip.conf.tmpl":              "# x\nvrrp_instance {{ .Name }} {\n",
		"conf.d/script":              "vrrp_script chk\n{\n",
		"roles/x/templates/vrrp.cfg": "\nglobal_defs {\n}\n",
	} {
		if !detect(path, []byte(text)) {
			t.Errorf("%s is not recognised", path)
		}
	}
	for path, text := range map[string]string{
		"README.md":  sample,
		"nginx.conf": "stream {\n}\n",
		"a.conf":     "# vrrp_instance VI_1 {\n",
		"b.conf":     "the vrrp_instance VI_1 {\n",
	} {
		if detect(path, []byte(text)) {
			t.Errorf("%s is taken for keepalived's", path)
		}
	}
}

func TestIncludes(t *testing.T) {
	got := includes([]byte("include conf.d/*.conf # all\n  includer \"/etc/x.conf\"\n# include no.conf\ninclude_check +match\n"))
	if d := cmp.Diff([]string{"conf.d/*.conf", "/etc/x.conf"}, got); d != "" {
		t.Error(d)
	}
}

// TestOracle: keepalived finds nothing in the sample that it does not know, once its interface is one that exists.
func TestOracle(t *testing.T) {
	if _, err := exec.LookPath("keepalived"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	file := filepath.Join(t.TempDir(), "keepalived.conf")
	if err := os.WriteFile(file, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("keepalived", "-t", "-f", file).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, "eth0") && !strings.Contains(line, "Non-existent interface") {
			t.Errorf("keepalived (%v): %s", err, line)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		sample, "vrrp_script a { script \"curl http://x\" } vrrp_instance i { nopreempt track_script { a } }", "{", "}", "vrrp_instance", "vrrp_instance {\nvrrp_instance x { unicast_peer", "@", "@x", "$a=\\\n\\", "\"\\",
		"vrrp_instance a { authentication { auth_pass } virtual_ipaddress { } priority }",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Count(text, "\n") + 1
		detect("k.conf", []byte(text))
		for _, v := range parsed(t, text) {
			for _, s := range []diag.Span{v.Span, v.Name.Span, v.Priority.Span, v.RouterID.Span, v.Password.Span} {
				if s.Line > lines || s.EndLine < s.Line || s.EndLine == s.Line && s.EndCol < s.Col {
					t.Fatalf("a fact at %+v of a text of %d lines", s, lines)
				}
			}
			if v.Priority.Known() && (v.Priority.V < 1 || v.Priority.V > 255) {
				t.Fatalf("priority %d", v.Priority.V)
			}
		}
	})
}
