package nginx

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// isUDP reports whether a listen directive is not for TCP.
func isUDP(n *node) bool {
	for _, a := range n.args[1:] {
		if a.text == "udp" {
			return true
		}
	}
	return false
}

// maxRange is the widest port range of a listen directive that is taken apart.
const maxRange = 32

// bare is a listen directive's port, or range, without an address.
var bare = pattern.New(`^[0-9]+(-[0-9]+)?$`)

// binds are the addresses and ports of a listen directive.
func binds(n *node) []topology.Bind {
	w := n.args[0]
	none := topology.Bind{Addr: topology.UnknownAt[netip.Addr](w.span), Port: topology.UnknownAt[int](w.span)}
	if isSocket(w.text) {
		return []topology.Bind{none}
	}
	host, port := splitAddress(w.text)
	if bare.MatchString(w.text) {
		host, port = "", w.text
	}
	var addrs []topology.Value[netip.Addr]
	switch a, ok := addrOf(host); {
	case host == "":
		addrs = append(addrs, topology.DefaultAt(netip.IPv4Unspecified(), w.span))
	case host == "*":
		addrs = append(addrs, topology.SetAt(netip.IPv4Unspecified(), w.span))
	case !ok:
		addrs = append(addrs, topology.UnknownAt[netip.Addr](w.span))
	case a == netip.IPv6Unspecified() && has(n, "ipv6only=off"):
		addrs = append(addrs, topology.SetAt(netip.IPv4Unspecified(), w.span))
		fallthrough
	default:
		addrs = append(addrs, topology.SetAt(a, w.span))
	}
	var out []topology.Bind
	for _, p := range portsOf(w, port) {
		for _, a := range addrs {
			out = append(out, topology.Bind{Addr: a, Port: p})
		}
	}
	return out
}

// portsOf is a port, or each port of a range.
func portsOf(w word, text string) []topology.Value[int] {
	from, to, isRange := strings.Cut(text, "-")
	first := portOf(w, from)
	if !isRange {
		return []topology.Value[int]{first}
	}
	last := portOf(w, to)
	if !first.Known() || !last.Known() || last.V < first.V || last.V-first.V >= maxRange {
		return []topology.Value[int]{topology.UnknownAt[int](w.span)}
	}
	var out []topology.Value[int]
	for p := first.V; p <= last.V; p++ {
		out = append(out, topology.SetAt(p, w.span))
	}
	return out
}

func has(n *node, arg string) bool {
	for _, a := range n.args {
		if a.text == arg {
			return true
		}
	}
	return false
}

// param is the value of the argument key=value.
func param(n *node, key string) (w word, value string, ok bool) {
	for _, a := range n.args {
		if value, ok := strings.CutPrefix(a.text, key+"="); ok {
			return a, value, true
		}
	}
	return word{}, "", false
}

// upstream reads an upstream block.
func (r *reader) upstream(n *node, s scope) {
	p := topology.Pool{
		Name: topology.UnknownAt[string](n.span()),
		Mode: topology.DefaultAt(topology.TCP, n.span()),
		Span: n.span(),
	}
	if len(n.args) == 1 && !topology.IsHole(n.arg()) {
		p.Name = topology.SetAt(n.arg(), n.args[0].span)
	}
	var servers []*node
	for _, c := range s.nodes {
		r.platform(c)
		if c.name.text == "server" && len(c.args) > 0 {
			servers = append(servers, c)
			p.Servers = append(p.Servers, member(c))
		}
	}
	p.Balance = balance(&s)
	p.Check = passive(servers, n.span())
	lua := slices.ContainsFunc(s.nodes, func(c *node) bool { return strings.HasPrefix(c.name.text, "balancer_by_lua") })
	open := slices.ContainsFunc(s.nodes, func(c *node) bool { return topology.IsHole(c.name.text) })
	if lua || open { // which chooses, checks, and replaces the servers that are written; or may choose
		p.Balance = topology.UnknownAt[string](n.span())
	}
	if _, complete := s.own("server"); !complete || lua {
		p.Check = topology.Check{Span: n.span()}
	}
	r.proxy.Pools = append(r.proxy.Pools, p)
}

// webPort is where an http block sends requests if nothing is written.
const webPort = 80

// member reads a server of an upstream.
func member(n *node) topology.Server {
	v := topology.Server{
		Drain:   topology.DefaultAt(false, n.span()),
		Checked: topology.DefaultAt(true, n.span()),
		Span:    n.span(),
	}
	v.Host, v.Port = serverOf(n.args[0])
	if v.Host.Known() && !strings.Contains(n.args[0].text, ":") { // an http block's default; a stream has none
		v.Port = topology.DefaultAt(webPort, n.args[0].span)
	}
	v.Resolves = resolves(v.Host, n)
	for _, a := range n.args[1:] {
		switch {
		case a.text == "down":
			v.Drain = topology.SetAt(true, a.span)
		case a.text == "backup":
			v.Backup = topology.SetAt(true, a.span)
		case strings.HasPrefix(a.text, "max_fails="):
			fails := numberOf(a, strings.TrimPrefix(a.text, "max_fails="))
			v.Checked = topology.Value[bool]{V: fails.V > 0, State: fails.State, Span: a.span}
		}
	}
	return v
}

// balance is how an upstream chooses its servers.
func balance(s *scope) topology.Value[string] {
	for _, n := range s.nodes {
		switch n.name.text {
		case "least_conn":
			return topology.SetAt("leastconn", n.span())
		case "hash":
			if key := n.arg(); key == "$remote_addr" || key == "$binary_remote_addr" {
				return topology.SetAt("source", n.span())
			}
			return topology.SetAt("hash", n.span())
		case "random", "least_time":
			return topology.SetAt(n.name.text, n.span())
		}
	}
	if _, complete := s.own("least_conn"); !complete {
		return topology.UnknownAt[string](s.span)
	}
	return topology.DefaultAt("roundrobin", s.span)
}
