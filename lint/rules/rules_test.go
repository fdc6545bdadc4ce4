package rules_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcdlbgen/etcdlbgen/lint/rules"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func set[T any](v T) topology.Value[T] { return topology.SetAt(v, diag.At("file", 1, 1, 1)) }

// spec is three members behind etcd-lb.example.com and 10.0.1.100.
func spec() *topology.Topology {
	t := &topology.Topology{Format: "spec", Dialed: []topology.Value[string]{set("etcd-lb.example.com"), set("10.0.1.100")}}
	t.Etcd.ClientPort, t.Etcd.PeerPort = set(2379), set(2380)
	for _, n := range []string{"1", "2", "3"} {
		t.Etcd.Members = append(t.Etcd.Members, topology.Member{
			Name: set("etcd-" + n), Address: set(netip.MustParseAddr("10.0.1.1" + n)),
		})
	}
	return t
}

// proxy is a file with one listener on a port, before a pool of one server on a port.
func proxy(name string, listen, port int) *topology.Topology {
	return &topology.Topology{Format: "haproxy", Proxies: []topology.Proxy{{
		Platform: "haproxy",
		Listeners: []topology.Listener{{
			Name:   set(name),
			Binds:  []topology.Bind{{Addr: set(netip.IPv4Unspecified()), Port: set(listen)}},
			Routes: []topology.Route{{Pool: set(name)}},
		}},
		Pools: []topology.Pool{{Name: set(name), Servers: []topology.Server{{Host: set("10.0.9.9"), Port: set(port), Checked: set(true)}}}},
	}}}
}

// check runs a rule over sources and returns "severity message" of each finding.
func check(id string, sources ...*topology.Topology) []string {
	return judge(id, &topology.Group{Sources: sources})
}

func judge(id string, g *topology.Group) []string {
	var out []string
	for _, d := range rules.Find(id).Check(g) {
		s := d.Severity.String()
		if d.Firm {
			s += "!"
		}
		out = append(out, s+" "+d.Message)
	}
	return out
}

// expect compares findings with what they must begin with and contain: "error: 60s" is an error that says 60s.
func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d findings, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		severity, part, _ := strings.Cut(want[i], ": ")
		if !strings.HasPrefix(got[i], severity+" ") || !strings.Contains(got[i], part) {
			t.Errorf("got %q, want %s with %q", got[i], severity, part)
		}
	}
}

func TestWatchTimeout(t *testing.T) {
	const never = topology.Never
	for name, tc := range map[string]struct {
		idle, ping time.Duration
		unknown    bool // the ping interval
		want       string
	}{
		"twice the usual ping":     {idle: time.Minute, unknown: true, want: "error: more than 60s"},
		"just above it":            {idle: time.Minute + time.Millisecond, unknown: true, want: "warning: 5m or more"},
		"just below 5m":            {idle: 5*time.Minute - time.Millisecond, unknown: true, want: "warning: 5m or more"},
		"5m":                       {idle: 5 * time.Minute, unknown: true},
		"for ever":                 {idle: never, unknown: true},
		"NLB's default":            {idle: 350 * time.Second, unknown: true},
		"declared, twice":          {idle: 20 * time.Minute, ping: 10 * time.Minute, want: "error: more than 20m"},
		"declared, above":          {idle: 21 * time.Minute, ping: 10 * time.Minute},
		"fast pings, 10s":          {idle: 10 * time.Second, ping: 2 * time.Second, want: "error: no Go client pings faster"},
		"fast pings, 11s":          {idle: 11 * time.Second, ping: 2 * time.Second, want: "warning: 5m or more"},
		"no pings, below 10m":      {idle: 10*time.Minute - 1, ping: never, want: "error: never ping"},
		"no pings, 10m":            {idle: 10 * time.Minute, ping: never, want: "warning: never ping"},
		"no pings, NLB's default":  {idle: 350 * time.Second, ping: never, want: "error: never ping"},
		"no pings, just below 1h":  {idle: time.Hour - 1, ping: never, want: "warning: never ping"},
		"no pings, 1h":             {idle: time.Hour, ping: never},
		"no pings, idle for ever":  {idle: never, ping: never},
		"pings slower than 1h, 1h": {idle: time.Hour, ping: time.Hour, want: "error: more than 2h"},
	} {
		t.Run(name, func(t *testing.T) {
			file, s := proxy("etcd", 2379, 2379), spec()
			file.Proxies[0].Listeners[0].Routes[0].Idle = set(tc.idle)
			if !tc.unknown {
				s.Clients.Keepalive = set(tc.ping)
			}
			if tc.want == "" {
				expect(t, check("watch-timeout", s, file))
			} else {
				expect(t, check("watch-timeout", s, file), tc.want)
			}
		})
	}
}

