package iptables

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// anybody is the source of a rule that names none, in either family.
var anybody = netip.Prefix{}

// options is one rule while its words are read.
type options struct {
	rule
	sources []source
	blind   bool // the ports are unknown, so the rule may not concern us, whomever it admits
}

// source is one address of -s.
type source struct {
	from topology.Value[netip.Prefix]
	name topology.Value[string]
}

// aliases are the long options and old names of what we understand.
var aliases = map[string]string{
	"--protocol": "-p", "--proto": "-p", "--source": "-s", "--src": "-s", "--in-interface": "-i", "--jump": "-j",
	"--goto": "-g", "--match": "-m", "--destination-port": "--dport", "--destination-ports": "--dports",
	"--state": "--ctstate", "--nflog-prefix": "--log-prefix", "--ulog-prefix": "--log-prefix",
}

// silent are options that narrow nothing: those of targets, and the names of matches whose own options are read.
var silent = []string{
	"--reject-with", "--log-level", "--log-tcp-sequence", "--log-tcp-options", "--log-ip-options", "--log-uid",
	"--nflog-group", "--nflog-size", "--nflog-threshold", "--comment", "-c", "--set-counters", "-w", "--wait", "-W", "-v", "-n",
	"--verbose", "--numeric", "-4", "-6", "--ipv4", "--ipv6",
}

var readMatches = []string{"tcp", "udp", "multiport", "conntrack", "state", "comment"}

// parseRules reads the words of one rule. Several sources are several rules, as for iptables itself.
func parseRules(args []word, span diag.Span) []*rule {
	o := options{rule: rule{
		match: topology.FirewallRule{From: topology.DefaultAt(anybody, span), Span: span},
		key:   keyOf(args),
	}}
	for len(args) > 0 {
		args = o.option(args)
	}
	if o.blind {
		limit(&o.match)
		o.sources = []source{{from: topology.UnknownAt[netip.Prefix](span)}}
	}
	if len(o.sources) == 0 {
		return []*rule{&o.rule}
	}
	out := make([]*rule, len(o.sources))
	for i, s := range o.sources {
		r := o.rule
		r.match.From, r.match.FromName = s.from, s.name
		out[i] = &r
	}
	return out
}

// option reads one option with its values, and returns the words behind it.
func (o *options) option(args []word) []word {
	negated := args[0].text == "!"
	if negated && len(args) > 1 {
		args = args[1:]
	}
	key, value := splitOption(args[0])
	if alias := aliases[key]; alias != "" {
		key = alias
	}
	args = args[1:]
	if isText := key == "--comment" || key == "--log-prefix"; isText && value.text == "" && len(args) > 0 {
		value, args = args[0], args[1:]
	}
	if len(args) > 1 && args[0].text == "!" && !strings.HasPrefix(args[1].text, "-") {
		negated = true // the old place: -s ! 10.0.0.1
		args = args[1:]
	}
	for len(args) > 0 && args[0].text != "!" && !strings.HasPrefix(args[0].text, "-") {
		if value.text == "" {
			value = args[0]
		}
		args = args[1:]
	}
	o.set(key, value, negated)
	return args
}

// splitOption separates --name=value and -sVALUE.
func splitOption(w word) (key string, value word) {
	key, text, ok := strings.Cut(w.text, "=")
	if long := strings.HasPrefix(key, "--"); !long && len(w.text) > 2 && attachable.MatchString(w.text) {
		key, text, ok = w.text[:2], w.text[2:], true
	} else if !long {
		return w.text, word{}
	}
	if ok {
		value = w
		value.text = text
	}
	return key, value
}

var attachable = pattern.New(`^-[psijgm]`)

