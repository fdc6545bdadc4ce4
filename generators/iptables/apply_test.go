package iptables

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// install writes the files of a role where a machine would have them, and returns the script.
func install(t testing.TB, top *topology.Topology, role string) string {
	t.Helper()
	dir := t.TempDir()
	for path, a := range render(t, top) {
		if filepath.Base(filepath.Dir(path)) != role {
			continue
		}
		mode := os.FileMode(0o644)
		if a.Exec {
			mode = 0o755
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), a.Data, mode); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "apply.sh")
}

// machine is a namespace that a script of ours runs in.
type machine struct {
	*netns
	state string
}

func newMachine(t testing.TB) *machine {
	t.Helper()
	return &machine{newNetns(t), filepath.Join(t.TempDir(), "state")}
}

// harden lets in SSH and a metrics port only, in both families, as somebody did before us.
func (m *machine) harden() {
	m.t.Helper()
	for _, tool := range []string{"iptables", "ip6tables"} {
		m.must(tool, "-A", "INPUT", "-p", "tcp", "--dport", "22", "-m", "comment", "--comment", "SSH  stays", "-j", "ACCEPT")
		m.must(tool, "-A", "INPUT", "-p", "tcp", "--dport", "9100", "-j", "ACCEPT")
		m.must(tool, "-P", "INPUT", "DROP")
	}
}

// script runs a command of apply.sh and returns what it prints.
func (m *machine) script(script string, args ...string) (string, error) {
	c := m.command(append([]string{script}, args...)...)
	c.Env = append(c.Env, "ETCD_LB_FIREWALL_STATE="+m.state)
	out, err := c.CombinedOutput()
	return string(out), err
}

func (m *machine) ok(script string, args ...string) string {
	m.t.Helper()
	out, err := m.script(script, args...)
	if err != nil {
		m.t.Fatalf("apply.sh %v: %v\n%s", args, err, out)
	}
	return out
}

func (m *machine) fails(script string, args ...string) string {
	m.t.Helper()
	out, err := m.script(script, args...)
	if err == nil {
		m.t.Fatalf("apply.sh %v succeeds:\n%s", args, out)
	}
	return out
}

var countersAtEnd = regexp.MustCompile(`(?m)^#.*\n| \[\d+:\d+\]$`)

// saved is the filter table of both families.
func (m *machine) saved() string {
	m.t.Helper()
	out := m.must("iptables-save", "-t", "filter") + m.must("ip6tables-save", "-t", "filter")
	return countersAtEnd.ReplaceAllString(out, "")
}

func (m *machine) same(want, when string) {
	m.t.Helper()
	if diff := cmp.Diff(want, m.saved()); diff != "" {
		m.t.Errorf("%s the rules differ (-want +got):\n%s", when, diff)
	}
}

// await polls until the rules are as wanted.
func (m *machine) await(want, when string) {
	m.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); m.saved() != want && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
	}
	m.same(want, when)
}

