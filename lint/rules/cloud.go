package rules

import (
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// balancer is a load balancer that is etcd's: a program, or one of a cloud.
type balancer struct {
	*topology.Proxy
	Source  *topology.Topology
	Subject string
	called  string // what it is before: `target group "etcd"`
}

// Called names the load balancer in a sentence.
func (b balancer) Called() string { return "the load balancer of " + b.called }

// balancers are the cloud load balancers with a pool or a listener that is etcd's, each once.
func balancers(g *topology.Group) []balancer {
	return slices.DeleteFunc(proxies(g), func(b balancer) bool { return !b.Cloud() })
}

// proxies are the load balancers of all kinds with a pool or a listener that is etcd's, each once.
func proxies(g *topology.Group) []balancer {
	var out []balancer
	seen := map[*topology.Proxy]bool{}
	add := func(p *topology.Proxy, t *topology.Topology, subject, called string) {
		if !seen[p] {
			seen[p] = true
			out = append(out, balancer{p, t, subject, called})
		}
	}
	for _, b := range g.EtcdPools() {
		add(b.Proxy, b.Source, b.Subject(), b.Called())
	}
	for _, l := range g.EtcdListeners() {
		add(l.Proxy, l.Source, l.Subject(), l.Called())
	}
	return out
}

// unread reports whether a fact is written down in a way that only a run would resolve.
func unread[T any](v topology.Value[T]) bool { return !v.Known() && v.Span.Line > 0 }

// variable says that a setting could not be read.
func variable(setting string) string {
	return setting + " is not in the files: a variable, a placeholder or set elsewhere"
}