func TestWatchTimeoutLeavesOthersAlone(t *testing.T) {
	file := proxy("k8s", 6443, 6443)
	file.Proxies[0].Listeners[0].Routes[0].Idle = set(time.Second)
	expect(t, check("watch-timeout", file))
	file = proxy("etcd", 2379, 2379)
	file.Proxies[0].Listeners[0].Routes[0].Idle = topology.UnknownAt[time.Duration](diag.Span{})
	expect(t, check("watch-timeout", file))
	if why := rules.Find("watch-timeout").Unjudged(&topology.Group{Sources: []*topology.Topology{file}}); why == "" {
		t.Error("an unknown timeout looks judged")
	}
}

func TestCheckTCPOnly(t *testing.T) {
	for name, tc := range map[string]struct {
		edit func(*topology.Topology, *topology.Pool)
		want string
	}{
		"connect":   {func(_ *topology.Topology, b *topology.Pool) { b.Check.Kind = set(topology.CheckTCP) }, "warning: connection alone"},
		"handshake": {func(_ *topology.Topology, b *topology.Pool) { b.Check.Kind = set(topology.CheckTLS) }, "warning: handshake alone"},
		"passive":   {func(_ *topology.Topology, b *topology.Pool) { b.Check.Kind = set(topology.CheckPassive) }, "warning: passive checks alone"},
		"http":      {func(_ *topology.Topology, b *topology.Pool) { b.Check.Kind = set(topology.CheckHTTP) }, ""},
		"none":      {func(_ *topology.Topology, b *topology.Pool) { b.Check.Kind = set(topology.CheckNone) }, ""},
		"unknown":   {func(*topology.Topology, *topology.Pool) {}, ""},
		"no server checked": {func(_ *topology.Topology, b *topology.Pool) {
			b.Check.Kind, b.Servers[0].Checked = set(topology.CheckTCP), set(false)
		}, ""},
		"peer port, which must go": {func(_ *topology.Topology, b *topology.Pool) {
			b.Check.Kind, b.Servers[0].Port = set(topology.CheckTCP), set(2380)
		}, ""},
		"kube-apiserver": {func(file *topology.Topology, b *topology.Pool) {
			file.Proxies[0].Listeners = nil
			b.Name, b.Check.Kind, b.Servers[0].Port = set("k8s"), set(topology.CheckTCP), set(6443)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			file := proxy("etcd", 2379, 2379)
			tc.edit(file, &file.Proxies[0].Pools[0])
			if tc.want == "" {
				expect(t, check("check-tcp-only", file))
			} else {
				expect(t, check("check-tcp-only", file), tc.want)
			}
		})
	}
}

func certificate(role topology.CertRole, name string, names []string, addrs ...string) *topology.Topology {
	c := topology.Certificate{Role: role, Name: set(name), Names: set(names), Span: diag.At("pki/server.crt", 1, 1, 1)}
	c.Addrs = set([]netip.Addr{})
	for _, a := range addrs {
		c.Addrs.V = append(c.Addrs.V, netip.MustParseAddr(a))
	}
	return &topology.Topology{Format: "pem", Certificates: []topology.Certificate{c}}
}