// set takes one option into the rule. What is not understood limits the rule.
func (o *options) set(key string, value word, negated bool) {
	m := &o.match
	switch {
	case key == "-p":
		o.protocol(value, negated)
	case key == "--dport" || key == "--dports" || key == "--ports" && !negated: // these hold for either end
		ranges, ok := portRanges(value)
		if negated {
			ranges = others(ranges)
		}
		m.Ports, o.blind = ranges, !ok || len(ranges) == 0
	case key == "-s":
		o.source(value, negated)
	case key == "-i" && value.text == "lo" && !negated:
		m.Loopback = true
	case key == "--ctstate" && !negated:
		o.state(value)
	case key == "-j" || key == "-g":
		o.target, o.goTo = value.text, key == "-g"
	case key == "--log-prefix":
		o.prefix = value.text
	case key == "-m" && slices.Contains(readMatches, value.text), slices.Contains(silent, key):
	default:
		limit(m)
	}
}

// limit marks a rule that has more conditions than we read: whom it matches is then known only where it says a source.
func limit(m *topology.FirewallRule) {
	m.Limited = true
	if m.From.State == topology.Defaulted {
		m.From = topology.UnknownAt[netip.Prefix](m.From.Span)
	}
}

// state reads the connection states. With NEW among them the rule decides on new connections, as if it named none.
func (o *options) state(value word) {
	states := strings.Split(value.text, ",")
	switch {
	case slices.Contains(states, "NEW") && !value.dynamic:
		o.match.Fresh = !slices.Contains(states, "ESTABLISHED")
	case slices.Contains(states, "ESTABLISHED") && !value.dynamic:
		o.match.Established = true
	default:
		limit(&o.match)
	}
}

var numbers = map[string]string{"6": "tcp", "17": "udp", "112": "vrrp", "all": "", "0": "", "icmpv6": "ipv6-icmp"}

// notTCP is the protocol of a rule that matches everything but TCP.
const notTCP = "!tcp"

// protocol reads the name or number of a protocol.
func (o *options) protocol(value word, negated bool) {
	p := strings.ToLower(value.text)
	if to, ok := numbers[p]; ok {
		p = to
	}
	switch {
	case negated && p == "tcp":
		o.match.Protocol = notTCP
	case negated || value.dynamic:
		limit(&o.match)
	default:
		o.match.Protocol = p
	}
}

var services = map[string]int{"ssh": 22, "http": 80, "https": 443, "etcd-client": 2379, "etcd-server": 2380}

// maxPorts is how many ports and ranges one rule of iptables holds.
const maxPorts = 15

// portRanges reads ports, ranges first:last and lists of both, sorted and apart from each other.
func portRanges(value word) ([]topology.PortRange, bool) {
	parts := strings.Split(value.text, ",")
	if value.dynamic || len(parts) > maxPorts {
		return nil, false
	}
	var all []topology.PortRange
	for _, part := range parts {
		first, last, isRange := strings.Cut(part, ":")
		if !isRange {
			last = first
		}
		a, okA := port(first, 0)
		b, okB := port(last, 65535)
		if !okA || !okB || part == "" || a > b {
			return nil, false
		}
		all = append(all, topology.PortRange{First: a, Last: b})
	}
	slices.SortFunc(all, func(a, b topology.PortRange) int { return a.First - b.First })
	out := all[:1]
	for _, r := range all[1:] {
		if last := &out[len(out)-1]; r.First <= last.Last {
			last.Last = max(last.Last, r.Last)
		} else {
			out = append(out, r)
		}
	}
	return out, true
}

// port reads one end of a range; an empty one is the default.
func port(text string, empty int) (int, bool) {
	if text == "" {
		return empty, true
	}
	if p, ok := services[text]; ok {
		return p, true
	}
	p, err := strconv.Atoi(text)
	return p, err == nil && 0 <= p && p <= 65535
}

// others are the ports outside of sorted ranges.
func others(ranges []topology.PortRange) []topology.PortRange {
	var out []topology.PortRange
	next := 0
	for _, r := range ranges {
		if r.First > next {
			out = append(out, topology.PortRange{First: next, Last: r.First - 1})
		}
		next = max(next, r.Last+1)
	}
	if next <= 65535 {
		out = append(out, topology.PortRange{First: next, Last: 65535})
	}
	return out
}
