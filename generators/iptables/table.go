package iptables

import (
	"slices"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// table is the filter table of one family, as far as a file says.
type table struct {
	chains map[string]*chain
	order  []*chain
	budget int  // of rules and chains that edits may still go over
	added  int  // rules
	full   bool // edits were left out, so no rule is certain
}

// maxAdded bounds how many rules a table gets. Long lists of sources in many rules multiply.
const maxAdded = 50_000

// room reports whether a table takes more rules.
func (t *table) room() bool {
	t.full = t.full || t.added > maxAdded
	return t.added <= maxAdded
}

// add appends rules to a chain.
func (t *table) add(c *chain, rules ...*rule) {
	c.rules = append(c.rules, rules...)
	t.added += len(rules)
}

// maxEdits bounds what edits go over: some 10 000 insertions into one chain.
const maxEdits = 50_000_000

// spend takes the cost of an edit from the budget; false where the edit must be left out.
func (t *table) spend(n int) bool {
	t.budget -= n
	t.full = t.full || t.budget < 0
	return !t.full
}

// chain is a list of rules. Those of the kernel have a policy.
type chain struct {
	name       string
	declared   bool // by a line of its own, not only by rules
	rules      []*rule
	drops      bool // the policy is DROP
	policySpan diag.Span
	span       diag.Span // where the file first names it
}

// rule is one rule as written: what it matches and where it sends that.
type rule struct {
	match  topology.FirewallRule // without verdict
	target string                // "" for a rule that only counts
	goTo   bool                  // by -g: what comes back skips the rest of this chain
	prefix string                // of a log line
	key    string                // its words, for -D
}

// builtin are the chains of the kernel.
var builtin = []string{"INPUT", "FORWARD", "OUTPUT"}

func newTable() *table { return &table{chains: map[string]*chain{}, budget: maxEdits} }

// chain is the chain of that name, made where it is new.
func (t *table) chain(name string, at diag.Span) *chain {
	c := t.chains[name]
	if c == nil {
		c = &chain{name: name, span: at}
		t.chains[name] = c
		t.order = append(t.order, c)
	}
	return c
}

// flush empties a chain, or all of them.
func (t *table) flush(name string) {
	if name != "" {
		if c := t.chains[name]; c != nil {
			c.rules = nil
		}
		return
	}
	if !t.spend(len(t.order)) {
		return
	}
	for _, c := range t.order {
		c.rules = nil
	}
}

// remove deletes a chain, or all that are not the kernel's.
func (t *table) remove(name string) {
	if !t.spend(len(t.order)) {
		return
	}
	t.order = slices.DeleteFunc(t.order, func(c *chain) bool {
		gone := c.name == name || name == "" && !slices.Contains(builtin, c.name)
		if gone {
			delete(t.chains, c.name)
		}
		return gone
	})
}

// edit does one command that changes the rules of a chain: -A, -I, -D or -R. Args are the words behind the chain.
func (t *table) edit(command string, c *chain, args []word, span diag.Span) {
	if command != "-A" && !t.spend(len(c.rules)) || !t.room() {
		return
	}
	place, numbered := 0, false
	if command != "-A" && len(args) > 0 {
		if n, err := strconv.Atoi(args[0].text); err == nil {
			place, numbered, args = n-1, true, args[1:]
		}
	}
	rules := parseRules(args, span)
	switch {
	case command == "-A":
		t.add(c, rules...)
	case command == "-I": // each source goes before the last one
		t.added += len(rules)
		slices.Reverse(rules)
		c.rules = slices.Insert(c.rules, min(max(place, 0), len(c.rules)), rules...)
	case command == "-D" && !numbered:
		c.delete(keyOf(args))
	case numbered && place >= 0 && place < len(c.rules):
		c.rules = slices.Delete(c.rules, place, place+1)
		if command == "-R" {
			c.rules = slices.Insert(c.rules, place, rules...)
		}
	}
}

// delete takes the first rule with these words out.
func (c *chain) delete(key string) {
	if i := slices.IndexFunc(c.rules, func(r *rule) bool { return r.key == key }); i >= 0 {
		c.rules = slices.Delete(c.rules, i, i+1)
	}
}

// keyOf is what two spellings of the same rule have in common: the words.
func keyOf(args []word) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = a.text
	}
	return strings.Join(words, " ")
}

// roots are the declared chains of a file that nothing in it jumps to.
func (t *table) roots() []*chain {
	reached := map[string]bool{}
	for _, c := range t.order {
		for _, r := range c.rules {
			reached[r.target] = true
		}
	}
	var out []*chain
	for _, c := range t.order {
		if c.declared && !reached[c.name] && !slices.Contains(builtin, c.name) && c.name != "DOCKER-USER" {
			out = append(out, c)
		}
	}
	return out
}
