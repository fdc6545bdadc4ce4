package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var singleEndpoint = Rule{
	ID:       "single-endpoint",
	Title:    "kube-apiserver depends on the load balancer alone",
	Severity: "warning",
	Why: "kube-apiserver's etcd client fails over between the endpoints it is given, and checks each. With the load balancer as its " +
		"only one there is nothing to fail over to: while the load balancer is down or unreachable, so is the whole control plane, " +
		"though etcd is well.",
	Fix: "List the members in --etcd-servers, which needs no load balancer, or run a load balancer on each control plane and dial it " +
		"on loopback. If it must be the load balancer, add the members behind it.",
	References: []string{
		"kubernetes/kubernetes#48455", "kubernetes/kubernetes#67341", "kubernetes/kubernetes#59074", "kubernetes/kubernetes#128812",
		"https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/",
	},
	Check:    checkSingleEndpoint,
	Unjudged: singleEndpointUnjudged,
}

// balancerName matches host names and variables that say that they are a load balancer's.
var balancerName = pattern.New(`(?i)(^|[^a-z])(n?lb|elb|slb|ilb|vip|load-?_?balancer|haproxy)([^a-z]|$)`)

func checkSingleEndpoint(g *topology.Group) diag.List {
	var out diag.List
	balancers, members := g.Balancers(), g.MemberHosts()
	for _, d := range apiServers(g) {
		at, who := d.Placeholder.Span, d.Placeholder.V
		u, ok := onlyEndpoint(d)
		switch {
		case !ok && balancerName.MatchString(who):
		case !ok || u.OnLoopback() || members[u.Host] || !balancers[u.Host] && !balancerName.MatchString(u.Host):
			continue
		default:
			at, who = d.Endpoints[0].Span, u.Host
		}
		out = append(out, diag.Diagnostic{
			Span:     at,
			Severity: diag.Warning,
			Message: fmt.Sprintf("kube-apiserver has the load balancer %s as its only endpoint of etcd, so the control plane is down "+
				"whenever that is; need the members, or a load balancer on loopback", who),
			Hint: "list the members in its place",
		})
	}
	return out
}

// apiServers are the group's kube-apiservers.
func apiServers(g *topology.Group) []topology.Dialer {
	var out []topology.Dialer
	for _, t := range g.Sources {
		for _, d := range t.Dialers {
			if d.Program == "kube-apiserver" {
				out = append(out, d)
			}
		}
	}
	return out
}

// onlyEndpoint is the one endpoint that a client has; not ok where it has several or that one is not known.
func onlyEndpoint(d topology.Dialer) (topology.URL, bool) {
	if len(d.Endpoints) != 1 {
		return topology.URL{}, false
	}
	return topology.ParseURL(d.Endpoints[0])
}

func singleEndpointUnjudged(g *topology.Group) string {
	balancers, members := g.Balancers(), g.MemberHosts()
	for _, d := range apiServers(g) {
		u, ok := onlyEndpoint(d)
		switch {
		case len(d.Endpoints) != 1 || balancerName.MatchString(d.Placeholder.V):
		case !ok:
			return "--etcd-servers is not in the files: a variable or a placeholder"
		case !u.OnLoopback() && !members[u.Host] && !balancers[u.Host] && !balancerName.MatchString(u.Host):
			return "nothing says whether the only endpoint is the load balancer: pass --endpoint"
		}
	}
	return ""
}
