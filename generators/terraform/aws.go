package terraform

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// awsModule is what the AWS module is made of: the facts of the proxy on that platform, its security groups and the
// options that only AWS knows.
type awsModule struct {
	name      string // of everything the module makes: "etcd-prod"
	host      string // what the DNS record is called; "" where clients dial no name
	names     []string
	addresses []string // that clients dial, beside the names
	scheme    string
	etcd      topology.Etcd
	proxy     *topology.Proxy
	listener  topology.Listener
	pool      topology.Pool
	balancer  []topology.Firewall // one a family
	members   []topology.Firewall
	quorum    int // healthy targets below which the alarm rings
	ipv6      bool
	dualStack bool
	literal   bool // the spec says where every target is, so that the variable has a default

	provider   int
	targetType string
	protection bool
	static     map[string]string // address of the load balancer by zone
}

// renderAWS writes a Network Load Balancer with its security groups, alarm and record.
func renderAWS(t *topology.Topology, options *topology.Tree) ([]file, diag.List) {
	m, diags := newAWSModule(t, options)
	if m == nil || diags.Has(diag.Error) {
		return nil, diags
	}
	return []file{m.versions(), m.variables(), m.main(), m.outputs(), m.tests()}, diags
}

func newAWSModule(t *topology.Topology, options *topology.Tree) (*awsModule, diag.List) {
	m := &awsModule{
		name:       "etcd-" + t.Name.V,
		scheme:     t.Etcd.Scheme.V,
		etcd:       t.Etcd,
		provider:   topology.Get[int](options, "provider").V,
		targetType: topology.Get[string](options, "targetType").V,
		protection: topology.Get[bool](options, "deletionProtection").V,
		static:     map[string]string{},
	}
	if !m.choose(t) {
		return nil, nil
	}
	for _, f := range t.Firewalls {
		switch {
		case f.Target == targetName && f.Role == topology.Balancer:
			m.balancer = append(m.balancer, f)
		case f.Target == targetName && f.Role == topology.Members:
			m.members = append(m.members, f)
		}
	}
	m.dial(t.Dialed)
	var diags diag.List
	m.family(&diags)
	m.fix(options.Get("addresses"), &diags)
	m.quorum = m.healthy()
	return m, diags
}

// choose takes the AWS proxy with its first listener and that one's pool, of which drained servers are no targets.
func (m *awsModule) choose(t *topology.Topology) bool {
	for i := range t.Proxies {
		p := &t.Proxies[i]
		if p.Target != targetName || p.Platform != "aws" || len(p.Listeners) == 0 || len(p.Listeners[0].Routes) == 0 {
			continue
		}
		pool := p.Pool(p.Listeners[0].Routes[0].Pool.V)
		if pool == nil {
			continue
		}
		m.proxy, m.listener, m.pool = p, p.Listeners[0], *pool
		m.pool.Servers = slices.DeleteFunc(slices.Clone(pool.Servers), func(s topology.Server) bool { return s.Drain.V })
		return true
	}
	return false
}

// dial splits what clients dial into names and addresses. The first name is the record's.
func (m *awsModule) dial(dialed []topology.Value[string]) {
	for _, d := range dialed {
		addr, err := netip.ParseAddr(d.V)
		switch {
		case err != nil:
			m.names = append(m.names, d.V)
		case !addr.IsLoopback():
			m.addresses = append(m.addresses, d.V)
			m.dualStack = m.dualStack || topology.FamilyOf(addr) == topology.IPv6
		}
	}
	if len(m.names) > 0 {
		m.host = m.names[0]
	}
}

// family finds out in which IP versions targets and clients speak. A target group holds addresses of one version only.
func (m *awsModule) family(diags *diag.List) {
	var first topology.Server
	m.literal = m.targetType == "ip"
	for _, s := range m.pool.Servers {
		addr, err := netip.ParseAddr(s.Host.V)
		if err != nil {
			m.literal = false
			continue
		}
		is6 := topology.FamilyOf(addr) == topology.IPv6
		if !first.Host.Known() {
			first, m.ipv6 = s, is6
		} else if is6 != m.ipv6 {
			diags.Error(s.Host.Span, "unsupported",
				fmt.Sprintf("member %q has address %s and member %q has %s, but a target group of AWS holds IPv4 or IPv6 addresses, not both; "+
					"need addresses of one family", s.Name.V, s.Host.V, first.Name.V, first.Host.V),
				"give every member an address of the same family")
		}
	}
	m.dualStack = m.dualStack || m.ipv6 ||
		slices.ContainsFunc(m.balancer, func(f topology.Firewall) bool { return f.Family == topology.IPv6 })
}

// fix reads the load balancer's own addresses.
func (m *awsModule) fix(addresses *topology.Tree, diags *diag.List) {
	for _, zone := range addresses.Keys() {
		v := topology.Get[string](addresses, zone)
		addr, err := netip.ParseAddr(v.V)
		if err != nil || topology.FamilyOf(addr) != topology.IPv4 {
			diags.Error(v.Span, "unsupported",
				fmt.Sprintf("address %s of zone %q is not IPv4, but AWS fixes only the IPv4 address of an internal load balancer; need an IPv4 address", v.V, zone),
				"write an unused IPv4 address of that zone's subnet")
			continue
		}
		m.static[zone] = addr.Unmap().String()
	}
}

// healthy is the number of healthy targets below which etcd is about to lose, or has lost, its quorum; never more than
// there are targets.
func (m *awsModule) healthy() int {
	voters := 0
	for _, e := range m.etcd.Members {
		if !e.Learner.V {
			voters++
		}
	}
	return min(max(voters, len(m.pool.Servers))/2+1, len(m.pool.Servers))
}

// targets are the names of the members behind the load balancer.
func (m *awsModule) targets() []string {
	out := make([]string, len(m.pool.Servers))
	for i, s := range m.pool.Servers {
		out[i] = s.Name.V
	}
	return out
}

// port is the one that targets serve clients on.
func (m *awsModule) port() int {
	if len(m.pool.Servers) == 0 {
		return m.etcd.ClientPort.V
	}
	return m.pool.Servers[0].Port.V
}

// monitored reports whether members have a metrics port of their own.
func (m *awsModule) monitored() bool { return m.etcd.MetricsPort.Known() }

// portName says what a port of a member is for; it is the key of the rule for it.
func (m *awsModule) portName(port int) string {
	for _, known := range []struct {
		name string
		port topology.Value[int]
	}{
		{"client", m.etcd.ClientPort},
		{"peer", m.etcd.PeerPort},
		{"metrics", m.etcd.MetricsPort},
		{"client_http", m.etcd.ClientHTTPPort},
	} {
		if known.port.Known() && known.port.V == port {
			return known.name
		}
	}
	return fmt.Sprint("port_", port)
}

// title is the module's name in a sentence.
func (m *awsModule) title() string { return "etcd cluster " + strings.TrimPrefix(m.name, "etcd-") }
