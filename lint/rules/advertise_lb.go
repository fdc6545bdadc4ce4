package rules

import (
	"fmt"
	"net/netip"
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
	balancers, others := g.Balancers(), advertisers(g)
	for _, t := range g.Sources {
		for _, m := range t.Etcd.Members {
			for _, v := range m.ClientURLs {
				u, ok := topology.ParseURL(v)
				what := "the load balancer " + u.Host + " to clients"
				if !balancers[u.Host] {
					other := others.beside(t, m, v)
					if !ok || other == "" {
						continue
					}
					what = fmt.Sprintf("%s to clients, as %s does", v.V, other)
				}
				out = append(out, diag.Diagnostic{
					Span:     v.Span,
					Severity: diag.Error,
					Message: fmt.Sprintf("%s advertises %s, so whoever asks for the members finds it in "+
						"their place; need the member's own address", called("member", m.Name), what),
					Hint:    "advertise an address that only this member has",
					Subject: "member " + m.Name.V + " client URLs",
				})
			}
		}
	}
	return out
}

// urlsOf are the URLs that clients are told, each with the names of the members that tell it.
type urlsOf map[string][]string

// advertisers are the members by what they advertise. Loopback and all addresses are no place that two could share.
func advertisers(g *topology.Group) urlsOf {
	out := urlsOf{}
	for _, t := range g.Sources {
		for _, m := range t.Etcd.Members {
			for _, v := range m.ClientURLs {
				u, ok := topology.ParseURL(v)
				if a, err := netip.ParseAddr(u.Host); !ok || !m.Name.Known() || u.OnLoopback() || err == nil && a.IsUnspecified() {
					continue
				}
				out[v.V] = append(out[v.V], m.Name.V)
			}
		}
	}
	return out
}

// beside is another member of m's cluster, which t lists, that advertises the same URL, in words; "" where there is none.
func (u urlsOf) beside(t *topology.Topology, m topology.Member, v topology.Value[string]) string {
	for _, other := range t.Etcd.Members {
		if m.Name.Known() && other.Name.V != m.Name.V && slices.Contains(u[v.V], other.Name.V) {
			return fmt.Sprintf("member %q", other.Name.V)
		}
	}
	return ""
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
