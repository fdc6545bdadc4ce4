package lower_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/lower"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const passthrough = members + `
cluster: metrics: port: 2381
loadBalancer: vip: "10.0.1.100"
clients: networks: ["10.0.2.0/24"]
targets: {terraform: gcp: {}, etcd: {}, iptables: {}}
`

// Packets come with the load balancer's address: etcd listens on all of them, and advertises its own.
func TestPassthroughListens(t *testing.T) {
	top, diags := lower.Topology(lowertest.Cluster(t, passthrough))
	if len(diags) > 0 {
		t.Error(diags)
	}
	f := top.Etcd.Members[0].Flags
	for _, c := range []struct {
		flag string
		got  []topology.Value[string]
		want string
	}{
		{"listen-client-urls", f.ListenClientURLs, "https://0.0.0.0:2379"},
		{"listen-metrics-urls", f.ListenMetricsURLs, "http://0.0.0.0:2381"},
		{"listen-peer-urls", f.ListenPeerURLs, "https://10.0.1.10:2380"},
		{"advertise-client-urls", f.AdvertiseClientURLs, "https://10.0.1.10:2379"},
	} {
		if len(c.got) != 1 || c.got[0].V != c.want {
			t.Errorf("%s is %v, want %s", c.flag, c.got, c.want)
		}
	}
}

// Members' own firewalls admit the probes to where they ask, and the clients, whose addresses are kept.
func TestPassthroughAdmitted(t *testing.T) {
	top, _ := lower.Topology(lowertest.Cluster(t, passthrough))
	for source, port := range map[string]int{"35.191.0.0/16": 2381, "130.211.0.0/22": 2381, "10.0.2.0/24": 2379} {
		for _, f := range top.Firewalls {
			if f.Family != topology.IPv4 {
				continue
			}
			if !slices.ContainsFunc(f.Rules, func(r topology.FirewallRule) bool {
				return r.Verdict == topology.Accept && r.From.V.String() == source && len(r.Ports) > 0 && r.Covers(port)
			}) {
				t.Errorf("the firewall of %s does not admit %s to port %d", f.Target, source, port)
			}
		}
	}
}

// What GCP cannot do is said at the line that asks for it.
func TestPassthroughRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		spec     string
		severity diag.Severity
		want     string
	}{
		"another port": {"loadBalancer: port: 443", diag.Error, "clients dial port 443 and members listen on port 2379"},
		"IPv6 clients": {`clients: networks: ["10.0.2.0/24", "fd00::/64"]`, diag.Warning, "clients in fd00::/64 cannot reach"},
		"second vip":   {`loadBalancer: vip6: "fd00::100"`, diag.Warning, "vip6 is fd00::100"},
		"idle":         {`loadBalancer: timeouts: idle: "1h"`, diag.Warning, "the idle timeout is 1h"},
		"provider 6":   {"targets: terraform: gcp: provider: 6", diag.Warning, "provider 6 cannot tell GCP to end connections"},
		"local proxy":  {`loadBalancer: placement: "local"`, diag.Warning, "members listen on 0.0.0.0:2379 for GCP's"},
		"slow check":   {`loadBalancer: healthCheck: {interval: "10m", timeout: "6m"}`, diag.Warning, "the check's timeout is 6m, but GCP's internal passthrough load balancer takes 1s to 5m"},
		"many checks":  {"loadBalancer: healthCheck: fall: 12", diag.Warning, "the check's fall is 12, but GCP's internal passthrough load balancer takes 1 to 10; written as 10"},
	} {
		spec := passthrough
		if name == "IPv6 clients" {
			spec = strings.Replace(spec, "clients: networks: [\"10.0.2.0/24\"]\n", "", 1)
		}
		_, diags := lower.Topology(lowertest.Cluster(t, spec+c.spec))
		if !slices.ContainsFunc(diags, func(d diag.Diagnostic) bool {
			return d.Severity == c.severity && d.Rule == "unsupported" && strings.HasPrefix(d.Message, c.want)
		}) {
			t.Errorf("%s: %q is not said, but %v", name, c.want, diags)
		}
	}
}
