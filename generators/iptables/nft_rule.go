package iptables

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// nftVerdicts are what iptables calls the same.
var nftVerdicts = map[string]string{"accept": "ACCEPT", "drop": "DROP", "reject": "REJECT", "return": "RETURN", "queue": "NFQUEUE"}

// read makes rules of a line.
func (n *nftRule) read(line []word) []*rule {
	span := line[0].span
	span.EndLine, span.EndCol = line[len(line)-1].span.EndLine, line[len(line)-1].span.EndCol
	var out []*rule
	for _, one := range n.mapped(line) {
		out = append(out, n.one(one, span)...)
	}
	return out
}

// one makes rules of a line without maps: one for each source. What is not understood limits them.
func (n *nftRule) one(line []word, span diag.Span) []*rule {
	n.never = false
	n.options = options{rule: rule{match: topology.FirewallRule{From: topology.DefaultAt(anybody, span), Span: span}}}
	for len(line) > 0 && !n.never {
		line = n.statement(line)
	}
	if n.never {
		return nil
	}
	if n.blind {
		limit(&n.match)
	}
	if len(n.sources) == 0 {
		r := n.rule
		return []*rule{&r}
	}
	var out []*rule
	for _, s := range n.sources {
		r := n.rule
		r.match.From, r.match.FromName = s.from, s.name
		out = append(out, &r)
	}
	return out
}

// statement reads one match or statement at the front of a line, and returns what follows.
func (n *nftRule) statement(line []word) []word {
	first := line[0].text
	second := ""
	if len(line) > 1 {
		second = line[1].text
	}
	switch {
	case nftVerdicts[first] != "":
		n.target = nftVerdicts[first]
		return nil
	case (first == "jump" || first == "goto") && second != "":
		n.target, n.goTo = second, first == "goto"
		return nil
	case first == "counter":
		if second == "packets" {
			return line[min(5, len(line)):]
		}
		return line[1:]
	case first == "log":
		rest := line[1:]
		for len(rest) > 1 && slices.Contains([]string{"prefix", "level", "group", "flags", "snaplen", "queue-threshold"}, rest[0].text) {
			if rest[0].text == "prefix" {
				n.prefix = rest[1].text
			}
			rest = rest[2:]
		}
		n.target = "LOG" // unless a verdict follows
		return rest
	case first == "comment":
		return line[min(2, len(line)):]
	case first == "index" || first == "handle" || first == "position":
		limit(&n.match) // among the rules before it or behind
		return line[min(2, len(line)):]
	case first == "meta" && second != "l4proto" && second != "nfproto":
		return n.statement(line[1:])
	}
	return n.expression(line, first, second)
}

// expression reads a match: what is compared, and with which values.
func (n *nftRule) expression(line []word, first, second string) []word {
	const key = 32 // words that may stand before a map: what is looked up in it
	if i := slices.IndexFunc(line[:min(len(line), key)], func(w word) bool { return w.text == "vmap" }); i >= 0 {
		n.vmap(line[i:], second == "state")
		return nil
	}
	width := 2
	if first == "iif" || first == "iifname" || first == "protocol" {
		width = 1
	}
	values, negated, rest := n.operand(line[min(width, len(line)):])
	m := &n.match
	switch {
	case len(values) == 0:
		limit(m)
	case first == "protocol" && len(values) == 1 && !negated:
		n.never = values[0].text != map[topology.Family]string{topology.IPv4: "ip", topology.IPv6: "ip6"}[n.family]
	case width == 1 && len(values) == 1 && values[0].text == "lo" && !negated:
		m.Loopback = true
	case first == "ct" && second == "state" && !negated:
		var states []string
		for _, v := range values {
			states = append(states, strings.ToUpper(v.text))
		}
		n.state(word{text: strings.Join(states, ","), span: values[0].span})
	case second == "dport" && slices.Contains([]string{"tcp", "udp", "th"}, first):
		if first != "th" {
			m.Protocol = first
		}
		n.ports(values, negated)
	case (first == "ip" || first == "ip6") && second == "saddr":
		n.never = (first == "ip") != (n.family == topology.IPv4)
		n.from(values, negated)
	case second == "nfproto" && len(values) == 1 && !negated:
		n.never = (values[0].text == "ipv4") != (n.family == topology.IPv4)
	case (second == "l4proto" || second == "protocol" || second == "nexthdr") && len(values) == 1:
		n.protocol(values[0], negated)
	case first == "icmp" || first == "icmpv6":
		m.Protocol = first
	default:
		limit(m)
	}
	return rest
}

// vmap reads a map from values to verdicts. Of connection states, what becomes of established ones is told; of anything else
// nobody knows.
func (n *nftRule) vmap(line []word, states bool) {
	var text strings.Builder
	for _, w := range line {
		text.WriteString(w.text)
	}
	if states && strings.Contains(text.String(), "established:accept") {
		n.match.Established, n.target = true, "ACCEPT"
		return
	}
	n.target = "vmap" // no chain: who knows what it decides
}

// operand is the values on the right of a comparison, those of a set in braces or of a named one, and what follows.
func (n *nftRule) operand(line []word) (values []word, negated bool, rest []word) {
	for len(line) > 0 && (line[0].text == "!=" || line[0].text == "==" || line[0].text == "=") {
		negated = negated || line[0].text == "!="
		line = line[1:]
	}
	if len(line) == 0 {
		return nil, negated, nil
	}
	if line[0].text != "{" {
		values, rest = slices.Clone(line[:1]), line[1:]
		for len(rest) > 1 && rest[0].text == "," {
			values, rest = append(values, rest[1]), rest[2:]
		}
		if strings.HasPrefix(values[0].text, "@") {
			values = listed(n.sets(values[0].text))
		}
		return values, negated, rest
	}
	end := slices.IndexFunc(line, func(w word) bool { return w.text == "}" })
	if end < 0 {
		return nil, negated, nil
	}
	return listed(line[:end]), negated, line[end+1:]
}

// listed are the words of a list without its punctuation.
func listed(words []word) []word {
	var out []word
	for _, w := range words {
		if w.text != "{" && w.text != "}" && w.text != "," {
			out = append(out, w)
		}
	}
	return out
}

func (n *nftRule) ports(values []word, negated bool) {
	var texts []string
	dynamic := false
	for _, v := range values {
		texts = append(texts, strings.Replace(v.text, "-", ":", 1))
		dynamic = dynamic || v.dynamic
	}
	if len(texts) == 1 && services[values[0].text] > 0 {
		texts[0] = values[0].text
	}
	n.set("--dports", word{text: strings.Join(texts, ","), dynamic: dynamic, span: values[0].span}, negated)
}

func (n *nftRule) from(values []word, negated bool) {
	if len(values) > maxSources {
		n.sources = append(n.sources, source{from: topology.UnknownAt[netip.Prefix](values[0].span)})
		return
	}
	for _, v := range values {
		if _, ok := prefix(v.text); !ok {
			n.sources = append(n.sources, source{from: topology.UnknownAt[netip.Prefix](v.span)})
			continue
		}
		n.source(v, negated)
	}
}
