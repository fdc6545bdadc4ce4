package iptables

import (
	"bytes"
	"fmt"
	"path"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const nftables = "nftables"

// Nftables reads and writes rulesets of nft, which are chains, jumps and verdicts as well.
var Nftables = target.Target{
	Name:    nftables,
	Doc:     "rulesets of nft: a table of our own, as /etc/nftables.conf may include it",
	Render:  renderNft,
	Detect:  detectNft,
	Parse:   parseNft,
	Facts:   topology.FFirewalls | topology.FGuarded,
	Own:     []string{"@"},
	Comment: "#",

	PerMachine: true,
}

var nftTable = pattern.New(`(?m)^\s*(add\s+|create\s+)?table\s+(inet|ip|ip6)\s+\S+\s*\{|^#!\S*/nft\b|^\s*(add|create)\s+(table|chain|rule)\s+(inet|ip|ip6)\s`)

func detectNft(file string, head []byte) bool {
	if slices.Contains(prose, path.Ext(file)) {
		return false
	}
	return path.Ext(file) == ".nft" || nftTable.Match(head)
}

// maxBases bounds the chains that packets to the machine enter, those for both families twice: each is judged against all.
const maxBases = 40

// base is a chain that packets to the machine enter.
type base struct {
	family topology.Family
	table  *table
	chain  *chain
}

// nftReader collects the tables of one source.
type nftReader struct {
	bases    []base
	tables   map[string]map[topology.Family]*table
	sets     map[string][]word // words of the elements by table and name; nil where they change at run time
	used     int               // elements, wherever a rule names their set
	includes bool
	ours     bool // a head says that the file is generated
}

func parseNft(src target.Source) (*topology.Topology, diag.List) {
	r := &nftReader{tables: map[string]map[topology.Family]*table{}, sets: map[string][]word{}}
	for _, f := range src.Files {
		words := nftWords(f)
		if len(words) > maxNftWords {
			return refusedNft(src, diag.Span{File: f.Path}, fmt.Sprintf(
				"file has more than %d words, braces and commas, more than any ruleset, so it is not read; need fewer", maxNftWords))
		}
		s := nftScanner{words: defined(words)}
		r.file(&s)
		r.ours = r.ours || bytes.Contains(f.Data, []byte("\n# "+generated))
	}
	t := &topology.Topology{Format: nftables, Span: diag.Span{File: src.Path}}
	if len(r.bases) > maxBases {
		return refusedNft(src, r.bases[maxBases].chain.span, fmt.Sprintf(
			"more than %d chains take what comes to the machine, more than any ruleset has, so nothing in it is judged; need fewer", maxBases))
	}
	six := slices.ContainsFunc(r.bases, func(b base) bool { return b.family == topology.IPv6 })
	refusing := r.refusing()
	for i, b := range r.bases {
		c, guarded := b.guard()
		f := topology.Firewall{
			Target: nftables, Role: src.Host, Family: b.family, Span: c.span,
			Name: topology.SetAt(c.name, c.span), Observe: topology.DefaultAt(false, c.span),
			Complete: !six && !r.includes, Guarded: guarded,
		}
		if own := roleOf(c.name); r.ours && own != "" {
			f.Role = own
		}
		var found []topology.FirewallRule
		found, f.Observe.V = rules(flatten(b.table, c), c.name)
		for _, rule := range found {
			if rule.From.State == topology.Defaulted {
				rule.From.V = all(b.family)
			}
			if other := refusing[b.family]; rule.Verdict == topology.Accept && !rule.Loopback && !rule.Established &&
				(len(other) > 1 || len(other) == 1 && other[0] != i) {
				limit(&rule)
				rule.Limited = true
			}
			f.Rules = append(f.Rules, rule)
		}
		t.Firewalls = append(t.Firewalls, f)
	}
	return t, nil
}

// refusedNft is what is read of a source that is too much.
func refusedNft(src target.Source, at diag.Span, why string) (*topology.Topology, diag.List) {
	var diags diag.List
	diags.Error(at, "syntax", why, "")
	return &topology.Topology{Format: nftables, Span: diag.Span{File: src.Path}}, diags
}

// guard is the chain that decides, and the ports whose traffic enters it: a chain that does nothing but jump to one other
// with TCP to some ports, and with what is not TCP, stands before that one. Else the chain itself decides, about all ports.
func (b base) guard() (*chain, []topology.PortRange) {
	var ports []topology.PortRange
	to := ""
	for _, r := range b.chain.rules {
		m := r.match
		switch {
		case r.goTo || b.table.chains[r.target] == nil || to != "" && r.target != to,
			m.From.State != topology.Defaulted || m.Loopback || m.Established || m.Limited:
			return b.chain, nil
		case m.Protocol == "tcp" && m.Ports != nil && ports == nil:
			ports = m.Ports
		case m.Protocol == "" || m.Protocol == "tcp" || m.Protocol == notTCP:
			return b.chain, nil
		}
		to = r.target
	}
	if ports == nil || b.chain.drops {
		return b.chain, nil
	}
	return b.table.chains[to], ports
}

// refusing are the base chains of each family that may refuse what another one accepts.
func (r *nftReader) refusing() map[topology.Family][]int {
	out := map[topology.Family][]int{}
	for i, b := range r.bases {
		if slices.ContainsFunc(flatten(b.table, b.chain), func(d decision) bool {
			return d.Verdict == topology.Drop || d.Verdict == topology.Reject
		}) {
			out[b.family] = append(out[b.family], i)
		}
	}
	return out
}

var nftFamilies = map[string][]topology.Family{
	"ip": {topology.IPv4}, "ip6": {topology.IPv6}, "inet": {topology.IPv4, topology.IPv6},
}

// file reads the statements at the top of a file.
func (r *nftReader) file(s *nftScanner) {
	for line, ok := s.line(); ok; line, ok = s.line() {
		switch {
		case len(line) > 0 && line[0].text == "include":
			r.includes = true
		case len(line) > 2 && line[0].text == "table" && line[len(line)-1].text == "{":
			families, name, _, ok := tableOf(line[1 : len(line)-1])
			if !ok {
				s.skip()
				continue
			}
			r.declare(name, families)
			r.body(s, name)
		case len(line) > 0 && line[len(line)-1].text == "}":
			r.command(line)
		case len(line) > 0 && line[len(line)-1].text != "{":
			r.command(line)
		case len(line) > 0 && line[len(line)-1].text == "{":
			s.skip()
		}
	}
}

// declare makes a table where it is new.
func (r *nftReader) declare(name string, families []topology.Family) {
	if r.tables[name] == nil {
		r.tables[name] = map[topology.Family]*table{}
		for _, f := range families {
			r.tables[name][f] = newTable()
		}
	}
}

// body reads what stands in the braces of a table.
func (r *nftReader) body(s *nftScanner, name string) {
	for line, ok := s.line(); ok && line[0].text != "}"; line, ok = s.line() {
		switch {
		case line[len(line)-1].text != "{":
		case line[0].text == "chain" && len(line) == 3:
			r.chain(s, name, line[1])
		case (line[0].text == "set" || line[0].text == "map") && len(line) == 3:
			r.set(s, name+" @"+line[1].text)
		default:
			s.skip()
		}
	}
}

// chain reads what stands in the braces of a chain.
func (r *nftReader) chain(s *nftScanner, name string, called word) {
	for _, t := range r.tables[name] {
		t.chain(called.text, called.span) // there even without rules
	}
	for line, ok := s.line(); ok && line[0].text != "}"; line, ok = s.line() {
		if line[0].text == "type" || line[0].text == "policy" {
			r.say(name, called, line)
		} else {
			r.rule(name, called, line, false)
		}
	}
}

// say reads where a chain is hooked, or its policy.
func (r *nftReader) say(name string, called word, line []word) {
	for _, family := range []topology.Family{topology.IPv4, topology.IPv6} {
		t := r.tables[name][family]
		if t == nil {
			continue
		}
		c := t.chain(called.text, called.span)
		if len(line) > 1 && line[0].text == "policy" {
			c.drops, c.policySpan = line[1].text == "drop", line[1].span
		}
		if i := slices.IndexFunc(line, func(w word) bool { return w.text == "hook" }); i > 0 && i+1 < len(line) && line[i+1].text == "input" {
			r.bases = append(r.bases, base{family, t, c})
		}
	}
}

// rule reads a rule into the tables of each family, at the end of its chain or at the front.
func (r *nftReader) rule(name string, called word, line []word, front bool) {
	for _, family := range []topology.Family{topology.IPv4, topology.IPv6} {
		t := r.tables[name][family]
		if t == nil {
			continue
		}
		c := t.chain(called.text, called.span)
		if !t.room() || front && !t.spend(len(c.rules)) {
			continue
		}
		n := nftRule{sets: func(set string) []word { return r.elements(name + " " + set) }, family: family}
		added := n.read(line)
		if front {
			c.rules, t.added = slices.Insert(c.rules, 0, added...), t.added+len(added)
		} else {
			t.add(c, added...)
		}
	}
}

// set reads the elements of a named set or map, unless they change at run time.
func (r *nftReader) set(s *nftScanner, name string) {
	var elements []word
	dynamic := false
	for line, ok := s.line(); ok && line[0].text != "}"; line, ok = s.line() {
		switch line[0].text {
		case "flags", "timeout":
			dynamic = dynamic || slices.ContainsFunc(line[1:], func(w word) bool { return w.text == "dynamic" || w.text == "timeout" })
		case "elements":
			elements = line[min(2, len(line)):]
		}
	}
	if !dynamic && elements != nil {
		r.sets[name] = elements
	}
}

// maxUsed bounds how many elements of named sets are looked at, over all rules that name them.
const maxUsed = 500_000

// elements are those of a named set, none where they are not known.
func (r *nftReader) elements(set string) []word {
	if r.used += len(r.sets[set]); r.used > maxUsed {
		return nil
	}
	return r.sets[set]
}

// nftRule reads one rule for one family.
type nftRule struct {
	options
	family topology.Family
	sets   func(name string) []word
	never  bool // matches the other family only
}
