package schema

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// check is phase 3: relations between values, on the decoded cluster.
func (c *Cluster) check(l *diag.List) {
	k := checker{Cluster: c, List: l}
	k.members()
	k.addresses()
	k.hostnames()
	k.ports()
	k.balancer()
	k.healthCheck()
	k.targets()
	k.keepalived()
}

type checker struct {
	*Cluster
	*diag.List
}

// both reports a clash of two values at the later one.
func (k checker) both(at, other diag.Span, message, hint string) {
	*k.List = append(*k.List, diag.Diagnostic{
		Span: at, Severity: diag.Error, Rule: "spec", Message: message, Hint: hint,
		Related: []diag.Related{{Span: other, Message: "the other one"}},
	})
}

func (k checker) fail(at diag.Span, message, hint string) { k.Error(at, "spec", message, hint) }

func (k checker) members() {
	voting, serving := 0, 0
	for _, m := range k.Etcd.Members {
		if !m.Learner.V {
			voting++
			if !m.Drain.V {
				serving++
			}
		}
		for _, u := range slices.Concat(m.ClientURLs, m.PeerURLs) {
			if need := urlFault(u.V); need != "" {
				k.fail(u.Span, fmt.Sprintf("%q names no place to dial; need %s", u.V, need), "")
			}
		}
	}
	at := k.MembersSpan
	switch {
	case voting == 0:
		k.fail(at, "cluster.members has no voting member, so there is nothing to balance; need at least one that is no learner", "")
	case serving == 0:
		k.fail(at, "every voting member is drained, so no client gets through; need at least one that is not", "")
	}
}

// urlFault is what a URL needs that nobody can dial as it is, or "".
func urlFault(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "a URL with a host and a port"
	}
	if port := u.Port(); port != "" {
		if p, err := strconv.Atoi(port); err != nil || p < 1 || p > 65535 {
			return "a port between 1 and 65535"
		}
	}
	host := u.Hostname()
	last := host[strings.LastIndexByte(host, '.')+1:]
	if _, err := netip.ParseAddr(host); err != nil && (strings.Contains(host, ":") || strings.Trim(last, "0123456789") == "") {
		return "an address or a DNS name"
	}
	return ""
}

type owned struct {
	what string
	addr topology.Value[netip.Addr]
}

// awsAddresses are the ones of a load balancer of AWS.
func (k checker) awsAddresses(t *topology.Tree) []owned {
	var out []owned
	for _, zone := range t.Keys() {
		a := decoder{k.List}.addr(t.Fields[zone])
		if a.V.IsValid() && !a.V.Is4() {
			k.fail(a.Span, fmt.Sprintf("the address in zone %q is %s; need IPv4, which is what AWS lets one choose", zone, a.V), "")
		}
		out = append(out, owned{fmt.Sprintf("the load balancer in zone %q", zone), a})
	}
	return out
}

func (k checker) addresses() {
	var all []owned
	for _, m := range k.Etcd.Members {
		name := fmt.Sprintf("member %q", m.Name.V)
		all = append(all, owned{name, m.Address}, owned{name, m.Address6})
		k.second(m.Address, m.Address6, "address6")
	}
	lb := k.LoadBalancer
	all = append(all, owned{"loadBalancer.vip", lb.VIP}, owned{"loadBalancer.vip6", lb.VIP6})
	k.second(lb.VIP, lb.VIP6, "vip6")
	for _, name := range Clouds {
		for _, own := range k.awsAddresses(k.Targets[name].Get("aws", "addresses")) {
			same := func(o owned) bool { return o.what == own.what && o.addr.V == own.addr.V }
			if !slices.ContainsFunc(all, same) { // as one load balancer that two targets write
				all = append(all, own)
			}
		}
	}
	k.unique(all)

	var nodes []owned
	for _, n := range k.Nodes {
		name := fmt.Sprintf("node %q", n.Name.V)
		nodes = append(nodes, owned{name, n.Address}, owned{name, n.Address6})
		k.second(n.Address, n.Address6, "address6")
	}
	listen := listed("loadBalancer.listen", lb.Listen)
	k.unique(nodes)
	k.unique(listen)
	k.shared(append(nodes, listen...))
}

func listed(what string, addrs []topology.Value[netip.Addr]) []owned {
	var out []owned
	for _, a := range addrs {
		out = append(out, owned{what, a})
	}
	return out
}

// second checks an address of the second family.
func (k checker) second(first, second topology.Value[netip.Addr], field string) {
	switch {
	case !second.Known():
	case second.V.Is4():
		k.fail(second.Span, fmt.Sprintf("%s is %s; need an IPv6 address", field, second.V), "")
	case first.Known() && first.V.Is6():
		k.both(second.Span, first.Span, fmt.Sprintf("%s is a second IPv6 address; need it only beside an IPv4 one", field), "")
	}
}

