package rules

import (
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var advertiseLB = Rule{
	ID:       "advertise-lb",
	Title:    "a member advertises the load balancer to clients",
	Severity: "error",
	Why: "advertise-client-urls is how a member says where it is itself. Clients that sync their endpoints, `etcdctl --cluster` and " +
		"other members use it. Where it is the load balancer, all members look like one: `etcdctl endpoint status --cluster` asks " +
		"some member three times, and a defragmentation or an alarm hits the wrong one.",
	Fix: "Set advertise-client-urls to an address or name that only this member has. The load balancer belongs in the clients' own list of endpoints.",
	References: []string{
		"etcd-io/etcd#6902", "flannel-io/flannel#528", "kubernetes/kubernetes#64746",
		"https://etcd.io/docs/v3.6/op-guide/configuration/#clustering",
	},
	Check:    checkAdvertiseLB,
	Unjudged: advertiseLBUnjudged,
}

func checkAdvertiseLB(g *topology.Group) diag.List {
	var out diag.List
	balancers := g.Balancers()
	for _, t := range g.Sources {
		for _, m := range t.Etcd.Members {
			for _, v := range m.ClientURLs {
				u, ok := topology.ParseURL(v)
				if !ok || !balancers[u.Host] {
					continue
				}
				out = append(out, diag.Diagnostic{
					Span:     v.Span,
					Severity: diag.Error,
					Message: fmt.Sprintf("%s advertises the load balancer %s to clients, so whoever asks for the members finds it in "+
						"their place; need the member's own address", called("member", m.Name), u.Host),
					Hint:    "advertise an address that only this member has",
					Subject: "member " + m.Name.V + " client URLs",
				})
			}
		}
	}
	return out
}

func advertiseLBUnjudged(g *topology.Group) string {
	if len(g.Balancers()) > 0 || len(g.Dialed())+len(g.Endpoints) > 0 {
		return ""
	}
	for _, t := range g.Sources {
		for _, m := range t.Etcd.Members {
			if t.Format != "spec" && slices.ContainsFunc(m.ClientURLs, topology.Value[string].Known) {
				return "no endpoint known: pass --endpoint"
			}
		}
	}
	return ""
}
