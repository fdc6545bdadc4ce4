package lower_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/lower"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const azure = members + `
cluster: metrics: port: 2381
loadBalancer: vip: "10.0.1.100"
targets: {terraform: azure: {}, iptables: {}}
`

const azureClients = "clients: networks: [\"10.0.2.0/24\"]\n"

// Azure's ranges: idle in whole minutes, one number of probes for both ways, no timeout. A default is adapted silently.
func TestAzureClamps(t *testing.T) {
	for name, c := range map[string]struct {
		spec, want string
		warnings   []string
	}{
		"defaults":   {"", "1h 5s 2 2", nil},
		"too long":   {`loadBalancer: timeouts: idle: "2h"`, "1h40m 5s 2 2", []string{"the idle timeout is 2h"}},
		"too short":  {`loadBalancer: timeouts: idle: "61s"`, "4m 5s 2 2", []string{"the idle timeout is 1m1s"}},
		"not whole":  {`loadBalancer: timeouts: idle: "5m20s"`, "5m 5s 2 2", []string{"the idle timeout is 5m20s"}},
		"in range":   {`loadBalancer: {timeouts: idle: "30m", healthCheck: {interval: "10s", fall: 3, rise: 3}}`, "30m 10s 3 3", nil},
		"two counts": {`loadBalancer: healthCheck: {fall: 3, rise: 5}`, "1h 5s 3 3", []string{"the check's rise is 5 and its fall 3"}},
		"timeout":    {`loadBalancer: healthCheck: {interval: "1s", timeout: "500ms"}`, "1h 5s 2 2", []string{"the check's interval is 1s", "the check's timeout is 500ms"}},
	} {
		top, diags := lower.Topology(lowertest.Cluster(t, azure+azureClients+c.spec))
		p := top.Proxies[0]
		check := p.Pools[0].Check
		got := fmt.Sprintf("%s %s %d %d", topology.Short(p.Listeners[0].Routes[0].Idle.V), topology.Short(check.Interval.V), check.Fall.V, check.Rise.V)
		if got != c.want || check.Timeout.Known() {
			t.Errorf("%s: have %s and timeout %v, want %s and none", name, got, check.Timeout, c.want)
		}
		if len(diags) != len(c.warnings) {
			t.Errorf("%s: %v", name, diags)
		}
		for _, want := range c.warnings {
			if !said(diags, diag.Warning, want) {
				t.Errorf("%s: %q is not said, but %v", name, want, diags)
			}
		}
	}
}

func said(diags diag.List, severity diag.Severity, message string) bool {
	return slices.ContainsFunc(diags, func(d diag.Diagnostic) bool {
		return d.Severity == severity && d.Rule == "unsupported" && d.Span.Line > 0 && strings.HasPrefix(d.Message, message)
	})
}

// What Azure cannot do is said at the line that asks for it.
func TestAzureRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		spec     string
		severity diag.Severity
		want     string
	}{
		"IPv6 member":  {azureClients + `cluster: members: "etcd-4": address: "fd00::13"`, diag.Error, `member "etcd-4" has address fd00::13`},
		"second vip":   {azureClients + `loadBalancer: vip6: "fd00::100"`, diag.Warning, "vip6 is fd00::100"},
		"IPv6 clients": {`clients: networks: ["10.0.2.0/24", "fd00::/64"]`, diag.Warning, "clients in fd00::/64 cannot reach"},
	} {
		_, diags := lower.Topology(lowertest.Cluster(t, azure+c.spec))
		if !said(diags, c.severity, c.want) {
			t.Errorf("%s: %q is not said, but %v", name, c.want, diags)
		}
	}
}

// Every firewall of members admits the probes to where they ask, and the clients, whose addresses are kept; Azure's own
// lets nobody else in.
func TestAzureAdmits(t *testing.T) {
	top, diags := lower.Topology(lowertest.Cluster(t, azure+azureClients))
	if len(diags) > 0 {
		t.Error(diags)
	}
	for _, f := range top.Firewalls {
		if f.Family != topology.IPv4 {
			continue
		}
		admits := func(port int, from string) bool {
			return slices.ContainsFunc(f.Rules, func(r topology.FirewallRule) bool {
				return r.Verdict == topology.Accept && len(r.Ports) > 0 && r.Covers(port) && (r.From.V.String() == from || r.FromName.V == from)
			})
		}
		probes := map[string]string{"terraform": "AzureLoadBalancer", "iptables": "168.63.129.16/32"}[f.Target]
		if !admits(2381, probes) || !admits(2379, "10.0.2.0/24") || !admits(2380, "10.0.1.11/32") {
			t.Errorf("the firewall of %s keeps probes, clients or members out: %+v", f.Target, f.Rules)
		}
		last := f.Rules[len(f.Rules)-1]
		if last.Verdict == topology.Accept || f.Target == "terraform" && (!last.Covers(2380) || last.Covers(22) || last.From.V.Bits() != 0) {
			t.Errorf("the firewall of %s ends with %+v", f.Target, last)
		}
	}
}

// Where the spec leaves an address out, none is known: the module takes them all as a variable.
func TestAzureUnplaced(t *testing.T) {
	spec := strings.Replace(azure, ", iptables: {}", "", 1) + "cluster: members: \"etcd-4\": learner: true\n" + azureClients
	top, _ := lower.Topology(lowertest.Cluster(t, spec))
	for _, s := range top.Proxies[0].Pools[0].Servers {
		if s.Host.Known() {
			t.Errorf("%s is at %s", s.Name.V, s.Host.V)
		}
	}
	unknown := 0
	for _, r := range top.Firewalls[0].Rules {
		if r.Covers(2380) && r.Verdict == topology.Accept && len(r.Ports) > 0 && !r.From.Known() {
			unknown++
		}
	}
	if unknown != 4 {
		t.Errorf("%d members may reach the peer port, want 4 of unknown addresses", unknown)
	}
}
