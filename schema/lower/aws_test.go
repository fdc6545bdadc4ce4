package lower_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/lower"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// A target group holds addresses of one family: members of two are refused, drained ones and instances aside.
func TestTargetGroupFamily(t *testing.T) {
	const spec = `cluster: {name: "prod", members: {a: address: "10.0.1.10", b: {address: "fd00::11", drain: %t}}}
loadBalancer: host: "lb"
targets: %s: aws: targetType: %q
`
	for _, target := range []string{"terraform", "cloudcli"} {
		for _, c := range []struct {
			drained bool
			kind    string
			refused bool
		}{{false, "ip", true}, {true, "ip", false}, {false, "instance", false}} {
			_, diags := lower.Topology(lowertest.Cluster(t, fmt.Sprintf(spec, c.drained, target, c.kind)))
			if diags.Has(diag.Error) != c.refused {
				t.Errorf("%s, %+v: %v", target, c, diags)
			}
		}
	}
}

// Terraform and the command line put up one load balancer: what it cannot do is said once, and both hold the same facts.
func TestCloudsByBothWays(t *testing.T) {
	top, diags := lower.Topology(lowertest.Cluster(t, members+`
cluster: metrics: port: 2381
loadBalancer: {vip: "10.0.1.100", timeouts: idle: "24h", healthCheck: fall: 12}
clients: networks: ["10.0.2.0/24"]
targets: {
	terraform: {aws: {addresses: "zone-a": "10.0.5.1"}, gcp: {}}
	cloudcli: {aws: {addresses: "zone-a": "10.0.5.1"}, gcp: {}}
	etcd: {}
}
`))
	seen := map[string]bool{}
	for _, d := range diags {
		key := fmt.Sprint(d.Span, d.Message)
		if seen[key] || d.Severity != diag.Warning {
			t.Errorf("twice, or no warning: %v", d)
		}
		seen[key] = true
	}
	if len(top.Cloud) != 1 {
		t.Errorf("the load balancer has the addresses %v", top.Cloud)
	}
	for _, platform := range []string{"aws", "gcp"} {
		a, b := top.CloudBalancer("terraform", platform), top.CloudBalancer("cloudcli", platform)
		if a == nil || b == nil {
			t.Fatalf("no load balancer of %s", platform)
		}
		if one, other := facts(a), facts(b); one != other {
			t.Errorf("%s by Terraform is\n%s\nand by the command line\n%s", platform, one, other)
		}
	}
}

// facts is what a load balancer is, but for where the spec asks for it.
func facts(b *topology.CloudBalancer) string {
	r, c := b.Listener.Routes[0], b.Pool.Check
	var out strings.Builder
	fmt.Fprintln(&out, b.Name, b.Names, b.Addresses, b.Port(), b.MemberPort(), b.Quorum, b.Servers(), r.Idle.V,
		c.Kind.V, c.Port.V, c.Path.V, c.Interval.V, c.Timeout.V, c.Rise.V, c.Fall.V, b.Pool.KeepsSource.V, b.Pool.CutOnDown.V)
	for _, f := range b.Firewalls {
		for _, r := range f.Rules {
			fmt.Fprintln(&out, f.Role, f.Name.V, f.Family, r.Ports, r.From.V, r.FromName.V)
		}
	}
	return out.String()
}
