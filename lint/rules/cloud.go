package rules

import "github.com/etcdlbgen/etcdlbgen/schema/topology"

// balancer is a load balancer of a cloud that is etcd's.
type balancer struct {
	*topology.Proxy
	Subject string
	called  string // what it is before: `target group "etcd"`
}

// Called names the load balancer in a sentence.
func (b balancer) Called() string { return "the load balancer of " + b.called }

// balancers are the cloud load balancers with a pool or a listener that is etcd's, each once.
func balancers(g *topology.Group) []balancer {
	var out []balancer
	seen := map[*topology.Proxy]bool{}
	add := func(p *topology.Proxy, subject, called string) {
		if p.Cloud() && !seen[p] {
			seen[p] = true
			out = append(out, balancer{p, subject, called})
		}
	}
	for _, b := range g.EtcdPools() {
		add(b.Proxy, b.Subject(), b.Called())
	}
	for _, l := range g.EtcdListeners() {
		add(l.Proxy, l.Subject(), l.Called())
	}
	return out
}

// unread reports whether a fact is written down in a way that only a run would resolve.
func unread[T any](v topology.Value[T]) bool { return !v.Known() && v.Span.Line > 0 }

// variable says that a setting could not be read.
func variable(setting string) string {
	return setting + " is not in the files: a variable, a placeholder or set elsewhere"
}
