package cloudcli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// gcp is what the spec says of the internal passthrough load balancer.
func gcp(b *topology.CloudBalancer, e topology.Etcd, options *topology.Tree) *script {
	s := newScript("The internal passthrough load balancer of "+b.Title()+" by the gcloud command. "+`First read what`,
		`"gcp.sh apply --dry-run" says; "gcp.sh --help" says what it needs to know.`)
	zones := map[string]string{}
	for _, m := range e.Members {
		zones[m.Name.V] = m.Zone.V
	}
	s.set("name", b.Name)
	s.set("title", b.Title())
	s.set("host", strings.ToLower(b.Host))
	s.set("servers", strings.Join(b.Servers(), " "))
	s.set("members", pairs(b.Servers(), func(name string) string { return zones[name] }))
	address := ""
	if a := b.Listener.Binds[0].Addr; a.Known() {
		address = a.V.String()
	}
	s.set("address", address)
	s.number("port", b.Port())
	s.set("metrics_port", metricsPort(e))
	s.check(b.Pool.Check, strings.ToLower)
	s.set("global_access", map[bool]string{true: "yes", false: "no"}[topology.Get[bool](options, "globalAccess").V])
	s.list("firewall_rules", gcpRules(b, e))
	return s
}

// gcpRules are who reaches the members: each other, the probes, then whom the spec names, a line for each set of ports.
func gcpRules(b *topology.CloudBalancer, e topology.Etcd) []string {
	type line struct{ label, ports, about string }
	var order []line
	from := map[line][]string{}
	for _, f := range b.Firewalls {
		for _, r := range f.Rules {
			if r.Loopback || r.Established {
				continue
			}
			l, source := line{"clients", ports(r.Ports, ","), "Clients, whose addresses the load balancer keeps, and who reaches members directly"}, "members"
			switch {
			case r.FromName.Known():
				l.label, l.about = "members", "Members of "+b.Title()+" among each other"
			case slices.Contains(b.Pool.Check.Sources, r.From.V):
				l.label, l.about, source = "probes", "Health checks of Google's load balancers", r.From.V.String()
			case e.MetricsPort.Known() && r.Ports[0].First == e.MetricsPort.V:
				l.label, l.about, source = "monitoring", "Metrics of members", r.From.V.String()
			default:
				source = r.From.V.String()
			}
			if f.Family == topology.IPv6 { // a rule of Google's takes one family
				l.label += "-ipv6"
			}
			if from[l] == nil {
				order = append(order, l)
			}
			from[l] = append(from[l], source)
		}
	}
	out := make([]string, len(order))
	for i, l := range order {
		out[i] = fmt.Sprintf("%s %s %s %s", l.label, l.ports, strings.Join(from[l], ","), l.about)
	}
	return out
}