// withoutOurs drops the lines of our chain.
func withoutOurs(saved, chain string) string {
	var b strings.Builder
	for line := range strings.Lines(saved) {
		if !strings.Contains(line, chain) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// variants runs a test with both kinds of iptables, on a hardened machine.
func variants(t *testing.T, test func(t *testing.T, m *machine)) {
	t.Run("nft", func(t *testing.T) {
		m := newMachine(t)
		m.harden()
		test(t, m)
	})
	t.Run("legacy", func(t *testing.T) {
		m := newMachine(t)
		m.legacy()
		m.harden()
		test(t, m)
	})
}

func TestRestoreFilesAreAccepted(t *testing.T) {
	variants(t, func(t *testing.T, m *machine) {
		for _, observe := range []bool{false, true} {
			for _, role := range []string{"members", "nodes"} {
				dir := filepath.Dir(install(t, sample(observe), role))
				m.must("iptables-restore", "--noflush", "--test", filepath.Join(dir, "v4.restore"))
				m.must("ip6tables-restore", "--noflush", "--test", filepath.Join(dir, "v6.restore"))
			}
		}
	})
}

func TestApplyTwiceAndRemove(t *testing.T) {
	for _, role := range []string{"members", "nodes"} {
		variants(t, func(t *testing.T, m *machine) {
			script := install(t, sample(false), role)
			chain := map[string]string{"members": "etcd-prod", "nodes": "etlb-prod"}[role]
			before := m.saved()
			m.ok(script, "apply")
			once := m.saved()
			if withoutOurs(once, chain) != before {
				t.Errorf("rules of others changed:\n%s\nwas:\n%s", once, before)
			}
			if got, want := strings.Count(once, "-A INPUT -p tcp -m multiport"), 2; got != want {
				t.Errorf("%d jumps, want one a family:\n%s", got, once)
			}
			m.ok(script, "apply")
			m.same(once, "after applying twice")
			if out := m.ok(script, "status"); !strings.Contains(out, "IPv4: applied") || !strings.Contains(out, "IPv6: applied") {
				t.Errorf("status: %s", out)
			}
			m.ok(script, "remove")
			m.same(before, "after removal")
			if out := m.fails(script, "status"); !strings.Contains(out, "IPv6: not applied") {
				t.Errorf("status: %s", out)
			}
			m.ok(script, "remove")
			m.same(before, "after removing twice")
		})
	}
}

func TestRollback(t *testing.T) {
	variants(t, func(t *testing.T, m *machine) {
		script := install(t, sample(false), "nodes")
		before := m.saved()
		m.ok(script, "apply", "--rollback-after", "1s")
		m.await(before, "after the first apply expired")

		m.ok(script, "apply", "--rollback-after", "60s")
		if out := m.fails(script, "apply"); !strings.Contains(out, "confirm") {
			t.Errorf("a second apply does not say what to do: %s", out)
		}
		m.ok(script, "rollback")
		m.same(before, "after a rollback by hand")
		m.fails(script, "rollback")
		m.fails(script, "confirm")
	})
}

// A changed spec: other ports, other rules. The rollback brings the earlier rules back, the jump in its old place.
func TestRollbackToEarlierRules(t *testing.T) {
	variants(t, func(t *testing.T, m *machine) {
		first := install(t, sample(false), "members")
		changed := sample(true)
		for i := range changed.Firewalls {
			changed.Firewalls[i].Guarded = []topology.PortRange{topology.Port(2379), topology.Port(2382)}
		}
		second := install(t, changed, "members")
		m.ok(first, "apply")
		m.must("iptables", "-I", "INPUT", "-p", "icmp", "-j", "ACCEPT") // the jump is second now
		before := m.saved()
		m.ok(second, "apply", "--rollback-after", "1s")
		m.await(before, "after a changed apply expired")

		m.ok(second, "apply")
		after := m.saved()
		if strings.Contains(after, "2379,2380,2381") || strings.Count(after, "--dports 2379,2382 -j etcd-prod") != 2 {
			t.Errorf("the jump is not that of the changed spec alone:\n%s", after)
		}
	})
}

func TestConfirmKeeps(t *testing.T) {
	m := newMachine(t)
	script := install(t, sample(false), "members")
	m.ok(script, "apply", "--rollback-after", "60s")
	applied := m.saved()
	m.ok(script, "confirm")
	deadline := time.Now().Add(30 * time.Second)
	for m.pids() != "" && time.Now().Before(deadline) { // the waiting process sees it and leaves
		time.Sleep(100 * time.Millisecond)
	}
	if pids := m.pids(); pids != "" {
		t.Errorf("processes %s still wait after confirmation", pids)
	}
	m.same(applied, "after confirmation")
	m.ok(script, "apply")
}

// pids are the processes in the namespace.
func (m *machine) pids() string {
	m.t.Helper()
	out, err := exec.Command("ip", "netns", "pids", m.name).Output()
	if err != nil {
		m.t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

// A file that one family refuses changes nothing in the other.
func TestBothFamiliesOrNone(t *testing.T) {
	variants(t, func(t *testing.T, m *machine) {
		script := install(t, sample(false), "members")
		before := m.saved()
		file := filepath.Join(filepath.Dir(script), "v6.restore")
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		bad := strings.Replace(string(good), "COMMIT", "-A etcd-prod -s 10.0.0.1 -j ACCEPT\nCOMMIT", 1)
		if err := os.WriteFile(file, []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		m.fails(script, "apply")
		m.same(before, "after a refused file")
		if err := os.WriteFile(file, good, 0o644); err != nil {
			t.Fatal(err)
		}
		m.ok(script, "apply")
	})
}

// A load that fails although the test passed leaves both families as they were.
func TestFailedLoadIsUndone(t *testing.T) {
	m := newMachine(t)
	m.harden()
	script := install(t, sample(false), "members")
	before := m.saved()
	m.path = t.TempDir()
	m.shim("ip6tables", `case "$*" in *" -I INPUT "*) exit 1 ;; esac; exec /usr/sbin/ip6tables "$@"`)
	if out := m.fails(script, "apply"); !strings.Contains(out, "could not be loaded") {
		t.Errorf("output: %s", out)
	}
	m.same(before, "after a failed load")
	m.path = ""
	m.ok(script, "apply")
}

// A load that takes longer than the time to the rollback is undone all the same, once it is through.
func TestSlowLoadExpires(t *testing.T) {
	m := newMachine(t)
	m.harden()
	before := m.saved()
	m.path = t.TempDir()
	m.shim("ip6tables-restore", `case "$*" in *--test*) ;; *) sleep 3 ;; esac; exec /usr/sbin/ip6tables-restore "$@"`)
	m.ok(install(t, sample(false), "members"), "apply", "--rollback-after", "1s")
	m.await(before, "after a slow apply expired")
}

// A login that is lost in the middle ends the script; what it had done is undone.
func TestLostLoginExpires(t *testing.T) {
	m := newMachine(t)
	m.harden()
	before := m.saved()
	m.path = t.TempDir()
	m.shim("ip6tables", `case "$*" in *" -I INPUT "*) kill -9 "$PPID" ;; esac; exec /usr/sbin/ip6tables "$@"`)
	m.fails(install(t, sample(false), "members"), "apply", "--rollback-after", "1s")
	m.path = ""
	m.await(before, "after a killed apply expired")
}

// edited is the script with one text replaced.
func edited(t *testing.T, script, old, text string) string {
	t.Helper()
	data, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("apply.sh does not hold %q", old)
	}
	if err := os.WriteFile(script, []byte(strings.ReplaceAll(string(data), old, text)), 0o755); err != nil {
		t.Fatal(err)
	}
	return script
}

func TestKernelWithoutIPv6(t *testing.T) {
	m := newMachine(t)
	script := edited(t, install(t, sample(false), "members"), "/proc/net/if_inet6", "/nonexistent")
	if out := m.ok(script, "apply"); !strings.Contains(out, "no IPv6") {
		t.Errorf("no notice: %s", out)
	}
	if saved := m.saved(); strings.Count(saved, "-j etcd-prod") != 1 {
		t.Errorf("want the jump in IPv4 only:\n%s", saved)
	}
}

func TestMissingTool(t *testing.T) {
	m := newMachine(t)
	before := m.saved()
	script := edited(t, install(t, sample(false), "members"), "tool=ip6tables", "tool=no-such-tables")
	if out := m.fails(script, "apply"); !strings.Contains(out, "no no-such-tables-restore; install it") {
		t.Errorf("output: %s", out)
	}
	m.same(before, "after a refused apply")
}

func TestUsage(t *testing.T) {
	m := newMachine(t)
	script := install(t, sample(false), "members")
	for _, args := range [][]string{{}, {"start"}, {"apply", "now"}, {"apply", "--rollback-after"}, {"remove", "all"}} {
		if out := m.fails(script, args...); !strings.Contains(out, "usage:") {
			t.Errorf("%v: %s", args, out)
		}
	}
	for _, after := range []string{"", "s", "0s", "-1s", "1h", "1.5m", "a"} {
		if out := m.fails(script, "apply", "--rollback-after", after); !strings.Contains(out, "is no time") {
			t.Errorf("--rollback-after %q: %s", after, out)
		}
	}
}
