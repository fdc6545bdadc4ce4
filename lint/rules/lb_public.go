package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var lbPublic = Rule{
	ID:       "lb-public",
	Title:    "etcd's load balancer faces the internet",
	Severity: "error",
	Why: "Whoever holds etcd holds the cluster: every secret, every workload. On the internet one missing client-certificate check, one " +
		"leaked key or one flaw in TLS is enough. AWS and Google make a load balancer public where nothing is written.",
	Fix: "Make it internal: `internal = true` on AWS, `load_balancing_scheme = \"INTERNAL\"` on Google, a frontend with `subnet_id` " +
		"instead of `public_ip_address_id` on Azure. Reach it from elsewhere by VPN or peering.",
	References: []string{
		"https://etcd.io/docs/v3.6/op-guide/security/",
		"https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html#load-balancer-scheme",
		"https://cloud.google.com/load-balancing/docs/forwarding-rule-concepts",
	},
	Check:    checkLBPublic,
	Unjudged: lbPublicUnjudged,
}

// inside spells an internal load balancer.
var inside = remedies{
	"aws": "set internal = true", "aws-classic": "set internal = true",
	"azure": "give the frontend subnet_id instead of public_ip_address_id",
	"gcp":   `set load_balancing_scheme = "INTERNAL"`,
	"":      `use an internal passthrough load balancer: load_balancing_scheme = "INTERNAL"`, // Google's others
}

func checkLBPublic(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range balancers(g) {
		if !b.Internal.Known() || b.Internal.V {
			continue
		}
		how := "faces the internet"
		if b.Internal.State == topology.Defaulted {
			how = "faces the internet, as it does where nothing is written"
		}
		out = append(out, diag.Diagnostic{
			Span:     b.Internal.Span,
			Severity: diag.Error,
			Message:  fmt.Sprintf("%s %s, so anybody may try etcd's door; need an internal one", b.Called(), how),
			Hint:     inside.of(b.Source, b.Proxy),
			Subject:  b.Subject,
		})
	}
	return out
}

func lbPublicUnjudged(g *topology.Group) string {
	for _, b := range balancers(g) {
		if unread(b.Internal) {
			return variable("whether the load balancer is internal")
		}
	}
	return ""
}
