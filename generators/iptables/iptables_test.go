package iptables

import (
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// The machines of the sample, in both families.
const (
	member1, member2   = "10.0.1.10", "10.0.1.11"
	member1v6          = "fd00::10"
	node1, node2       = "10.0.1.101", "10.0.1.102"
	node1v6            = "fd00::101"
	clients, clientsV6 = "10.0.2.0/24", "fd00:2::/64"
	monitoring         = "10.0.8.0/24"
)

func set[T any](v T) topology.Value[T] { return topology.SetAt(v, diag.Span{}) }

func from(text string) topology.Value[netip.Prefix] {
	if a, err := netip.ParseAddr(text); err == nil {
		return set(host(a))
	}
	return set(netip.MustParsePrefix(text))
}

func accept(source string, ports ...int) topology.FirewallRule {
	r := topology.FirewallRule{Verdict: topology.Accept, Protocol: "tcp", From: from(source)}
	for _, p := range ports {
		r.Ports = append(r.Ports, topology.Port(p))
	}
	return r
}

func announce(source string) topology.FirewallRule {
	return topology.FirewallRule{Verdict: topology.Accept, Protocol: vrrp, From: from(source)}
}

// closed puts what every chain begins and ends with around the rules.
func closed(family topology.Family, rules ...topology.FirewallRule) []topology.FirewallRule {
	out := []topology.FirewallRule{
		{Verdict: topology.Accept, Loopback: true},
		{Verdict: topology.Accept, Established: true},
	}
	out = append(out, rules...)
	return append(out, topology.FirewallRule{Verdict: topology.Reject, Protocol: "tcp", From: set(all(family))})
}

// sample is a cluster of two members behind two nodes, one of each with IPv6.
func sample(observe bool) *topology.Topology {
	addr := func(s string) topology.Value[netip.Addr] { return set(netip.MustParseAddr(s)) }
	t := &topology.Topology{
		Name: set("prod"),
		Etcd: topology.Etcd{Members: []topology.Member{
			{Name: set("1"), Address: addr(member1), Address6: addr(member1v6)},
			{Name: set("default"), Address: addr(member2)},
		}},
		Nodes: []topology.Node{
			{Name: set("lb-1"), Address: addr(node1), Address6: addr(node1v6)},
			{Name: set("lb-2"), Address: addr(node2)},
		},
		Clients:    topology.Clients{Networks: []topology.Value[netip.Prefix]{from(clients), from(clientsV6)}},
		Monitoring: []topology.Value[netip.Prefix]{from(monitoring)},
	}
	add := func(role, chain string, family topology.Family, guarded []int, rules []topology.FirewallRule) {
		f := topology.Firewall{
			Target: name, Role: role, Name: set(chain), Family: family, Observe: set(observe), Rules: rules,
		}
		for _, p := range guarded {
			f.Guarded = append(f.Guarded, topology.Port(p))
		}
		t.Firewalls = append(t.Firewalls, f)
	}
	etcd := []int{2379, 2380, 2381}
	add(topology.Members, "etcd-prod", topology.IPv4, etcd, closed(topology.IPv4,
		accept(node1, 2379, 2381), accept(node2, 2379, 2381),
		accept(member1, 2379, 2380), accept(member2, 2379, 2380), accept(monitoring, 2381)))
	add(topology.Members, "etcd-prod", topology.IPv6, etcd, closed(topology.IPv6,
		accept(node1v6, 2379, 2381), accept(member1v6, 2379, 2380)))
	lb := []int{2379, 8405}
	add(topology.Nodes, "etlb-prod", topology.IPv4, lb, append([]topology.FirewallRule{announce(node1), announce(node2)},
		closed(topology.IPv4, accept(clients, 2379), accept(monitoring, 8405))...))
	add(topology.Nodes, "etlb-prod", topology.IPv6, lb, append([]topology.FirewallRule{announce(node1v6)},
		closed(topology.IPv6, accept(clientsV6, 2379))...))
	return t
}

// render is the files of the sample by path.
func render(t testing.TB, top *topology.Topology) map[string]target.Artifact {
	t.Helper()
	artifacts, diags := Render(top, nil, target.Header{Spec: "spec.cue"})
	if len(diags) > 0 {
		t.Fatalf("unexpected diagnostics: %v", diags)
	}
	out := map[string]target.Artifact{}
	for _, a := range artifacts {
		out[a.Path] = a
	}
	return out
}

func parse(t testing.TB, path, text string) *topology.Topology {
	t.Helper()
	top, diags := Parse(target.Source{Path: path, Files: []target.File{{Path: path, Data: []byte(text)}}})
	if len(diags) > 0 {
		t.Fatalf("unexpected diagnostics: %v", diags)
	}
	return top
}

// meaning compares topologies by what they say, wherever it stands.
var meaning = cmp.Options{
	cmpopts.IgnoreTypes(diag.Span{}),
	cmp.Comparer(func(a, b topology.State) bool { return (a == topology.Unknown) == (b == topology.Unknown) }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmpopts.EquateEmpty(),
}

func TestFilesOfBothRoles(t *testing.T) {
	files := render(t, sample(false))
	for _, role := range []string{"members", "nodes"} {
		for _, file := range []string{"v4.restore", "v6.restore", "apply.sh", "etcd-lb-firewall-prod-" + role + ".service"} {
			a, ok := files["iptables/"+role+"/"+file]
			if !ok || !bytes.Contains(a.Data, []byte("spec.cue")) {
				t.Errorf("%s/%s is missing or does not name the spec", role, file)
			}
			if a.Exec != (file == "apply.sh") {
				t.Errorf("%s/%s: executable is %v", role, file, a.Exec)
			}
		}
	}
	if len(files) != 8 {
		t.Errorf("%d files, want 8", len(files))
	}
}

func TestRoundTrip(t *testing.T) {
	for _, observe := range []bool{false, true} {
		top := sample(observe)
		got := &topology.Topology{Format: name}
		files := render(t, top)
		for _, role := range []string{"members", "nodes"} {
			for _, file := range []string{"v4.restore", "v6.restore"} {
				path := "iptables/" + role + "/" + file
				text := files[path].Data
				if !Detect(path, text) {
					t.Errorf("%s is not detected", path)
				}
				got.Firewalls = append(got.Firewalls, parse(t, path, string(text)).Firewalls...)
			}
		}
		if diff := cmp.Diff(topology.Restrict(top, name, Target.Facts), got, meaning); diff != "" {
			t.Errorf("observe %v: parsed facts differ (-spec +files):\n%s", observe, diff)
		}
	}
}

// The family of a generated file does not hang on its name: standard input has none.
func TestRoundTripWithoutName(t *testing.T) {
	for path, a := range render(t, sample(false)) {
		if !strings.HasSuffix(path, ".restore") {
			continue
		}
		want := parse(t, path, string(a.Data)).Firewalls[0].Family
		if got := parse(t, "-", string(a.Data)).Firewalls[0].Family; got != want {
			t.Errorf("%s as standard input is IPv%d, want IPv%d", path, got, want)
		}
	}
}

func TestRuleWithoutSourceIsRefused(t *testing.T) {
	top := sample(false)
	top.Firewalls[0].Rules[2].From = topology.UnknownAt[netip.Prefix](diag.At("spec.cue", 7, 3, 5))
	_, diags := Render(top, nil, target.Header{Spec: "spec.cue"})
	if len(diags) != 1 || diags[0].Rule != "unsupported" || diags[0].Span.Line != 7 {
		t.Errorf("got %v, want one unsupported error at line 7", diags)
	}
}

func TestShellcheck(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		missing(t, "shellcheck")
	}
	dir := t.TempDir()
	for _, role := range []string{"members", "nodes"} {
		file := filepath.Join(dir, role+".sh")
		if err := os.WriteFile(file, render(t, sample(true))["iptables/"+role+"/apply.sh"].Data, 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("shellcheck", "--norc", "--shell=sh", file).CombinedOutput(); err != nil {
			t.Errorf("shellcheck: %v\n%s", err, out)
		}
	}
}

// The script that applies the rules is no source of rules: its calls name variables only.
func TestScriptHoldsNoRules(t *testing.T) {
	for path, a := range render(t, sample(false)) {
		if strings.HasSuffix(path, ".sh") && (Detect(path, a.Data) || len(parse(t, path, string(a.Data)).Firewalls) > 0) {
			t.Errorf("%s reads as a firewall", path)
		}
	}
}

func TestUnitRunsTheScriptBeforeTheNetwork(t *testing.T) {
	unit := string(render(t, sample(false))["iptables/members/etcd-lb-firewall-prod-members.service"].Data)
	for _, line := range []string{
		"Type=oneshot", "RemainAfterExit=yes", "Wants=network-pre.target", "WantedBy=multi-user.target",
		"ExecStart=/etc/etcd-lb/prod/members/apply.sh apply", "ExecStop=/etc/etcd-lb/prod/members/apply.sh remove",
	} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("the unit lacks %q", line)
		}
	}
}

// systemd itself finds nothing to say about the unit.
func TestUnitIsValid(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		missing(t, "systemd-analyze")
	}
	dir := filepath.Dir(install(t, sample(false), "members"))
	file := filepath.Join(dir, "etcd-lb-firewall-prod-members.service")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.ReplaceAll(data, []byte("/etc/etcd-lb/prod/members"), []byte(dir))
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", "verify", file).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// missing ends a test whose oracle is not installed: a failure where everything must be tried.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is needed", what)
	}
	t.Skipf("%s is needed", what)
}