func (k checker) unique(all []owned) {
	seen := map[netip.Addr]owned{}
	for _, o := range all {
		if !o.addr.Known() {
			continue
		}
		if fault := addrFault(o.addr.V, o.what == "loadBalancer.listen"); fault != "" {
			k.fail(o.addr.Span, fmt.Sprintf("%s has the address %s, %s", o.what, o.addr.V, fault), "")
			continue
		}
		if other, ok := seen[o.addr.V]; ok {
			k.both(o.addr.Span, other.addr.Span,
				fmt.Sprintf("%s has the address %s of %s; need an address of its own", o.what, o.addr.V, other.what), "")
			continue
		}
		seen[o.addr.V] = o
	}
}

// addrFault is why nobody can be reached at an address, or "". A listener may stand on all of them.
func addrFault(a netip.Addr, listens bool) string {
	switch {
	case !a.IsValid():
		return "" // which is reported where it is read
	case a.IsMulticast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}), a.IsUnspecified() && !listens:
		return "which no single machine has; need a machine's own"
	case a.Is6() && a.IsLinkLocalUnicast():
		return "which means another machine on each link; need one that is not link-local"
	}
	return ""
}

// hostnames checks that a name is dialled for one machine.
func (k checker) hostnames() {
	seen := map[string]topology.Member{}
	for _, m := range k.Etcd.Members {
		if !m.Hostname.Known() {
			continue
		}
		if other, ok := seen[m.Hostname.V]; ok {
			k.both(m.Hostname.Span, other.Hostname.Span, fmt.Sprintf("member %q has the hostname %s of member %q; need a name of its own",
				m.Name.V, m.Hostname.V, other.Name.V), "")
			continue
		}
		seen[m.Hostname.V] = m
		if lb := k.LoadBalancer; lb.Host.V == m.Hostname.V && slices.Contains(k.memberPorts(), lb.Port.V) {
			k.both(lb.Host.Span, m.Hostname.Span, fmt.Sprintf(
				"loadBalancer.host is the hostname of member %q, where etcd has port %d already; need a name or a loadBalancer.port of its own",
				m.Name.V, lb.Port.V), "")
		}
	}
}

// shared checks machines that are a member and a node of the load balancer.
func (k checker) shared(nodes []owned) {
	used := []usedPort{
		{"loadBalancer.port", k.LoadBalancer.Port},
		{"targets.haproxy.metricsPort", topology.Get[int](k.Targets["haproxy"], "metricsPort")},
		{"targets.nginx.healthPort", k.HealthPort()},
	}
	for _, m := range k.Etcd.Members {
		for _, a := range m.Addresses() {
			for _, n := range nodes {
				if n.addr.Known() && n.addr.V == a.V {
					k.taken(n, a.Span, m.Name.V, used)
				}
			}
		}
	}
}

// taken checks the ports of a load balancer on the machine of a member.
func (k checker) taken(n owned, other diag.Span, member string, used []usedPort) {
	for _, p := range used {
		if p.port.Known() && slices.Contains(k.memberPorts(), p.port.V) {
			k.both(n.addr.Span, other, fmt.Sprintf("%s is on the machine of member %q, where etcd has port %d already; need another %s",
				n.what, member, p.port.V, p.what), "")
		}
	}
}

func (k checker) memberPorts() []int {
	var out []int
	for _, p := range []topology.Value[int]{k.Etcd.ClientPort, k.Etcd.PeerPort, k.Etcd.ClientHTTPPort, k.Etcd.MetricsPort} {
		if p.Known() {
			out = append(out, p.V)
		}
	}
	return out
}

type usedPort struct {
	what string
	port topology.Value[int]
}

func (k checker) ports() {
	e, lb := k.Etcd, k.LoadBalancer
	k.distinct("a member", usedPort{"cluster.ports.client", e.ClientPort}, usedPort{"cluster.ports.peer", e.PeerPort},
		usedPort{"cluster.ports.clientHTTP", e.ClientHTTPPort}, usedPort{"cluster.metrics.port", e.MetricsPort})
	k.distinct("a load balancer's machine", usedPort{"loadBalancer.port", lb.Port},
		usedPort{"targets.haproxy.metricsPort", topology.Get[int](k.Targets["haproxy"], "metricsPort")},
		usedPort{"targets.nginx.healthPort", k.HealthPort()})
	if lb.Port.V == e.PeerPort.V {
		at, other := lb.Port, e.PeerPort
		if at.State != topology.Set {
			at, other = other, at
		}
		k.both(at.Span, other.Span, fmt.Sprintf(
			"loadBalancer.port is %d, etcd's peer port, which never stands behind a load balancer; need another port", lb.Port.V), "")
	}
}

