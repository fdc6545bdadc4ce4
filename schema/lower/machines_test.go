package lower_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/lower"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// TestOnePolicy: every firewall target spells the same rules.
func TestOnePolicy(t *testing.T) {
	top, _ := lower.Topology(lowertest.Cluster(t, members+`
loadBalancer: {host: "lb", nodes: {"lb-1": address: "10.0.1.101", "lb-2": address: "10.0.1.102"}}
clients: {networks: ["10.0.2.0/24"], direct: ["fd00::/64"]}
targets: {haproxy: {}, iptables: mode: "observe", nftables: mode: "observe"}
`))
	of := func(target string) []topology.Firewall {
		return slices.DeleteFunc(slices.Clone(top.Firewalls), func(f topology.Firewall) bool { return f.Target != target })
	}
	same := cmp.Options{
		cmpopts.IgnoreTypes(diag.Span{}), cmpopts.IgnoreFields(topology.Firewall{}, "Target"),
		cmp.Comparer(func(a, b fmt.Stringer) bool { return a.String() == b.String() }),
	}
	if d := cmp.Diff(of("iptables"), of("nftables"), same); d != "" || len(of("nftables")) != 4 {
		t.Errorf("%d firewalls of nftables differ (-iptables +nftables):\n%s", len(of("nftables")), d)
	}
}

// TestRouters: which node comes first, whom it tells, and what it asks.
func TestRouters(t *testing.T) {
	const machines = `
loadBalancer: {vip: "10.0.1.100", vip6: "fd00::100", nodes: {
	a: {address: "10.0.1.101", address6: "fd00::101", interface: "eth0", priority: 99}
	b: {address: "10.0.1.102", interface: "eth1"}
	c: {address: "fd00::103", interface: "eth2"}
}}
targets: keepalived: virtualRouterID: 9
`
	for name, c := range map[string]struct{ spec, want, url string }{
		"one family for all": {
			strings.Replace(machines, `"fd00::103"`, `"10.0.1.103"`, 1) + "targets: {haproxy: {}, nginx: {}}",
			"a 99 10.0.1.101>10.0.1.102,10.0.1.103; b 100 10.0.1.102>10.0.1.101,10.0.1.103; c 98 10.0.1.103>10.0.1.101,10.0.1.102; " +
				"10.0.1.100/32 fd00::100/128",
			"http://127.0.0.1:8405/healthz",
		},
		"the other proxy": {
			strings.Replace(machines, `"fd00::103"`, `"10.0.1.103"`, 1) + "targets: {haproxy: {}, nginx: {}, keepalived: proxy: \"nginx\"}",
			"a 99 10.0.1.101>10.0.1.102,10.0.1.103; b 100 10.0.1.102>10.0.1.101,10.0.1.103; c 98 10.0.1.103>10.0.1.101,10.0.1.102; " +
				"10.0.1.100/32 fd00::100/128",
			"http://127.0.0.1:8406/healthz",
		},
		"the second family": {
			strings.Replace(machines, `"10.0.1.102"`, `"fd00::102"`, 1) + "targets: nginx: healthPort: 8500",
			"a 99 fd00::101>fd00::102,fd00::103; b 100 fd00::102>fd00::101,fd00::103; c 98 fd00::103>fd00::101,fd00::102; " +
				"fd00::100/128 10.0.1.100/32",
			"http://127.0.0.1:8500/healthz",
		},
	} {
		top, _ := lower.Topology(lowertest.Cluster(t, members+c.spec))
		var got []string
		for _, v := range top.VRRP {
			var peers []string
			for _, p := range v.Peers {
				peers = append(peers, p.V.String())
			}
			got = append(got, fmt.Sprintf("%s %d %s>%s", v.Node, v.Priority.V, v.Source.V, strings.Join(peers, ",")))
		}
		first := top.VRRP[0]
		got = append(got, fmt.Sprint(first.Addresses[0].V, " ", first.Addresses[1].V))
		if s := strings.Join(got, "; "); s != c.want || first.Check.URL.V != c.url {
			t.Errorf("%s: want\n%s %s\nhave\n%s %s", name, c.want, c.url, s, first.Check.URL.V)
		}
	}
}