func TestCertLBSANInFiles(t *testing.T) {
	const member, lb, vip = "10.0.1.11", "etcd-lb.example.com", "10.0.1.100"
	for name, tc := range map[string]struct {
		cert *topology.Topology
		want string
	}{
		"all there":                {certificate(topology.ServerCert, "etcd-1", []string{lb}, member, vip), ""},
		"name missing":             {certificate(topology.ServerCert, "etcd-1", []string{"etcd-1"}, member, vip), "error: lacks etcd-lb.example.com,"},
		"address missing":          {certificate(topology.ServerCert, "etcd-1", []string{lb}, member), "error: lacks 10.0.1.100,"},
		"both missing":             {certificate(topology.ServerCert, "etcd-1", nil, member), "error: lacks etcd-lb.example.com and 10.0.1.100,"},
		"common name never counts": {certificate(topology.ServerCert, lb, nil, member, vip), "error: lacks etcd-lb.example.com,"},
		"address as a name":        {certificate(topology.ServerCert, "etcd-1", []string{lb, vip}, member), "error: lacks 10.0.1.100,"},
		"wildcard":                 {certificate(topology.ServerCert, "etcd-1", []string{"*.example.com"}, member, vip), ""},
		"wildcard of two labels":   {certificate(topology.ServerCert, "etcd-1", []string{"*.com"}, member, vip), "error: lacks etcd-lb.example.com,"},
		"wildcard below":           {certificate(topology.ServerCert, "etcd-1", []string{"*.etcd-lb.example.com"}, member, vip), "error: lacks etcd-lb.example.com,"},
		"peer":                     {certificate(topology.PeerCert, "etcd-1", nil, member), ""},
		"client":                   {certificate(topology.ClientCert, "etcd-1", nil, member), ""},
		"ca":                       {certificate(topology.CACert, "etcd-ca", nil), ""},
		"not etcd's":               {certificate(topology.ServerCert, "www", []string{"www.example.com"}, "10.0.7.7"), ""},
		"etcd's by address alone":  {certificate(topology.ServerCert, "", nil, member), "error: lacks"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.want == "" {
				expect(t, check("cert-lb-san", spec(), tc.cert))
			} else {
				expect(t, check("cert-lb-san", spec(), tc.cert), tc.want)
			}
		})
	}
}

func TestCertLBSANByEndpoint(t *testing.T) {
	cert := certificate(topology.ServerCert, "etcd-1", []string{"etcd-1"}, "10.0.1.11")
	g := &topology.Group{Sources: []*topology.Topology{cert}}
	expect(t, judge("cert-lb-san", g))
	if why := rules.Find("cert-lb-san").Unjudged(g); !strings.Contains(why, "--endpoint") {
		t.Errorf("not judged because %q", why)
	}
	g.Endpoints = []topology.Value[string]{set("lb.example.com")}
	expect(t, judge("cert-lb-san", g), "error: lacks lb.example.com,")
	if why := rules.Find("cert-lb-san").Unjudged(g); why != "" {
		t.Errorf("not judged because %q", why)
	}
}

func TestCertLBSANDeclared(t *testing.T) {
	declared := func(names topology.Value[[]string], addrs topology.Value[[]netip.Addr], dialed ...string) []string {
		s := spec()
		for _, d := range dialed {
			s.Dialed = append(s.Dialed, set(d))
		}
		s.Certificates = []topology.Certificate{{Role: topology.ServerCert, Declared: true, Names: names, Addrs: addrs}}
		return check("cert-lb-san", s)
	}
	vip := []netip.Addr{netip.MustParseAddr("10.0.1.100")}
	derived := topology.DefaultAt([]string{"etcd-lb.example.com"}, diag.Span{})
	expect(t, declared(derived, topology.DefaultAt(vip, diag.Span{})))
	expect(t, declared(set([]string{"etcd-lb.example.com"}), set(vip)))
	expect(t, declared(set([]string{"other.example.com"}), set(vip)), "error: alternative names lack etcd-lb.example.com")
	expect(t, declared(derived, set([]netip.Addr{})), "error: alternative addresses lack 10.0.1.100")
	expect(t, declared(derived, set(vip), "127.0.0.1")) // every member's certificate holds loopback
}

