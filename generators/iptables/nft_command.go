package iptables

import (
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// tableOf reads the family and the name of a table, and returns what follows. Tables of other families than IP are not ok.
func tableOf(line []word) (families []topology.Family, name string, rest []word, ok bool) {
	if len(line) == 0 || slices.Contains([]string{"arp", "bridge", "netdev"}, line[0].text) {
		return nil, "", nil, false
	}
	family := "ip"
	if nftFamilies[line[0].text] != nil {
		family, line = line[0].text, line[1:]
	}
	if len(line) == 0 {
		return nil, "", nil, false
	}
	return nftFamilies[family], family + " " + line[0].text, line[1:], true
}

// command reads a statement that adds one thing or takes rules away, the way scripts for nft are written.
func (r *nftReader) command(line []word) {
	if len(line) < 3 {
		return
	}
	verb, kind := line[0].text, line[1].text
	families, name, rest, ok := tableOf(line[2:])
	if !ok || verb != "add" && verb != "create" && verb != "insert" && verb != "flush" || verb == "flush" && r.tables[name] == nil {
		return
	}
	r.declare(name, families)
	if len(rest) == 0 {
		return
	}
	set := name + " @" + rest[0].text
	switch {
	case kind == "chain" && verb == "flush":
		for _, t := range r.tables[name] {
			t.flush(rest[0].text)
		}
	case kind == "chain":
		r.chain(within(rest[1:]), name, rest[0])
	case kind == "rule" && len(rest) > 1:
		r.rule(name, rest[0], rest[1:], verb == "insert")
	case (kind == "set" || kind == "map") && len(rest) > 1:
		r.set(within(rest[1:]), set)
	case kind == "element" && r.sets[set] != nil:
		r.sets[set] = append(append(r.sets[set], word{text: ","}), inBraces(rest[1:])...)
	}
}

// inBraces are the words between the braces of a statement.
func inBraces(words []word) []word {
	if n := len(words); n > 1 && words[0].text == "{" && words[n-1].text == "}" {
		return slices.Clone(words[1 : n-1])
	}
	return nil
}

// properties are what the lines in the braces of a chain, set or map begin with.
var properties = []string{"type", "policy", "flags", "timeout", "elements", "comment"}

// within hands out the lines in the braces of a statement, which the semicolons between them no longer tell apart.
func within(words []word) *nftScanner {
	var out []word
	for _, w := range inBraces(words) {
		if slices.Contains(properties, w.text) {
			out = append(out, word{text: ";"})
		}
		out = append(out, w)
	}
	return &nftScanner{words: out}
}
