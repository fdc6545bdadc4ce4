package haproxy

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func (r *reader) listener(s *section) topology.Listener {
	l := topology.Listener{
		Name:          nameOf(s.name),
		Mode:          modeOf(s),
		Metrics:       status(s),
		MaxConns:      written(s, readCount, "maxconn"),
		ClientTimeout: timeout(s, "client"),
		Sources:       admitted(s),
		Span:          s.head,
	}
	for _, x := range s.by["bind"] {
		l.Binds = append(l.Binds, r.binds(x)...)
	}
	if s.opaque || len(s.by["disabled"]) > 0 {
		for i := range l.Binds {
			l.Binds[i].Shared = true
		}
	}
	switch page := r.page(s); {
	case l.Metrics:
		l.Authenticated, l.Credentials = authentication(s), statsUsers(s)
	case page != nil:
		l.Metrics, l.Credentials = true, statsUsers(page)
		l.Authenticated = authentication(s)
		if l.Authenticated.Known() && !l.Authenticated.V {
			l.Authenticated = authentication(page)
		}
		l.Sources = append(l.Sources, admitted(page)...)
	default:
		r.offers(s, &l)
		l.Routes = r.routes(s)
	}
	return l
}

// routes are all ways out of a frontend or listen section: conditional ones, the default, its own servers.
func (r *reader) routes(s *section) []topology.Route {
	var out []topology.Route
	for _, l := range s.by["use_backend"] {
		out = append(out, r.route(s, l.word(1)))
	}
	fallback, how := s.search("default_backend")
	if how == present {
		out = append(out, r.route(s, fallback.word(1)))
	}
	if s.kind == "listen" && (how != present || serves(s)) {
		out = append(out, topology.Route{Pool: nameOf(s.name), Idle: idle(s, s)})
	}
	return out
}

func (r *reader) route(from *section, to word) topology.Route {
	if strings.Contains(to.text, "%[") {
		to.unknown = true // looked up for each connection
	}
	out := topology.Route{Pool: nameOf(to)}
	pool := r.backends[to.text]
	if pool != nil && !to.unknown {
		out.Idle = idle(from, pool)
	}
	out.Missing = pool == nil && out.Pool.Known() && r.whole && !r.listens[to.text]
	return out
}

// serves reports whether a section has servers of its own.
func serves(s *section) bool { return len(s.by["server"])+len(s.by["server-template"]) > 0 }

// status reports whether a listener serves HAProxy's own metrics or statistics and nothing else.
func status(s *section) bool {
	if modeOf(s).V == topology.TCP || serves(s) || len(s.by["use_backend"])+len(s.by["default_backend"]) > 0 {
		return false
	}
	metrics := slices.ContainsFunc(s.by["http-request"], func(l line) bool { return l.is("http-request", "use-service", exporter) })
	return metrics || len(s.by["stats"]) > 0
}

// page is the backend of statistics alone that a frontend leads to, and to no other; nil where there is none.
func (r *reader) page(s *section) *section {
	fallback, how := s.search("default_backend")
	if how != present || s.kind != "frontend" || len(s.by["use_backend"]) > 0 {
		return nil
	}
	b := r.backends[fallback.word(1).text]
	if b == nil || b.kind != "backend" || !status(b) {
		return nil
	}
	return b
}

// binds reads the addresses of a bind line: a list, each with a port or a range of ports.
func (r *reader) binds(l line) []topology.Bind {
	var dual, six, odd bool
	for _, w := range l.words[1:] {
		dual = dual || w.text == "v4v6"
		six = six || w.text == "v6only"
		odd = odd || w.unknown
	}
	list := l.word(1)
	shared := r.branches || l.flag("interface") || l.flag("namespace")
	var out []topology.Bind
	for text := range strings.SplitSeq(list.text, ",") {
		host, ports, ok := cutPort(text)
		if !ok {
			host, ports = text, "" // no address, hence unknown
		}
		addrs := []topology.Value[netip.Addr]{valueOf(list.part(host), listenAddr)}
		if addrs[0].V == netip.IPv6Unspecified() && dual && !six && !odd {
			addrs = []topology.Value[netip.Addr]{topology.SetAt(netip.IPv4Unspecified(), list.at), addrs[0]}
		}
		for _, port := range r.ports(list.part(ports)) {
			for _, addr := range addrs {
				out = append(out, topology.Bind{Addr: addr, Port: port, Shared: shared})
			}
		}
	}
	return out
}

// cutPort parts an address from what follows its last colon. It reports false for what is no internet address: sockets
// in the file system and the like.
func cutPort(text string) (host, port string, ok bool) {
	family, rest, prefixed := strings.Cut(text, "@")
	switch {
	case !prefixed:
		rest = text
	case !strings.HasPrefix(family, "ipv") && !strings.HasPrefix(family, "tcp"):
		return "", "", false
	}
	i := strings.LastIndexByte(rest, ':')
	if strings.HasPrefix(rest, "/") || i < 0 {
		return rest, "", !strings.HasPrefix(rest, "/")
	}
	host = rest[:i]
	if strings.HasPrefix(family, "ipv6") && prefixed && (host == "" || host == "*") {
		host = "::"
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), rest[i+1:], true
}

// listenAddr reads the host part of a bind: nothing and * are all of IPv4.
func listenAddr(host string) (netip.Addr, bool) {
	if host == "" || host == "*" {
		return netip.IPv4Unspecified(), true
	}
	addr, err := netip.ParseAddr(host)
	return addr, err == nil
}

// ports unfolds a port or a range.
func (r *reader) ports(w word) []topology.Value[int] {
	low, high, isRange := strings.Cut(w.text, "-")
	first := valueOf(word{text: low, at: w.at, unknown: w.unknown}, readPort)
	if !isRange || !first.Known() {
		return []topology.Value[int]{first}
	}
	last, ok := readPort(high)
	if !ok || last < first.V || !r.spend(last-first.V) {
		return []topology.Value[int]{topology.UnknownAt[int](w.at)}
	}
	var out []topology.Value[int]
	for p := first.V; p <= last; p++ {
		out = append(out, topology.SetAt(p, w.at))
	}
	return out
}

// spend takes from the source's budget, all or nothing.
func (r *reader) spend(n int) bool {
	if n > r.budget {
		return false
	}
	r.budget -= n
	return true
}
