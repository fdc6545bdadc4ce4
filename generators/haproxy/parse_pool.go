package haproxy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// member is a server with its parameters, the inherited ones included.
type member struct {
	topology.Server
	params paramSet
}

func (r *reader) pool(s *section) topology.Pool {
	members := r.members(s)
	p := topology.Pool{
		Name:          nameOf(s.name),
		Mode:          modeOf(s),
		Balance:       setting(s, readText, "roundrobin", "balance"),
		Connect:       timeout(s, "connect"),
		Retries:       setting(s, readCount, 3, "retries"),
		CutOnDown:     cutOnDown(s, members),
		ServerTimeout: timeout(s, "server"),
		Tunnel:        timeout(s, "tunnel"),
		Check:         r.check(s, members),
		KeepsSource:   dialsFrom(s, members),
		Span:          s.head,
	}
	r.encrypt(&p, members)
	how := s.method()
	for _, m := range members {
		m.VerifyHost = how.verifyHost(m)
		p.Servers = append(p.Servers, m.Server)
	}
	return p
}

// dialsFrom marks where an address is chosen that servers see in place of the machine's own.
func dialsFrom(s *section, members []member) topology.Value[bool] {
	if v := written(s, readText, "source"); v.Known() {
		return topology.UnknownAt[bool](v.Span)
	}
	for _, m := range members {
		if m.params.has("source") {
			return topology.UnknownAt[bool](m.Span)
		}
	}
	return topology.Value[bool]{}
}

// members reads the servers. A default-server line holds for the servers after it; those of defaults sections for all.
func (r *reader) members(s *section) []member {
	base := r.inherited(s)
	var out []member
	for _, l := range s.lines {
		switch {
		case l.is("default-server"):
			r.take(&base, l.words[1:])
		case l.is("server"), l.is("server-template"):
			at := 3
			if l.is("server-template") {
				at = 4
			}
			p := base.clone()
			r.take(&p, l.words[min(at, len(l.words)):])
			out = append(out, r.unfold(l, at, p)...)
		case topology.IsHole(l.words[0].text):
			unseen := member{params: paramSet{opaque: true}} // may be a list of servers
			unseen.Span = l.at
			out = append(out, unseen)
		}
	}
	return out
}

// inherited are the parameters that the defaults section of a pool gives to all servers.
func (r *reader) inherited(s *section) paramSet {
	if s.parent == nil {
		return paramSet{set: map[string]param{}, loose: s.loose}
	}
	known, ok := r.defaultServers[s.parent]
	if !ok {
		known = r.inherited(s.parent)
		known.opaque = known.opaque || s.parent.opaque
		for _, l := range s.parent.by["default-server"] {
			r.take(&known, l.words[1:])
		}
		r.defaultServers[s.parent] = known
	}
	return known.clone()
}

// unfold makes one member of a server line, and of a template as many as it says. The address is the word before the
// parameters.
func (r *reader) unfold(l line, params int, p paramSet) []member {
	host, port := serverAddr(l.word(params - 1))
	m := member{params: p, Server: topology.Server{
		Name:    nameOf(l.word(1)),
		Host:    host,
		Port:    port,
		Drain:   drained(l, p),
		Checked: checked(l, p),
		Span:    l.at,
	}}
	m.Resolves = resolves(p, host)
	if p.has("backup") {
		m.Backup = flagOf(p, "backup", l.at)
	}
	if l.is("server") {
		return []member{m}
	}
	prefix, count := l.word(1), l.word(2)
	m.Name = topology.UnknownAt[string](prefix.at)
	first, last, ok := numbers(count.text)
	if prefix.unknown || count.unknown || !ok || !r.spend(last-first) {
		return []member{m}
	}
	var out []member
	for i := first; i <= last; i++ {
		m.Name = topology.SetAt(prefix.text+strconv.Itoa(i), prefix.at)
		out = append(out, m)
	}
	return out
}

// numbers reads a template's count ("3") or range ("1-3").
func numbers(text string) (first, last int, ok bool) {
	low, high, isRange := strings.Cut(text, "-")
	if !isRange {
		low, high = "1", text
	}
	first, err := strconv.Atoi(low)
	if err != nil || first < 0 {
		return 0, 0, false
	}
	last, err = strconv.Atoi(high)
	return first, last, err == nil && last >= first
}

// serverAddr reads where a server is. Without a port, or with an offset like +100, the port depends on the client's.
func serverAddr(w word) (topology.Value[string], topology.Value[int]) {
	host, port, ok := cutPort(w.text)
	if !ok {
		return topology.UnknownAt[string](w.at), topology.UnknownAt[int](w.at)
	}
	return valueOf(w.part(host), readHost), valueOf(w.part(port), readPort)
}

// stand matches what people write where an address belongs: MASTER1_IP, <node-1>, 10.0.0.x.
var stand = pattern.New(`^[A-Z][A-Z0-9_-]+$|[<>]|(^|\.)[xX]+(\.|$)`)

// readHost brings an address into its canonical form, and a name into lower case.
func readHost(text string) (string, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.String(), true
	}
	return strings.ToLower(strings.TrimSuffix(text, ".")), text != "" && !strings.Contains(text, "/") && !stand.MatchString(text)
}

func readPort(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && 1 <= n && n <= 65535 && text[0] != '+'
}

// drained reports a server that gets no new connection.
func drained(l line, p paramSet) topology.Value[bool] {
	if p.has("disabled") {
		return flagOf(p, "disabled", l.at)
	}
	p.loose = false // nobody drains servers by default
	weight := paramOf(p, "weight", readCount, 1, l.at)
	return topology.Value[bool]{V: weight.Known() && weight.V == 0, State: weight.State, Span: weight.Span}
}

// checked reports a server that something checks: itself, the server it tracks, an agent.
func checked(l line, p paramSet) topology.Value[bool] {
	for _, keyword := range []string{"check", "track", "agent-check"} {
		if p.has(keyword) {
			return flagOf(p, keyword, l.at)
		}
	}
	return flagOf(p, "check", l.at)
}

// cutOnDown holds for a pool only when it holds for each server that may be found down.
func cutOnDown(s *section, members []member) topology.Value[bool] {
	members = slices.DeleteFunc(slices.Clone(members), func(m member) bool { return m.Checked.Known() && !m.Checked.V })
	var out topology.Value[bool]
	for i, m := range members {
		if s.alone() && m.Checked.V {
			m.params.loose = false // few cut the sessions of all servers of all pools
		}
		action := paramOf(m.params, "on-marked-down", readText, "", m.Span)
		if !action.Known() {
			return topology.UnknownAt[bool](m.Span)
		}
		if action.V != "shutdown-sessions" {
			at := s.head
			if out.V {
				at = m.Span // the first that differs from those before it
			}
			return topology.DefaultAt(false, at)
		}
		if i == 0 {
			out = topology.SetAt(true, action.Span)
		}
	}
	return out
}
