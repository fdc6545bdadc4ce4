package haproxy

import (
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// credentials are the passwords that a section writes down: for its statistics, or of a userlist. Those of a page that
// HAProxy does not serve open nothing.
func credentials(s *section) []topology.Credential {
	if _, ok := page(s); ok && modeOf(s).V == topology.TCP {
		return nil
	}
	out := readStatsUsers(s.by["stats"])
	if s.kind != "userlist" {
		return out
	}
	for _, l := range s.by["user"] {
		for i, w := range l.words {
			if w.text == "insecure-password" && i+1 < len(l.words) {
				out = append(out, topology.Credential{User: textOf(l.word(1)), Password: textOf(l.words[i+1])})
			}
		}
	}
	return out
}

// statsUsers are the credentials that open the statistics of a section: its own, else the inherited ones.
func statsUsers(s *section) []topology.Credential {
	if at, _ := s.owner("stats"); at != nil {
		return readStatsUsers(at.by["stats"])
	}
	return nil
}

// readStatsUsers reads `stats auth USER:PASSWORD`.
func readStatsUsers(lines []line) []topology.Credential {
	var out []topology.Credential
	for _, l := range lines {
		if !l.is("stats", "auth") {
			continue
		}
		w := l.word(2)
		user, password, _ := strings.Cut(w.text, ":")
		out = append(out, topology.Credential{User: textOf(w.part(user)), Password: textOf(w.part(password))})
	}
	return out
}

// authentication says whether a listener for statistics or metrics asks for a password, or otherwise refuses some. A
// section with a line on statistics inherits none of them, and requests are refused by those of named defaults alone, so
// what other files say is nothing to a section that asks for nothing of theirs.
func authentication(s *section) topology.Value[bool] {
	own := len(s.by["stats"]) > 0
	for at := s; at != nil; at = at.parent {
		lines := slices.Concat(at.by["http-request"], at.by["tcp-request"])
		if at == s || !own {
			lines = append(lines, at.by["stats"]...)
		}
		for _, l := range lines {
			refuses := func(w word) bool {
				return w.text == "auth" || admitted(s) == nil && (w.text == "deny" || w.text == "reject" || w.text == "tarpit")
			}
			if slices.ContainsFunc(l.words[1:], refuses) {
				return topology.SetAt(true, l.at)
			}
		}
		verifies := func(l line) bool {
			return slices.ContainsFunc(l.words, func(w word) bool { return w.text == "verify" })
		}
		if at.opaque || at.loose && at.picks || slices.ContainsFunc(at.by["bind"], verifies) {
			return topology.Value[bool]{}
		}
	}
	return topology.DefaultAt(false, s.head)
}

// sockets are where the process itself answers on the network. Who connects there is not asked who it is.
func (r *reader) sockets(global *section) []topology.Listener {
	var out []topology.Listener
	for _, l := range global.by["stats"] {
		host, port, ok := cutPort(l.word(2).text)
		if !l.is("stats", "socket") || !ok || port == "" || l.word(2).unknown {
			continue
		}
		out = append(out, topology.Listener{
			Name: topology.SetAt("stats socket", l.at), Mode: topology.DefaultAt(topology.TCP, l.at),
			Metrics: true, Commands: true, Authenticated: topology.DefaultAt(false, l.at), Span: l.at,
			Binds: []topology.Bind{{Addr: valueOf(l.word(2).part(host), listenAddr), Port: valueOf(l.word(2).part(port), readPort)}},
		})
	}
	return out
}