func (k checker) distinct(machine string, used ...usedPort) {
	for i, a := range used {
		for _, b := range used[:i] {
			if a.port.Known() && b.port.Known() && a.port.V == b.port.V {
				if a.port.State != topology.Set {
					a, b = b, a
				}
				k.both(a.port.Span, b.port.Span, fmt.Sprintf("%s and %s are both %d on %s; need two ports",
					a.what, b.what, a.port.V, machine), "")
			}
		}
	}
}

func (k checker) balancer() {
	lb := k.LoadBalancer
	if !lb.Host.Known() && !lb.VIP.Known() && !lb.VIP6.Known() {
		k.fail(lb.Span, "loadBalancer has neither host nor vip, so clients have nothing to dial; need one of them", "")
	}
	if lb.Local() && len(k.Nodes) > 0 {
		k.both(k.Nodes[0].Span, lb.Placement.Span,
			`loadBalancer.nodes stands beside placement "local", where each client's or member's machine runs the proxy; need one of the two`, "")
	}
	priorities := map[int]topology.Node{}
	for _, n := range k.Nodes {
		if !n.Priority.Known() {
			continue
		}
		if other, ok := priorities[n.Priority.V]; ok {
			k.both(n.Priority.Span, other.Priority.Span, fmt.Sprintf(
				"node %q has the priority %d of node %q, so both claim the virtual address; need distinct priorities",
				n.Name.V, n.Priority.V, other.Name.V), "")
			continue
		}
		priorities[n.Priority.V] = n
	}
	switch {
	case lb.Mode.V != "termination" && lb.Termination != nil:
		k.both(lb.Termination.Span, lb.Mode.Span,
			`loadBalancer.termination stands beside mode "passthrough", which opens no connection; need one of the two`, "")
	case lb.Mode.V != "termination":
	case k.Etcd.Auth.V:
		k.both(lb.Mode.Span, k.Etcd.Auth.Span, `mode "termination" stands beside cluster.auth, `+
			"but behind it every client reaches etcd as the load balancer; need passthrough, or auth off", `set mode: "passthrough"`)
	case lb.Termination == nil:
		k.fail(lb.Mode.Span, `mode "termination" has no loadBalancer.termination block; need its certificates`, "")
	case k.Etcd.Scheme.V != "https":
		k.both(lb.Mode.Span, k.Etcd.Scheme.Span, `mode "termination" stands beside cluster.scheme "http", `+
			"but it presents certificates to members, which then speak no TLS; need one of the two", `set mode: "passthrough"`)
	}
}

func (k checker) healthCheck() {
	h := k.LoadBalancer.HealthCheck
	via := k.Via()
	certificate := h.Certificate.Cert.Known() || k.LoadBalancer.Termination != nil
	switch {
	case via == "metrics" && !k.Etcd.MetricsPort.Known():
		k.fail(h.Via.Span, `healthCheck.via is "metrics", but cluster.metrics is not set, so there is no port to ask; need its port`,
			"start etcd with --listen-metrics-urls and set cluster.metrics.port")
	case via == "metrics" && k.Etcd.MetricsScheme.V == "https" && k.Etcd.ClientCertAuth.V && !certificate:
		k.both(k.Etcd.MetricsScheme.Span, h.Span,
			"cluster.metrics.scheme is https, where etcd demands a client certificate, but healthCheck has none; need one",
			"set loadBalancer.healthCheck.certificate")
	case via == "client" && k.Etcd.Scheme.V == "https" && !certificate:
		k.fail(h.Via.Span, `healthCheck.via is "client", where etcd demands a client certificate, but healthCheck has none; need one`,
			"set loadBalancer.healthCheck.certificate")
	}
}

// Via is how the health check asks: as the spec says, else at the metrics URL where there is one, else by connecting.
func (c *Cluster) Via() string {
	switch {
	case c.LoadBalancer.HealthCheck.Via.Known():
		return c.LoadBalancer.HealthCheck.Via.V
	case c.Etcd.MetricsPort.Known():
		return "metrics"
	}
	return "tcp"
}

// addressed are the targets that write members' addresses.
var addressed = []string{"haproxy", "nginx", "iptables", "nftables", "prometheus", "endpoints", "etcd", "certificates", "ansible", "kubernetes"}

// Clouds are the targets that write the load balancers of clouds.
var Clouds = []string{"terraform", "cloudcli"}

// Firewalls are the targets that decide who reaches which machine.
var Firewalls = []string{"iptables", "nftables"}
