package lower

import (
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// kubernetes decides how kube-apiserver reaches etcd, in two ways: past the load balancer, and through it with the
// members behind it, since its client is to survive the load balancer. What is kept apart from the rest of its data is
// served alike.
func (l *lowering) kubernetes(options *topology.Tree) {
	var direct []topology.Value[string]
	for _, u := range l.t.Etcd.DirectURLs() {
		direct = append(direct, topology.DefaultAt(u, options.Span))
	}
	balancer := topology.DefaultAt(l.t.BalancerURL(), options.Span)
	through := append([]topology.Value[string]{balancer}, slices.DeleteFunc(slices.Clone(direct), func(v topology.Value[string]) bool {
		return v.V == balancer.V
	})...)
	for _, endpoints := range [][]topology.Value[string]{direct, through} {
		d := topology.Dialer{Program: "kube-apiserver", Endpoints: endpoints, Certificate: l.Clients.Certificate, Span: options.Span}
		for range options.Get("overrides").Items() {
			d.Overrides = append(d.Overrides, endpoints...)
		}
		l.t.Dialers = append(l.t.Dialers, d)
	}
}
