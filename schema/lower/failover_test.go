package lower_test

import (
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema/lower"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
)

// The highest priority is asked for first, of equal ones the first by name.
func TestFailoverOrder(t *testing.T) {
	top, diags := lower.Topology(lowertest.Cluster(t, members+`
loadBalancer: host: "lb.example.com"
targets: terraform: dnsFailover: {provider: "route53", zone: "Z1", endpoints: {
	a: {address: "10.9.0.1", priority: 50}, b: address: "10.9.0.2", c: address: "10.9.0.3", d: {address: "10.9.0.4", priority: 101}
}}`))
	var got []string
	for _, e := range top.Failover.Endpoints {
		got = append(got, e.Name)
	}
	if strings.Join(got, " ") != "d b c a" || len(diags) > 0 {
		t.Errorf("the order is %v, with %v", got, diags)
	}
}

// What a DNS service cannot do is said at the endpoint.
func TestFailoverRefusals(t *testing.T) {
	for endpoints, want := range map[string]string{
		`a: address: "10.9.0.1", b: address: "fd00::2"`:                                                        "fails over within one family",
		`a: address: "10.9.0.1", b: address: "198.51.100.2"`:                                                   "need a private IPv4 address",
		`a: address: "10.9.0.1", b: {address: "10.9.0.2", priority: 9}, c: {address: "10.9.0.3", priority: 8}`: "takes all but the first alike",
	} {
		_, diags := lower.Topology(lowertest.Cluster(t, members+`
loadBalancer: host: "lb.example.com"
targets: terraform: dnsFailover: {provider: "clouddns", zone: "z", endpoints: {`+endpoints+`}}`))
		if len(diags) == 0 || diags[0].Rule != "unsupported" || !strings.Contains(diags[0].Message, want) {
			t.Errorf("%s: %q is not said, but %v", endpoints, want, diags)
		}
	}
}
