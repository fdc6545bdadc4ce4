package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var firewallOpen = Rule{
	ID:       "firewall-open",
	Title:    "etcd's ports are open to everybody",
	Severity: "error",
	Why: "Whoever can open a connection can fill etcd's memory with handshakes, and reads everything if client certificates are off or " +
		"one leaks. The peer port of a cluster without peer certificates lets a stranger replace its data; the metrics port has no " +
		"authentication at all.",
	Fix: "Name the sources: the load balancer's machines and whoever may bypass them for the client port, members for the peer port, " +
		"monitoring for the metrics.",
	References: []string{
		"https://etcd.io/docs/v3.6/op-guide/security/",
		"https://kubernetes.io/docs/tasks/administer-cluster/configure-upgrade-etcd/#securing-etcd-clusters",
	},
	Check: checkFirewallOpen,
}

func checkFirewallOpen(g *topology.Group) diag.List {
	var out diag.List
	for _, w := range walls(g) {
		for i, r := range w.Rules {
			if r.Verdict != topology.Accept || r.Loopback || r.Established || !anywhere(r) {
				continue
			}
			ports := w.opened(g, i)
			if len(ports) == 0 {
				continue
			}
			out = append(out, w.finding(diag.Error, w.place(r), "name the sources that need it",
				"a firewall rule opens %s to everybody, though nobody but members, the load balancer and monitoring needs them; "+
					"need a source in the rule", list(ports)))
		}
	}
	return out
}

// opened are the ports of etcd that the i-th rule, which has no source, opens.
func (w wall) opened(g *topology.Group, i int) []string {
	var out []string
	r := w.Rules[i]
	for _, p := range []struct {
		name string
		port int
	}{{"client", g.ClientPort()}, {"load balancer's", w.balancerPort(g)}, {"peer", g.PeerPort()}, {"metrics", g.MetricsPort()}} {
		if p.port == 0 || !w.about(r, p.port) || refusedBefore(w.Rules[:i], r, p.port) {
			continue
		}
		if p.name == "metrics" && !w.etcds(g) {
			continue
		}
		out = append(out, fmt.Sprintf("the %s port %d", p.name, p.port))
	}
	return out
}

// etcds reports whether the firewall stands before etcd: a rule names the client or the peer port, or its name says so.
// Others use the port of the metrics, too.
func (w wall) etcds(g *topology.Group) bool {
	if g.Spec() != nil || topology.NamesEtcd(w.Name.V) {
		return true
	}
	for _, r := range w.Rules {
		if w.about(r, g.ClientPort()) || w.about(r, g.PeerPort()) {
			return true
		}
	}
	return false
}

// balancerPort is where clients dial the load balancer, if the firewall stands before it and that is another port than the
// members'; else none, which is 0.
func (w wall) balancerPort(g *topology.Group) int {
	spec := g.Spec()
	if spec == nil || w.Role != topology.Nodes && w.Role != topology.Balancer || spec.BalancerPort.V == g.ClientPort() {
		return 0
	}
	return spec.BalancerPort.V
}
