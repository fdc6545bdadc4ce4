package show

import (
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// policy is the inbound rules of one kind of machine in one family, by all targets that write the same.
type policy struct {
	Targets []string `json:"targets"`
	Role    string   `json:"role"` // members, nodes or balancer
	Family  string   `json:"family"`
	Observe bool     `json:"observe,omitempty"` // accepts what it would refuse, and logs it
	Ports   []string `json:"ports"`             // that it decides on; none: all
	Rules   []rule   `json:"rules"`             // in effective order
}

type rule struct {
	Verdict  string   `json:"verdict"`
	From     string   `json:"from"`
	Who      []string `json:"who"` // of the spec
	Protocol string   `json:"protocol"`
	Ports    []string `json:"ports"` // none: all
}

// policies are what the targets of the spec enforce.
func policies(t *topology.Topology) []policy {
	out := []policy{}
	for _, f := range t.Firewalls {
		p := policy{
			Role: f.Role, Family: fmt.Sprintf("IPv%d", f.Family), Observe: f.Observe.V, Ports: ports(f.Guarded), Rules: []rule{},
		}
		for _, r := range f.Rules {
			p.Rules = append(p.Rules, ruleOf(t, r))
		}
		same := slices.IndexFunc(out, func(o policy) bool {
			return o.Role == p.Role && o.Family == p.Family && o.Observe == p.Observe && fmt.Sprint(o.Rules) == fmt.Sprint(p.Rules)
		})
		if same < 0 {
			out = append(out, p)
			same = len(out) - 1
		}
		out[same].Targets = append(out[same].Targets, f.Target)
	}
	return out
}

func ruleOf(t *topology.Topology, r topology.FirewallRule) rule {
	out := rule{Verdict: string(r.Verdict), Protocol: r.Protocol, Ports: ports(r.Ports), Who: []string{}}
	switch {
	case r.Loopback:
		out.From = "loopback"
	case r.Established:
		out.From = "established connections"
	case r.FromName.Known():
		out.From = "group " + r.FromName.V
	case r.From.Known() && r.From.V.Bits() == 0:
		out.From = "anybody"
	case r.From.Known():
		out.From, out.Who = r.From.V.String(), who(t, r.From.V)
	}
	return out
}

// who is who has an address or a network, by the spec.
func who(t *topology.Topology, p netip.Prefix) []string {
	out := []string{}
	add := func(name string, has bool) {
		if has && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	machine := func(name string, addrs []topology.Value[netip.Addr]) {
		add(name, slices.ContainsFunc(addrs, func(a topology.Value[netip.Addr]) bool { return p.IsSingleIP() && p.Addr() == a.V }))
	}
	network := func(name string, all []topology.Value[netip.Prefix]) {
		add(name, slices.ContainsFunc(all, func(o topology.Value[netip.Prefix]) bool { return o.V == p }))
	}
	for _, m := range t.Etcd.Members {
		machine("member "+m.Name.V, m.Addresses())
	}
	for _, n := range t.Nodes {
		machine("node "+n.Name.V, n.Addresses())
	}
	machine("cloud load balancer", t.Cloud)
	machine("kube-apiserver", t.Clients.KubeAPIServers)
	network("clients", t.Clients.Networks)
	network("direct clients", t.Clients.Direct)
	network("monitoring", t.Monitoring)
	return out
}

// ports are port ranges as texts.
func ports(ranges []topology.PortRange) []string {
	out := []string{}
	for _, r := range ranges {
		text := strconv.Itoa(r.First)
		if r.Last != r.First {
			text += "-" + strconv.Itoa(r.Last)
		}
		out = append(out, text)
	}
	return out
}

// named are ports with what the cluster has there.
func named(t *topology.Topology, ports []string) string {
	out := slices.Clone(ports)
	for i, p := range out {
		if n, err := strconv.Atoi(p); err == nil && portName(t, n) != "" {
			out[i] += " (" + portName(t, n) + ")"
		}
	}
	return strings.Join(out, ", ")
}

func portName(t *topology.Topology, port int) string {
	for _, p := range []struct {
		name string
		port topology.Value[int]
	}{
		{"client", t.Etcd.ClientPort},
		{"peer", t.Etcd.PeerPort},
		{"metrics", t.Etcd.MetricsPort},
		{"client HTTP", t.Etcd.ClientHTTPPort},
		{"load balancer", t.BalancerPort},
	} {
		if p.port.Known() && p.port.V == port {
			return p.name
		}
	}
	return ""
}

func firewallValue(t *topology.Topology) any { return policies(t) }

func firewallText(w io.Writer, t *topology.Topology) {
	for i, p := range policies(t) {
		if i > 0 {
			fmt.Fprintln(w)
		}
		mode := ""
		if p.Observe {
			mode = ", only observed"
		}
		on := ""
		if len(p.Ports) > 0 {
			on = ", ports " + named(t, p.Ports)
		}
		fmt.Fprintf(w, "%s, %s (%s)%s%s:\n", p.Role, p.Family, strings.Join(p.Targets, ", "), on, mode)
		var rows [][]string
		for _, r := range p.Rules {
			rows = append(rows, []string{"  " + r.Verdict, from(r), strings.TrimSpace(r.Protocol + " " + named(t, r.Ports))})
		}
		table(w, rows)
	}
}

func from(r rule) string {
	if len(r.Who) == 0 {
		return r.From
	}
	return r.From + " (" + strings.Join(r.Who, ", ") + ")"
}

// firewallDiagram draws who is admitted to what. Names of its own keep clear of Mermaid's words.
func firewallDiagram(t *topology.Topology) []string {
	lines := []string{"flowchart LR"}
	var sources, roles []string
	node := func(known *[]string, letter, text string) string {
		i := slices.Index(*known, text)
		if i < 0 {
			*known = append(*known, text)
			i = len(*known) - 1
			lines = append(lines, fmt.Sprintf("    %s%d[%q]", letter, i+1, text))
		}
		return fmt.Sprintf("%s%d", letter, i+1)
	}
	for _, p := range policies(t) {
		role := node(&roles, "r", p.Role)
		for _, r := range p.Rules {
			if r.Verdict != string(topology.Accept) || r.From == "loopback" || r.From == "established connections" {
				continue
			}
			what := named(t, r.Ports)
			if what == "" {
				what = r.Protocol
			}
			edge := fmt.Sprintf(`    %s -- "%s" --> %s`, node(&sources, "s", from(r)), what, role)
			if !slices.Contains(lines, edge) {
				lines = append(lines, edge)
			}
		}
	}
	return lines
}
