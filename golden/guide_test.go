package golden

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aymanbagabas/go-udiff"
)

// guideRuns are the ways to lint what guide/ holds: the snippets of a guide to etcd behind load balancers that many have
// copied, each in a folder, and its inventory as a spec. What each finds is in guide/<name>.txt.
var guideRuns = map[string]struct {
	args  []string
	rules []string // that must speak
	fails []string // rules that must be an error
	alone bool     // each snippet by itself
}{
	"alone": {
		alone: true,
		rules: []string{
			"alert-always-fires", "alert-dead-metric", "balance-long-lived", "check-endpoint", "check-plain-on-tls", "check-slow",
			"check-tcp-only", "cloud-idle-default", "default-credentials", "firewall-lockout", "firewall-v4-only", "hairpin",
			"nlb-deregistration", "nlb-security-group", "peer-port-open", "single-endpoint", "stale-sessions", "stats-exposed",
		},
		fails: []string{"alert-always-fires", "default-credentials", "firewall-lockout"},
	},
	"endpoints": {
		args: []string{"snippets", "--endpoint", "https://etcd-lb.example.com:2379,https://10.0.1.100:2379"},
		rules: []string{
			"alert-always-fires", "bypass-blocked", "check-plain-on-tls", "default-credentials", "firewall-lockout", "firewall-v4-only",
			"peer-port-open", "single-endpoint",
		},
		fails: []string{"alert-always-fires", "check-plain-on-tls", "default-credentials", "firewall-lockout", "peer-port-open"},
	},
	"spec": {
		args: []string{"spec.cue", "snippets"},
		rules: []string{
			"bypass-blocked", "check-plain-on-tls", "connect-budget", "default-credentials", "firewall-lockout", "firewall-source",
			"firewall-v4-only", "peer-port-open", "single-endpoint", "stats-exposed",
		},
		fails: []string{
			"alert-always-fires", "check-plain-on-tls", "default-credentials", "firewall-lockout", "firewall-source", "peer-port-open",
		},
	},
}

// TestGuide wants what is wrong in the guide to be found, as an error what certainly fails, and nothing else to be one.
func TestGuide(t *testing.T) {
	for name, run := range guideRuns {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got strings.Builder
			for _, args := range guideArgs(t, run.args, run.alone) {
				r := etcdlbgen(t, "guide", append([]string{"lint"}, args...)...)
				if r.code > 1 {
					t.Fatalf("lint %v: exit code %d:\n%s", args, r.code, r.stderr)
				}
				got.WriteString(r.stdout + r.stderr)
			}
			found := map[string]string{} // the highest severity of each rule
			for _, f := range formatted["text"](t, got.String()) {
				parts := strings.Fields(f)
				if severity, rule := parts[0], parts[2]; found[rule] != "error" {
					found[rule] = severity
				}
			}
			for _, rule := range run.rules {
				if found[rule] == "" {
					t.Errorf("%s is silent", rule)
				}
			}
			errors := slices.DeleteFunc(slices.Sorted(maps.Keys(found)), func(rule string) bool { return found[rule] != "error" })
			if !slices.Equal(errors, run.fails) {
				t.Errorf("errors of %v, want of %v", errors, run.fails)
			}
			compareText(t, filepath.Join("guide", name+".txt"), got.String())
		})
	}
}

// guideArgs are the calls of lint: the one that is given, or one for each snippet.
func guideArgs(t *testing.T, args []string, alone bool) [][]string {
	t.Helper()
	if !alone {
		return [][]string{args}
	}
	snippets, err := filepath.Glob("guide/snippets/*")
	if err != nil || len(snippets) < 10 {
		t.Fatalf("%d snippets: %v", len(snippets), err)
	}
	var calls [][]string
	for _, s := range snippets {
		calls = append(calls, []string{strings.TrimPrefix(filepath.ToSlash(s), "guide/")})
	}
	return calls
}

// compareText compares with a golden file, which -update writes.
func compareText(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("if that is right: go test ./golden -update\n%s", udiff.Unified("want", "got", string(want), got))
	}
}
