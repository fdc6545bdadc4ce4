package iptables

import (
	"cmp"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// reader collects the filter tables of one source.
type reader struct {
	tables map[topology.Family]*table
	dump   topology.Family // the family of the lines of a dump
	other  bool            // the lines of a dump belong to another table than filter
	ours   bool            // a head says that the file is generated
	script bool            // there are calls of iptables
	six    bool            // something is done about IPv6
}

// Parse reads dumps and scripts. The rules come in the order in which packets to the machine itself meet them.
func Parse(src target.Source) (*topology.Topology, diag.List) {
	r := &reader{tables: map[topology.Family]*table{topology.IPv4: newTable(), topology.IPv6: newTable()}}
	for _, f := range src.Files {
		r.dump, r.other = familyOf(cmp.Or(f.As, f.Path), f.Data), false
		run(newLexer(f.Path, f.Data).next, r.statement)
	}
	t := &topology.Topology{Format: name, Span: diag.Span{File: src.Path}}
	for _, family := range []topology.Family{topology.IPv4, topology.IPv6} {
		if f, ok := r.firewall(family); ok {
			f.Complete = !r.six && (r.script && !src.Beside || src.Alone)
			if f.Role == "" {
				f.Role = src.Host
			}
			t.Firewalls = append(t.Firewalls, f)
		}
	}
	return t, nil
}

var (
	sixName = pattern.New(`v6|ip6`)
	// sixText is what only IPv6 rules hold: its own ICMP, or an address with two colons.
	sixText = pattern.New(`icmpv6|ipv6-icmp|icmp6-|-[sd] [0-9a-fA-F]*:[0-9a-fA-F:]*:|-[sd] ::`)
)

// familyOf guesses the family of a dump from its name, else from its text.
func familyOf(file string, data []byte) topology.Family {
	if sixName.MatchString(path.Base(file)) || sixText.Match(data) {
		return topology.IPv6
	}
	return topology.IPv4
}

// statement takes one line of a dump, or one command of a script.
func (r *reader) statement(s statement) {
	if s.comment != "" {
		r.comment(s.comment)
		return
	}
	r.six = r.six || slices.ContainsFunc(s.words, func(w word) bool { return aboutSix.MatchString(w.text) })
	if counters.MatchString(s.words[0].text) {
		s.words = s.words[1:]
	}
	if len(s.words) == 0 {
		return
	}
	switch first := s.words[0]; first.text[:min(1, len(first.text))] {
	case "*":
		r.other = first.text != "*filter"
	case ":":
		if !r.other {
			r.declare(s.words)
		}
	case "-":
		if !r.other {
			r.command(r.tables[r.dump], s.words)
		}
	default:
		r.call(s.words)
	}
}

// aboutSix are words by which a script does something about IPv6, be it to turn it off.
var aboutSix = pattern.New(`ip6t|ipv6|IP6T|IPT6|-family`)

// counters stand before each rule where iptables-save was asked for them.
var counters = pattern.New(`^\[[0-9]+:[0-9]+\]$`)

// comment reads what heads of dumps say: their family, and that we wrote them.
func (r *reader) comment(text string) {
	r.ours = r.ours || strings.HasPrefix(text, "# "+generated)
	switch {
	case strings.Contains(text, "ip6tables-"):
		r.dump = topology.IPv6
	case strings.Contains(text, "iptables-save"), strings.Contains(text, "iptables-restore"):
		r.dump = topology.IPv4
	}
}

// generated is how the head of a file of ours begins.
var generated = strings.TrimSuffix(target.Header{}.Lines()[0], ". Edit the spec, not this file:")

// declare reads ":chain POLICY [packets:bytes]", which makes a chain or empties it.
func (r *reader) declare(words []word) {
	t := r.tables[r.dump]
	t.flush(words[0].text[1:])
	c := t.chain(words[0].text[1:], words[0].span)
	c.declared = true
	if len(words) > 1 {
		c.policy(words[1])
	}
}

func (c *chain) policy(verdict word) {
	c.drops = verdict.text == "DROP"
	c.policySpan = verdict.span
}

// call finds the iptables call in a command of a script.
func (r *reader) call(words []word) {
	for i, w := range words {
		program := path.Base(w.text)
		switch m := programs.FindStringSubmatch(program); {
		case writers[program]:
			if i := slices.IndexFunc(words, func(w word) bool { return rulesFile.MatchString(w.text) }); i >= 0 {
				r.dump, r.other = family(words[i].text), false
			}
			return
		case m != nil && m[2] != "":
			r.dump, r.other = family(program), false
			return
		case m != nil:
			r.script = true
			r.command(r.tables[family(program)], plain(words[i+1:]))
			return
		case variable.MatchString(w.text):
			r.script = true
			r.command(r.tables[family(w.text)], plain(words[i+1:]))
			return
		case slices.Contains(before, program) || strings.Contains(w.text, "=") || root.MatchString(w.text):
		case i > 0 && (strings.HasPrefix(w.text, "-") || words[i-1].text == "-u"): // how sudo is to do it
		default:
			return
		}
	}
}

var (
	programs = pattern.New(`^ip6?tables(-legacy|-nft)?(-restore)?$`)
	// variable is one that by its name holds the program: $IPTABLES, ${IPT6}.
	variable = pattern.New(`^\$\{?\w*(IPT|ipt|IP6T|ip6t)\w*\}?$`)
	// root is a variable that by its name holds sudo, or nothing.
	root = pattern.New(`^\$\{?(SUDO|sudo)\}?$`)
	// before are words that may stand before a command.
	before = []string{"sudo", "if", "then", "else", "elif", "do", "while", "until", "!", "{", "exec", "env", "time", "command"}
	// writers are commands that put a here-document into a file, which may be one of rules.
	writers     = map[string]bool{"cat": true, "tee": true}
	rulesFile   = pattern.New(`ip6?tables|rules\.v[46]`)
	redirection = pattern.New(`^[0-9]?([<>]+)(.*)$`)
)

func family(program string) topology.Family {
	if strings.Contains(program, "6") {
		return topology.IPv6
	}
	return topology.IPv4
}

// plain is a command's words without redirections.
func plain(words []word) []word {
	var out []word
	for i := 0; i < len(words); i++ {
		m := redirection.FindStringSubmatch(words[i].text)
		switch {
		case m == nil:
			out = append(out, words[i])
		case m[2] == "":
			i++ // the file is the next word
		}
	}
	return out
}

// commands are the commands we follow, by their long names.
var commands = map[string]string{
	"--append": "-A", "--insert": "-I", "--delete": "-D", "--replace": "-R", "--flush": "-F", "--policy": "-P",
	"--new-chain": "-N", "--new": "-N", "--delete-chain": "-X",
}

// command does one command on a table, unless it is about another table than filter.
func (r *reader) command(t *table, words []word) {
	for i, w := range words {
		key, value := splitOption(w)
		if key == "-t" || key == "--table" {
			if value.text == "" && i+1 < len(words) {
				value = words[i+1]
			}
			if value.text != "filter" {
				return
			}
		}
	}
	for i, w := range words {
		key := w.text
		if short := commands[key]; short != "" {
			key = short
		}
		if len(key) == 2 && strings.Contains("-A-I-D-R-F-P-N-X", key) {
			span := words[0].span
			end := words[len(words)-1].span
			span.EndLine, span.EndCol = end.EndLine, end.EndCol
			args := without(words[i+1:])
			if len(args) > 0 && i > 0 { // what stands before the command is a part of the rule, too
				args = append(slices.Clip(args), without(words[:i])...)
			}
			t.command(key, args, span)
			return
		}
	}
}

// without leaves out the choice of the table, which may stand behind the command.
func without(words []word) []word {
	if i := slices.IndexFunc(words, func(w word) bool { return w.text == "-t" || w.text == "--table" }); i >= 0 {
		return slices.Delete(slices.Clone(words), i, min(i+2, len(words)))
	}
	return words
}

// command does one command; args are the words behind it, the chain first.
func (t *table) command(key string, args []word, span diag.Span) {
	name := ""
	if len(args) > 0 {
		name, args = args[0].text, args[1:]
	}
	switch {
	case key == "-F":
		t.flush(name)
	case key == "-X":
		t.remove(name)
	case name == "":
	case key == "-N":
		t.chain(name, span).declared = true
	case key == "-P" && len(args) > 0:
		t.chain(name, span).policy(args[0])
	default:
		t.edit(key, t.chain(name, span), args, span)
	}
}

// firewall is what a table does to packets for the machine itself: INPUT, or in a file that never mentions INPUT what ufw
// jumps to from there, or the one chain that nothing in it jumps to; false where there is none of them.
func (r *reader) firewall(family topology.Family) (topology.Firewall, bool) {
	t := r.tables[family]
	c := t.chains["INPUT"]
	if c == nil {
		c = cmp.Or(t.chains["ufw-user-input"], t.chains["ufw6-user-input"])
	}
	if c == nil {
		roots := t.roots()
		if len(roots) != 1 {
			return topology.Firewall{}, false
		}
		c = roots[0]
	}
	f := topology.Firewall{
		Target: name, Family: family, Span: c.span,
		Name:    topology.SetAt(c.name, c.span),
		Observe: topology.DefaultAt(false, c.span),
	}
	f.Rules, f.Observe.V = rules(flatten(t, c), c.name)
	if c.name != "INPUT" && !r.ours { // who comes past the rules before the jump to it is not known
		before := topology.FirewallRule{Verdict: topology.Accept, From: topology.UnknownAt[netip.Prefix](c.span), Limited: true, Span: c.span}
		f.Rules = append([]topology.FirewallRule{before}, f.Rules...)
	}
	for i := range f.Rules {
		if from := &f.Rules[i].From; from.State == topology.Defaulted {
			from.V = all(family)
		}
	}
	if r.ours {
		f.Role = roleOf(c.name)
	}
	return f, len(f.Rules) > 0 || c.declared
}

// all is everybody in a family.
func all(family topology.Family) netip.Prefix {
	if family == topology.IPv6 {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}

// rules are the decisions without what only matters here. Where a chain of ours logs and then accepts, it observes: the
// pair stands for the refusal.
func rules(decisions []decision, chain string) (out []topology.FirewallRule, observes bool) {
	for i, d := range decisions {
		if i > 0 && d.Verdict == topology.Accept && decisions[i-1].prefix == logPrefix(chain) {
			d.Verdict = topology.Reject
			out[len(out)-1] = d.FirewallRule
			observes = true
			continue
		}
		out = append(out, d.FirewallRule)
	}
	return out, observes
}

// roleOf is the kind of machine that a chain of ours is for.
func roleOf(chain string) string {
	switch {
	case strings.HasPrefix(chain, "etcd-"):
		return topology.Members
	case strings.HasPrefix(chain, "etlb-"):
		return topology.Nodes
	}
	return ""
}
