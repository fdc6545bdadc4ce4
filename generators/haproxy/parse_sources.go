package haproxy

import (
	"net/netip"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// admitted are the sources that a listener restricts itself to. A restriction that is not understood is one unknown
// source; no sources are no restriction.
func admitted(s *section) []topology.Value[netip.Prefix] {
	lists := map[string][]word{}
	for _, l := range s.by["acl"] {
		if l.word(2).text == "src" {
			lists[l.words[1].text] = append(lists[l.words[1].text], l.words[3:]...)
		}
	}
	var about []line // rules with a condition on the source
	for _, l := range s.lines {
		if (l.is("http-request") || l.is("tcp-request")) && mentions(l, lists) {
			about = append(about, l)
		}
	}
	if len(about) == 0 {
		return nil
	}
	if from := spared(about[0], lists); len(about) == 1 && len(from) > 0 {
		return prefixes(from)
	}
	return []topology.Value[netip.Prefix]{topology.UnknownAt[netip.Prefix](about[0].at)}
}

// mentions reports whether a rule's condition is about the source.
func mentions(l line, lists map[string][]word) bool {
	conditional := false
	for _, w := range l.words {
		if conditional && (w.text == "src" || lists[strings.TrimPrefix(w.text, "!")] != nil) {
			return true
		}
		conditional = conditional || w.text == "if" || w.text == "unless"
	}
	return false
}

// spared are the sources of a refusal that spares exactly them: `unless trusted`, `if !trusted`, `unless { src … }`,
// `if !{ src … }`.
func spared(l line, lists map[string][]word) []word {
	if !l.is("http-request", "deny") && !l.is("http-request", "reject") &&
		!l.is("tcp-request", "connection", "reject") && !l.is("tcp-request", "content", "reject") {
		return nil
	}
	for i, w := range l.words {
		rest := l.words[i+1:]
		if w.text != "if" && w.text != "unless" || len(rest) == 0 {
			continue
		}
		first := rest[0].text
		negated := strings.HasPrefix(first, "!")
		if negated == (w.text == "unless") {
			return nil
		}
		switch first = strings.TrimPrefix(first, "!"); {
		case len(rest) == 1:
			return lists[first]
		case first == "{" && len(rest) > 3 && rest[1].text == "src" && rest[len(rest)-1].text == "}":
			return rest[2 : len(rest)-1]
		}
		return nil
	}
	return nil
}

// prefixes reads networks and addresses; flags, files and placeholders are unknown.
func prefixes(words []word) []topology.Value[netip.Prefix] {
	var out []topology.Value[netip.Prefix]
	for _, w := range words {
		out = append(out, valueOf(w, func(text string) (netip.Prefix, bool) {
			if p, err := netip.ParsePrefix(text); err == nil {
				return p, true
			}
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return netip.Prefix{}, false
			}
			return netip.PrefixFrom(addr, addr.BitLen()), true
		}))
	}
	return out
}
