package schema

import (
	"fmt"
	"net/netip"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// place is a port on a machine.
type place struct {
	host string
	port int
}

type claim struct {
	cluster string
	what    string
	span    diag.Span
}

// checkFleet reports listeners of two clusters on one machine.
func checkFleet(clusters []*Cluster, l *diag.List) {
	claims := map[place]claim{}
	for _, c := range clusters {
		seen := map[place]bool{}
		for _, p := range c.places() {
			if seen[p.place] {
				continue
			}
			seen[p.place] = true
			other, taken := claims[p.place]
			if !taken {
				claims[p.place] = p.claim
				continue
			}
			*l = append(*l, diag.Diagnostic{
				Span: p.span, Severity: diag.Error, Rule: "spec",
				Message: fmt.Sprintf("%s of cluster %q is at %s port %d, as is %s of cluster %q; need a machine or port of its own",
					p.what, p.cluster, p.host, p.port, other.what, other.cluster),
				Related: []diag.Related{{Span: other.span, Message: "the other one"}},
			})
		}
	}
}

type claimed struct {
	place
	claim
}

// places is where the cluster's own programs listen.
func (c *Cluster) places() []claimed {
	var out []claimed
	add := func(host string, port topology.Value[int], what string, span diag.Span) {
		if host != "" && port.Known() {
			out = append(out, claimed{place{host, port.V}, claim{c.Name.V, what, span}})
		}
	}
	lb := c.LoadBalancer
	if !lb.Local() {
		add(lb.Host.V, lb.Port, "the listener", lb.Host.Span)
		for _, v := range append([]topology.Value[netip.Addr]{lb.VIP, lb.VIP6}, lb.Listen...) {
			if v.Known() && !v.V.IsUnspecified() {
				add(v.V.String(), lb.Port, "the listener", v.Span)
			}
		}
	}
	for _, n := range c.Nodes {
		for _, a := range n.Addresses() {
			if len(lb.Listen) == 0 {
				add(a.V.String(), lb.Port, "the listener", a.Span)
			}
			add(a.V.String(), topology.Get[int](c.Targets["haproxy"], "metricsPort"), "the metrics listener", a.Span)
			add(a.V.String(), c.HealthPort(), "the answer to keepalived's check", a.Span)
		}
	}
	for _, m := range c.Etcd.Members {
		for _, a := range m.Addresses() {
			add(a.V.String(), c.Etcd.ClientPort, fmt.Sprintf("member %q", m.Name.V), a.Span)
			add(a.V.String(), c.Etcd.PeerPort, fmt.Sprintf("member %q", m.Name.V), a.Span)
			add(a.V.String(), c.Etcd.MetricsPort, fmt.Sprintf("member %q", m.Name.V), a.Span)
		}
	}
	return out
}
