package rules_test

import (
	"net/netip"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func TestPeerViaLB(t *testing.T) {
	for name, tc := range map[string]struct {
		file *topology.Topology
		spec bool
		want []string
	}{
		"client port":                 {file: proxy("etcd", 2379, 2379)},
		"server, by port":             {file: proxy("a", 2379, 2380), want: []string{"error: sends to the peer port 2380"}},
		"server, by name":             {file: proxy("etcd", 2379, 2380), want: []string{"error!: sends to the peer port 2380"}},
		"listener, wherever it leads": {file: proxy("a", 2380, 7000), want: []string{"error: accepts connections on the peer port 2380"}},
		"both":                        {file: proxy("a", 2380, 2380), want: []string{"error: sends to the peer port 2380", "error: accepts connections on the peer port 2380"}},
		"another service":             {file: proxy("a", 2381, 2381)},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, check("peer-via-lb", tc.file), tc.want...)
		})
	}
	t.Run("the spec's peer port", func(t *testing.T) {
		s, file := spec(), proxy("a", 2379, 7001)
		s.Etcd.PeerPort = set(7001)
		file.Proxies[0].Pools[0].Servers[0].Host = set("10.0.1.11")
		expect(t, check("peer-via-lb", s, file), "error!: sends to the peer port 7001")
		expect(t, check("peer-via-lb", s, proxy("a", 2379, 2379)))
	})
}

func TestPeerViaLBInURLs(t *testing.T) {
	s := spec()
	s.Etcd.Members[0].PeerURLs = []topology.Value[string]{set("https://ETCD-LB.example.com:2380")}
	s.Etcd.Members[1].PeerURLs = []topology.Value[string]{set("https://10.0.1.12:2380")}
	expect(t, check("peer-via-lb", s), `error!: member "etcd-1" advertises the load balancer`)
}

func TestPeerViaLBInFirewalls(t *testing.T) {
	from := func(p string) topology.Value[netip.Prefix] { return set(netip.MustParsePrefix(p)) }
	accept := func(p string, ports ...topology.PortRange) topology.FirewallRule {
		return topology.FirewallRule{Verdict: topology.Accept, Protocol: "tcp", From: from(p), Ports: ports}
	}
	drop := accept("0.0.0.0/0")
	drop.Verdict = topology.Drop
	limited := accept("10.0.1.100/32", topology.Port(2380))
	limited.Limited = true
	byName := topology.FirewallRule{Verdict: topology.Accept, FromName: set("etcd-lb.example.com")}
	for name, tc := range map[string]struct {
		rules []topology.FirewallRule
		role  string
		node  string
		want  []string
	}{
		"the VIP":                  {rules: []topology.FirewallRule{accept("10.0.1.100/32", topology.PortRange{First: 2379, Last: 2380})}, want: []string{"error!: load balancer 10.0.1.100"}},
		"every port":               {rules: []topology.FirewallRule{accept("10.0.1.100/32")}, want: []string{"error!: load balancer 10.0.1.100"}},
		"by name":                  {rules: []topology.FirewallRule{byName}, want: []string{"error!: load balancer etcd-lb.example.com"}},
		"a machine of it":          {rules: []topology.FirewallRule{accept("10.0.1.101/32", topology.Port(2380))}, node: "10.0.1.101", want: []string{"error!: 10.0.1.101"}},
		"a machine that is member": {rules: []topology.FirewallRule{accept("10.0.1.11/32", topology.Port(2380))}, node: "10.0.1.11"},
		"the client port":          {rules: []topology.FirewallRule{accept("10.0.1.100/32", topology.Port(2379))}},
		"a member":                 {rules: []topology.FirewallRule{accept("10.0.1.12/32", topology.Port(2380))}},
		"a wider range":            {rules: []topology.FirewallRule{accept("10.0.1.0/24", topology.Port(2380))}},
		"refused before":           {rules: []topology.FirewallRule{drop, accept("10.0.1.100/32")}},
		"refused after":            {rules: []topology.FirewallRule{accept("10.0.1.100/32"), drop}, want: []string{"error!: 10.0.1.100"}},
		"perhaps not at all":       {rules: []topology.FirewallRule{limited}},
		"on the balancer itself":   {rules: []topology.FirewallRule{accept("10.0.1.100/32")}, role: topology.Nodes},
	} {
		t.Run(name, func(t *testing.T) {
			s := spec()
			if tc.node != "" {
				s.Nodes = []topology.Node{{Name: set("lb-1"), Address: set(netip.MustParseAddr(tc.node))}}
			}
			f := &topology.Topology{Format: "iptables", Firewalls: []topology.Firewall{{Role: tc.role, Family: topology.IPv4, Rules: tc.rules}}}
			expect(t, check("peer-via-lb", s, f), tc.want...)
		})
	}
	t.Run("security groups", func(t *testing.T) {
		f := &topology.Topology{Format: "terraform", Firewalls: []topology.Firewall{
			{Role: topology.Balancer, Rules: []topology.FirewallRule{accept("10.0.0.0/8")}},
			{Role: topology.Members, Rules: []topology.FirewallRule{
				{Verdict: topology.Accept, Protocol: "tcp", Ports: []topology.PortRange{topology.Port(2380)}, FromName: set(topology.Balancer)},
				{Verdict: topology.Accept, Protocol: "tcp", Ports: []topology.PortRange{topology.Port(2380)}, FromName: set(topology.Members)},
			}},
		}}
		expect(t, check("peer-via-lb", f), "error: lets the load balancer reach")
	})
}
