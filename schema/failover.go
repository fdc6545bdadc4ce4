package schema

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// failover checks what a name needs that leads to several load balancers.
func (k checker) failover() {
	t := k.Targets["terraform"].Get("dnsFailover")
	if t == nil {
		return
	}
	if !k.LoadBalancer.Host.Known() {
		k.fail(t.Span, "targets.terraform.dnsFailover fails over a name, but clients dial an address; need loadBalancer.host", `add loadBalancer: host: "…"`)
	}
	endpoints := t.Get("endpoints")
	if len(endpoints.Keys()) < 2 {
		k.fail(endpoints.At(t.Span), fmt.Sprintf("targets.terraform.dnsFailover has %d endpoints, so there is nothing to fail over to; need two", len(endpoints.Keys())), "")
	}
	var all []owned
	for _, name := range endpoints.Keys() {
		address := decoder{k.List}.addr(endpoints.Fields[name].Get("address"))
		all = append(all, owned{fmt.Sprintf("endpoint %q", name), topology.SetAt(address.V.Unmap(), address.Span)})
	}
	k.unique(all)
}
