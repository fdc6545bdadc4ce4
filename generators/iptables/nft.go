package iptables

import (
	"path"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Nftables reads rulesets of nft, which are chains, jumps and verdicts as well.
var Nftables = target.Target{
	Name:    "nftables",
	Doc:     "rulesets of nft, as in /etc/nftables.conf",
	Detect:  detectNft,
	Parse:   parseNft,
	Own:     []string{"@"},
	Comment: "#",

	PerMachine: true,
}

var nftTable = pattern.New(`(?m)^\s*table\s+(inet|ip|ip6)\s+\S+\s*\{|^#!\S*/nft\b`)

func detectNft(file string, head []byte) bool {
	if slices.Contains(prose, path.Ext(file)) {
		return false
	}
	return path.Ext(file) == ".nft" || nftTable.Match(head)
}

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
	sets     map[string][]word // elements by table and name; nil where they change at run time
	includes bool
}

func parseNft(src target.Source) (*topology.Topology, diag.List) {
	r := &nftReader{tables: map[string]map[topology.Family]*table{}, sets: map[string][]word{}}
	for _, f := range src.Files {
		s := nftScanner{words: defined(nftWords(f))}
		r.file(&s)
	}
	t := &topology.Topology{Format: "nftables", Span: diag.Span{File: src.Path}}
	six := slices.ContainsFunc(r.bases, func(b base) bool { return b.family == topology.IPv6 })
	for i, b := range r.bases {
		f := topology.Firewall{
			Target: "nftables", Role: src.Host, Family: b.family, Span: b.chain.span,
			Name: topology.SetAt(b.chain.name, b.chain.span), Observe: topology.DefaultAt(false, b.chain.span),
			Complete: !six && !r.includes,
		}
		for _, d := range flatten(b.table, b.chain) {
			rule := d.FirewallRule
			if rule.From.State == topology.Defaulted {
				rule.From.V = all(b.family)
			}
			if rule.Verdict == topology.Accept && !rule.Loopback && !rule.Established && r.mayDrop(i) {
				limit(&rule)
				rule.Limited = true
			}
			f.Rules = append(f.Rules, rule)
		}
		t.Firewalls = append(t.Firewalls, f)
	}
	return t, nil
}

// mayDrop reports whether another base chain may refuse what the i-th one accepts.
func (r *nftReader) mayDrop(i int) bool {
	for j, b := range r.bases {
		if j == i || b.family != r.bases[i].family {
			continue
		}
		if slices.ContainsFunc(flatten(b.table, b.chain), func(d decision) bool {
			return d.Verdict == topology.Drop || d.Verdict == topology.Reject
		}) {
			return true
		}
	}
	return false
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
			families := nftFamilies["ip"]
			name := line[1].text
			if len(line) > 3 {
				families, name = nftFamilies[name], name+" "+line[2].text
			}
			r.body(s, name, families)
		case len(line) > 0 && line[len(line)-1].text == "{":
			s.skip()
		}
	}
}

// body reads what stands in the braces of a table.
func (r *nftReader) body(s *nftScanner, name string, families []topology.Family) {
	if r.tables[name] == nil {
		r.tables[name] = map[topology.Family]*table{}
		for _, f := range families {
			r.tables[name][f] = newTable()
		}
	}
	for line, ok := s.line(); ok && line[0].text != "}"; line, ok = s.line() {
		switch {
		case line[len(line)-1].text != "{":
		case line[0].text == "chain" && len(line) == 3:
			r.chain(s, name, line[1])
		case line[0].text == "set" && len(line) == 3:
			r.set(s, name+" @"+line[1].text)
		default:
			s.skip()
		}
	}
}

// chain reads the rules of a chain into the tables of each family.
func (r *nftReader) chain(s *nftScanner, name string, called word) {
	for line, ok := s.line(); ok && line[0].text != "}"; line, ok = s.line() {
		for _, family := range []topology.Family{topology.IPv4, topology.IPv6} {
			t := r.tables[name][family]
			if t == nil {
				continue
			}
			c := t.chain(called.text, called.span)
			switch {
			case line[0].text == "type":
				if i := slices.IndexFunc(line, func(w word) bool { return w.text == "hook" }); i > 0 && i+1 < len(line) && line[i+1].text == "input" {
					r.bases = append(r.bases, base{family, t, c})
				}
			case line[0].text == "policy" && len(line) > 1:
				c.drops, c.policySpan = line[1].text == "drop", line[1].span
			default:
				n := nftRule{sets: func(set string) []word { return r.sets[name+" "+set] }, family: family}
				c.rules = append(c.rules, n.read(line)...)
			}
		}
	}
}

// set reads the elements of a named set, unless they change at run time.
func (r *nftReader) set(s *nftScanner, name string) {
	var elements []word
	dynamic := false
	for line, ok := s.line(); ok && line[0].text != "}"; line, ok = s.line() {
		switch line[0].text {
		case "flags", "timeout":
			dynamic = dynamic || slices.ContainsFunc(line[1:], func(w word) bool { return w.text == "dynamic" || w.text == "timeout" })
		case "elements":
			elements = line[2:]
		}
	}
	if !dynamic {
		r.sets[name] = elements
	}
}

// nftRule reads one rule for one family.
type nftRule struct {
	options
	family topology.Family
	sets   func(name string) []word
	never  bool // matches the other family only
}
