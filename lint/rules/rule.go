// Package rules holds the judgements on a topology, one file a rule. A rule sees facts, never a text format, and is
// silent on what it does not know.
package rules

import (
	"fmt"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Rule is one judgement, with its documentation.
type Rule struct {
	ID       string // the slug in messages, ignore comments, golden folders
	Title    string // one line
	Severity string // "error", "warning" or "error or warning"
	Why      string // what goes wrong for the user
	Fix      string // what to do about it
	// References are public issues and manuals where the harm was met.
	References []string

	// Check returns what the rule finds in a group; its Rule field is filled in by the caller. Nil where the finding is
	// made while reading: such a rule is here for its documentation.
	Check func(g *topology.Group) diag.List
	// Unjudged says why the rule could not judge something that the group holds, "" where it could. Nil: it always can.
	Unjudged func(g *topology.Group) string
}

// Find returns the rule of that id, or nil.
func Find(id string) *Rule {
	for i := range All {
		if All[i].ID == id {
			return &All[i]
		}
	}
	return nil
}

// short writes a duration as its neighbours in a sentence are: up to two minutes in seconds.
func short(d time.Duration) string {
	if d < 2*time.Minute && d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return topology.Short(d)
}

// list joins words as a sentence does: "a, b and c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// called names a thing where it has a name: `pool "etcd"`, else `a pool`.
func called(thing string, name topology.Value[string]) string {
	if name.V == "" {
		return "a " + thing
	}
	return thing + ` "` + name.V + `"`
}
