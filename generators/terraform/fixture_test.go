package terraform

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// cluster is the spec of a test in few words; topology makes the facts of it.
type cluster struct {
	hosts    []string // of members etcd-1, etcd-2, …; "" where the module takes it as a variable
	names    []string // instead of etcd-1, …
	networks []string // of clients
	direct   []string
	monitor  []string
	metrics  int // 0: members are checked by connecting
	inZone   bool
	instance bool
	provider int
	dialed   []string
	static   map[string]string
}

func minimal() cluster {
	return cluster{
		hosts:    []string{"10.0.1.10", "10.0.1.11", "10.0.1.12"},
		provider: 6,
		dialed:   []string{"etcd-lb.internal.example.com", "10.0.1.100"},
	}
}

func full() cluster {
	c := minimal()
	c.networks = []string{"10.0.2.0/24", "fd00:2::/64", "10.0.7.10/32"}
	c.direct = []string{"10.0.9.0/24"}
	c.monitor = []string{"10.0.8.0/24", "fd00:8::/64"}
	c.metrics = 2381
	c.static = map[string]string{"eu-west-1a": "10.0.1.200", "eu-west-1b": "10.0.2.200"}
	return c
}

// cases are the clusters that every oracle sees.
func cases() map[string]cluster {
	five, odd, v6, instance, partial := full(), minimal(), full(), full(), full()
	five.provider = 5
	five.inZone = true
	odd.names = []string{"for", "1", "null"}
	odd.dialed = []string{"10.0.1.100", "127.0.0.1"}
	v6.hosts = []string{"fd00::10", "fd00::11", "fd00::12"}
	instance.instance = true
	instance.hosts = []string{"", "", ""}
	partial.hosts = []string{"", "", "", "", ""}
	return map[string]cluster{
		"minimal": minimal(), "full": full(), "provider 5 in zones": five, "odd names": odd,
		"ipv6": v6, "instances": instance, "addresses left to the variable": partial,
	}
}

func set[T any](v T) topology.Value[T] { return topology.SetAt(v, diag.Span{}) }

func (c cluster) topology() *topology.Topology {
	t := &topology.Topology{Format: "spec", Name: set("prod")}
	t.Etcd = topology.Etcd{Scheme: set("https"), ClientPort: set(2379), PeerPort: set(2380)}
	check := topology.Check{
		Kind: set(topology.CheckTCP), Port: set(2379),
		Interval: set(5 * time.Second), Timeout: set(2 * time.Second), Fall: set(2), Rise: set(2),
	}
	if c.metrics != 0 {
		t.Etcd.MetricsPort = set(c.metrics)
		check.Kind, check.Port = set(topology.CheckHTTP), set(c.metrics)
		check.Method, check.Path = set("GET"), set("/health?exclude=NOSPACE")
	}
	for _, d := range c.dialed {
		t.Dialed = append(t.Dialed, set(d))
	}
	pool := topology.Pool{
		Name: set("etcd-prod"), Mode: set(topology.TCP), Check: check,
		CutOnDown: set(true), CutOnRemoval: set(true), KeepsSource: set(c.instance),
	}
	for i, host := range c.hosts {
		name := fmt.Sprint("etcd-", i+1)
		if c.names != nil {
			name = c.names[i]
		}
		s := topology.Server{Name: set(name), Port: set(2379), Checked: set(true)}
		if host != "" {
			s.Host = set(host)
		}
		pool.Servers = append(pool.Servers, s)
		t.Etcd.Members = append(t.Etcd.Members, topology.Member{Name: set(name)})
	}
	t.Proxies = []topology.Proxy{{
		Target: "terraform", Platform: "aws", Internal: set(true), CrossZone: set(!c.inZone),
		Listeners: []topology.Listener{{
			Mode:   set(topology.TCP),
			Binds:  []topology.Bind{{Port: set(2379)}},
			Routes: []topology.Route{{Pool: set("etcd-prod"), Idle: set(time.Hour)}},
		}},
		Pools: []topology.Pool{pool},
	}}
	t.Firewalls = c.firewalls()
	return t
}

func (c cluster) firewalls() []topology.Firewall {
	from := func(cidrs []string, family topology.Family, port int) []topology.FirewallRule {
		var out []topology.FirewallRule
		for _, cidr := range cidrs {
			p := netip.MustParsePrefix(cidr)
			if topology.FamilyOf(p.Addr()) == family {
				out = append(out, topology.FirewallRule{
					Verdict: topology.Accept, Protocol: "tcp", Ports: []topology.PortRange{topology.Port(port)}, From: set(p),
				})
			}
		}
		return out
	}
	by := func(name string, ports ...int) topology.FirewallRule {
		r := topology.FirewallRule{Verdict: topology.Accept, Protocol: "tcp", FromName: set(name)}
		for _, p := range ports {
			r.Ports = append(r.Ports, topology.Port(p))
		}
		return r
	}
	var out []topology.Firewall
	for _, f := range []topology.Family{topology.IPv4, topology.IPv6} {
		if rules := from(c.networks, f, 2379); rules != nil {
			out = append(out, topology.Firewall{Target: "terraform", Platform: "aws", Role: topology.Balancer, Family: f, Cloud: true, Rules: rules})
		}
	}
	for _, f := range []topology.Family{topology.IPv4, topology.IPv6} {
		var rules []topology.FirewallRule
		if f == topology.IPv4 {
			ports := []int{2379}
			if c.metrics != 0 {
				ports = append(ports, c.metrics)
			}
			rules = append(rules, by(topology.Balancer, ports...), by(topology.Members, 2379, 2380))
		}
		rules = append(rules, from(c.monitor, f, c.metrics)...)
		rules = append(rules, from(c.direct, f, 2379)...)
		if rules != nil {
			out = append(out, topology.Firewall{Target: "terraform", Platform: "aws", Role: topology.Members, Family: f, Cloud: true, Rules: rules})
		}
	}
	return out
}

func (c cluster) options() *topology.Tree {
	leaf := func(v any) *topology.Tree { return &topology.Tree{Leaf: v} }
	aws := map[string]*topology.Tree{
		"provider": leaf(c.provider), "targetType": leaf("ip"), "crossZone": leaf(!c.inZone), "deletionProtection": leaf(true),
	}
	if c.instance {
		aws["targetType"] = leaf("instance")
	}
	if c.static != nil {
		fields := map[string]*topology.Tree{}
		for zone, addr := range c.static {
			fields[zone] = leaf(addr)
		}
		aws["addresses"] = &topology.Tree{Fields: fields}
	}
	return &topology.Tree{Fields: map[string]*topology.Tree{"aws": {Fields: aws}}}
}

// built is what the target writes for a cluster; no diagnostic is expected.
func built(t *testing.T, c cluster) []target.Artifact {
	t.Helper()
	out, diags := Target.Render(c.topology(), c.options(), target.Header{Spec: "spec.cue"})
	if len(diags) > 0 {
		t.Fatalf("unexpected diagnostics: %+v", diags)
	}
	return out
}
