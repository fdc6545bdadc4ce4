package topology

import (
	"net/netip"
	"slices"
	"strings"
)

// GoogleProbes are where the probes of Google's load balancers come from, but for external ones that pass packets on.
var GoogleProbes = []netip.Prefix{netip.MustParsePrefix("35.191.0.0/16"), netip.MustParsePrefix("130.211.0.0/22")}

// CloudBalancer is what a spec says of one cloud's load balancer, gathered for those who write it down.
type CloudBalancer struct {
	Name      string // of everything that is made for it: "etcd-prod"
	Host      string // the first name that clients dial; "" where they dial none
	Names     []string
	Addresses []string // that clients dial, loopback left out
	Scheme    string
	Proxy     *Proxy
	Listener  Listener
	Pool      Pool // without the servers that get no new connection
	Firewalls []Firewall
	Quorum    int // healthy servers below which etcd is about to lose, or has lost, its quorum
}

// CloudBalancer gathers what a target writes of a platform; nil where the spec asks for none.
func (t *Topology) CloudBalancer(target, platform string) *CloudBalancer {
	for i := range t.Proxies {
		p := &t.Proxies[i]
		if p.Target != target || p.Platform != platform || len(p.Listeners) == 0 || len(p.Listeners[0].Routes) == 0 {
			continue
		}
		pool := p.Pool(p.Listeners[0].Routes[0].Pool.V)
		if pool == nil {
			continue
		}
		b := &CloudBalancer{
			Name: "etcd-" + t.Name.V, Scheme: t.Etcd.Scheme.V,
			Proxy: p, Listener: p.Listeners[0], Pool: *pool,
		}
		b.Pool.Servers = slices.DeleteFunc(slices.Clone(pool.Servers), func(s Server) bool { return s.Drain.V })
		for _, f := range t.Firewalls {
			if f.Target == target && f.Platform == platform {
				b.Firewalls = append(b.Firewalls, f)
			}
		}
		b.dial(t.Dialed)
		b.Quorum = t.Etcd.quorum(len(b.Pool.Servers))
		return b
	}
	return nil
}

// dial splits what clients dial into names and addresses.
func (b *CloudBalancer) dial(dialed []Value[string]) {
	for _, d := range dialed {
		addr, err := netip.ParseAddr(d.V)
		switch {
		case err != nil:
			b.Names = append(b.Names, d.V)
		case !addr.IsLoopback():
			b.Addresses = append(b.Addresses, d.V)
		}
	}
	if len(b.Names) > 0 {
		b.Host = b.Names[0]
	}
}

// quorum is that of the voting members, but never more than there are servers.
func (e Etcd) quorum(servers int) int {
	voters := 0
	for _, m := range e.Members {
		if !m.Learner.V {
			voters++
		}
	}
	return min(max(voters, servers)/2+1, servers)
}

// Servers are the names of the members behind the load balancer.
func (b *CloudBalancer) Servers() []string {
	out := make([]string, len(b.Pool.Servers))
	for i, s := range b.Pool.Servers {
		out[i] = s.Name.V
	}
	return out
}

// Title is what it is for, in a sentence.
func (b *CloudBalancer) Title() string { return "etcd cluster " + strings.TrimPrefix(b.Name, "etcd-") }

// Placed reports whether the spec says where every server is.
func (b *CloudBalancer) Placed() bool {
	return !slices.ContainsFunc(b.Pool.Servers, func(s Server) bool { return !s.Host.Known() })
}

// IPv6 reports whether the servers' addresses are of that family.
func (b *CloudBalancer) IPv6() bool { return slices.ContainsFunc(b.Pool.Servers, serves6) }

func serves6(s Server) bool {
	addr, err := netip.ParseAddr(s.Host.V)
	return err == nil && FamilyOf(addr) == IPv6
}

// DualStack reports whether it needs IPv6 addresses beside IPv4 ones: for its servers, for those who dial it, or for whom
// it admits.
func (b *CloudBalancer) DualStack() bool {
	dialed6 := func(a string) bool { return FamilyOf(netip.MustParseAddr(a)) == IPv6 }
	admits6 := func(f Firewall) bool { return f.Family == IPv6 && f.Role == Balancer }
	return b.IPv6() || slices.ContainsFunc(b.Addresses, dialed6) || slices.ContainsFunc(b.Firewalls, admits6)
}

// Role are the firewalls of one role, one a family.
func (b *CloudBalancer) Role(role string) []Firewall {
	return slices.DeleteFunc(slices.Clone(b.Firewalls), func(f Firewall) bool { return f.Role != role })
}

// MemberPort is the one that the servers serve clients on.
func (b *CloudBalancer) MemberPort() int {
	if len(b.Pool.Servers) == 0 {
		return b.Port()
	}
	return b.Pool.Servers[0].Port.V
}

// Port is the one that clients dial.
func (b *CloudBalancer) Port() int {
	if len(b.Listener.Binds) == 0 {
		return 0
	}
	return b.Listener.Binds[0].Port.V
}

// AzureProbes are where the probes of Azure's load balancers come from, AzureTag what its firewalls call that.
var AzureProbes = []netip.Prefix{netip.MustParsePrefix("168.63.129.16/32")}

// AzureTag is the name of AzureProbes in Azure's security rules.
const AzureTag = "AzureLoadBalancer"

// AzureSlots is how many numbers there are for the security rules that are for one member each: Azure tells rules apart by
// their priorities.
const AzureSlots = 900
