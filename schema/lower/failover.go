package lower

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// failover decides in which order the load balancers behind the name are tried.
func (l *lowering) failover(options *topology.Tree) {
	f := &topology.Failover{Host: l.LoadBalancer.Host.V, Port: l.LoadBalancer.Port.V}
	endpoints := options.Get("endpoints")
	for _, name := range endpoints.Keys() {
		e := endpoints.Fields[name]
		address, _ := netip.ParseAddr(topology.Get[string](e, "address").V)
		f.Endpoints = append(f.Endpoints, topology.FailoverEndpoint{
			Name:     name,
			Address:  topology.SetAt(address.Unmap(), e.Get("address").At(e.Span)),
			Priority: topology.Get[int](e, "priority"),
		})
	}
	slices.SortStableFunc(f.Endpoints, func(a, b topology.FailoverEndpoint) int { return cmp.Compare(b.Priority.V, a.Priority.V) })
	l.t.Failover = f
	if len(f.Endpoints) == 0 {
		return
	}
	first := f.Endpoints[0]
	for _, e := range f.Endpoints {
		if topology.FamilyOf(e.Address.V) != topology.FamilyOf(first.Address.V) {
			l.diags.Error(e.Address.Span, "unsupported", fmt.Sprintf("endpoint %q has address %s and endpoint %q has %s, but one name fails over within one family; "+
				"need addresses of the same", e.Name, e.Address.V, first.Name, first.Address.V), "")
		}
	}
	if topology.Get[string](options, "provider").V == "clouddns" {
		l.cloudDNS(f)
	}
}

// cloudDNS says what Cloud DNS cannot do: it knows the health of Google's internal load balancers, which have IPv4
// addresses, and one order alone, first and others.
func (l *lowering) cloudDNS(f *topology.Failover) {
	for _, e := range f.Endpoints {
		if !e.Address.V.Is4() || !e.Address.V.IsPrivate() {
			l.diags.Error(e.Address.Span, "unsupported", fmt.Sprintf("endpoint %q has address %s, but Cloud DNS checks internal load balancers of GCP here; "+
				"need a private IPv4 address", e.Name, e.Address.V), `use provider: "route53" for other endpoints`)
		}
	}
	for _, e := range f.Endpoints[min(2, len(f.Endpoints)):] {
		if e.Priority.V != f.Endpoints[1].Priority.V {
			l.unsupported(e.Priority.Span, fmt.Sprintf("endpoint %q has priority %d and endpoint %q has %d, but Cloud DNS takes all but the first alike, the nearest before others",
				e.Name, e.Priority.V, f.Endpoints[1].Name, f.Endpoints[1].Priority.V), "give them the same priority")
		}
	}
}