// TestNoRuleIsForgotten finds rules that are declared and not in the list, and holds the documentation.
func TestNoRuleIsForgotten(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^var (\w+) = Rule\{\n\tID: +"([^"]+)"`)
	var ids []string
	for _, file := range sources {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
			ids = append(ids, m[2])
			if rules.Find(m[2]) == nil {
				t.Errorf("%s: %s is not in the list: add the line %s, to All in rules.go", file, m[2], m[1])
			}
			if want := strings.ReplaceAll(m[2], "-", "_") + ".go"; rules.Find(m[2]).Check != nil && file != want {
				t.Errorf("%s stands in %s, not in %s", m[2], file, want)
			}
		}
	}
	if len(ids) != len(rules.All) {
		t.Errorf("%d rules are declared, %d in the list", len(ids), len(rules.All))
	}
	if !slices.IsSortedFunc(rules.All, func(a, b rules.Rule) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the list is not sorted by id")
	}
	for _, r := range rules.All {
		if r.Title == "" || r.Why == "" || r.Fix == "" || r.Check != nil && len(r.References) == 0 {
			t.Errorf("%s lacks documentation", r.ID)
		}
		if !slices.Contains([]string{"error", "warning", "error or warning"}, r.Severity) {
			t.Errorf("%s: severity %q", r.ID, r.Severity)
		}
	}
}

func TestCertExpiry(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for name, tc := range map[string]struct {
		from, to time.Duration // from now
		want     string
	}{
		"a year left":             {-day, 365 * day, ""},
		"expired":                 {-365 * day, -time.Second, "error: expired on 2026-05-31"},
		"not yet":                 {time.Hour, 365 * day, "error: not valid before 2026-06-01"},
		"29 days of a year":       {-336 * day, 29 * day, "warning: expires on 2026-06-30"},
		"30 days of a year":       {-335 * day, 30 * day, ""},
		"half of a day":           {-12 * time.Hour, 12 * time.Hour, ""},
		"a quarter of a day left": {-18 * time.Hour, 6 * time.Hour, "warning: expires on 2026-06-01"},
	} {
		t.Run(name, func(t *testing.T) {
			top := certificate(topology.ServerCert, "etcd-1", nil, "10.0.1.11")
			top.Certificates[0].NotBefore, top.Certificates[0].NotAfter = now.Add(tc.from), now.Add(tc.to)
			g := &topology.Group{Sources: []*topology.Topology{top}, Now: now}
			if tc.want == "" {
				expect(t, judge("cert-expiry", g))
			} else {
				expect(t, judge("cert-expiry", g), tc.want)
			}
			g.Now = time.Time{}
			expect(t, judge("cert-expiry", g)) // without a clock
		})
	}
}

func TestCheckUnreachableBehindPassthrough(t *testing.T) {
	urls := func(list ...string) (out []topology.Value[string]) {
		for _, u := range list {
			out = append(out, set(u))
		}
		return out
	}
	for name, tc := range map[string]struct {
		listen []topology.Value[string]
		keeps  bool
		want   []string
	}{
		"on one address":              {listen: urls("https://10.0.1.11:2379"), keeps: true, want: []string{"error: the load balancer's address"}},
		"everywhere":                  {listen: urls("https://0.0.0.0:2379"), keeps: true},
		"on what is dialed":           {listen: urls("https://10.0.1.11:2379", "https://10.0.1.100:2379"), keeps: true},
		"the destination is replaced": {listen: urls("https://10.0.1.11:2379")},
	} {
		t.Run(name, func(t *testing.T) {
			s, file := spec(), proxy("etcd", 2379, 2379)
			s.Etcd.Members[0].Flags = topology.Flags{ListenClientURLs: tc.listen, Span: diag.At("spec", 1, 1, 1)}
			b := &file.Proxies[0].Pools[0]
			b.Servers[0].Host = set("10.0.1.11")
			b.KeepsDestination = set(tc.keeps)
			b.Check = topology.Check{Kind: set(topology.CheckTCP), Port: set(2379)}
			expect(t, check("check-unreachable", s, file), tc.want...)
		})
	}
}
