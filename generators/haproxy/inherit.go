package haproxy

import (
	"strconv"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// found says what a search for the line that governs a setting came to.
type found uint8

const (
	absent  found = iota // the built-in default holds
	present              // this line holds
	unclear              // what is not shown, or could be anything, may hold
)

// search finds the line that governs: the last about the topic in the section, else in the defaults it inherits from. Of
// several that branches of a template hold nobody knows which one is there.
func (s *section) search(topic string) (line, found) {
	for at := s; at != nil; at = at.parent {
		if lines := at.by[topic]; len(lines) > 0 {
			last := lines[len(lines)-1]
			if at.torn[topic] {
				return line{at: last.at}, unclear
			}
			return last, present
		}
		if at.opaque || at.loose {
			return line{at: at.head}, unclear
		}
	}
	return line{at: s.head}, absent
}

// owner finds the section whose lines about a topic hold: they are inherited as a whole, so that is the section itself or
// the first of its defaults that has any. It reports false where there may be more lines, and nil where there are none.
func (s *section) owner(topic string) (at *section, sure bool) {
	for at = s; at != nil; at = at.parent {
		if len(at.by[topic]) > 0 || at.opaque {
			return at, !at.opaque
		}
	}
	return nil, true
}

// argument is the word after the topic.
func (l line) argument(topic string) word { return l.word(strings.Count(topic, " ") + 1) }

// setting reads the argument of the line that governs, in a proxy's section or its defaults. Where nothing is written the
// built-in default holds.
func setting[T any](s *section, read func(string) (T, bool), builtin T, topic string) topology.Value[T] {
	switch l, how := s.search(topic); how {
	case present:
		return valueOf(l.argument(topic), read)
	case absent:
		return topology.DefaultAt(builtin, s.head)
	}
	return topology.Value[T]{}
}

// written is a setting without a built-in value: unknown where nothing states it.
func written[T any](s *section, read func(string) (T, bool), topic string) topology.Value[T] {
	if l, how := s.search(topic); how == present {
		return valueOf(l.argument(topic), read)
	}
	return topology.Value[T]{}
}

func valueOf[T any](w word, read func(string) (T, bool)) topology.Value[T] {
	if !w.unknown {
		if v, ok := read(w.text); ok {
			return topology.SetAt(v, w.at)
		}
	}
	return topology.UnknownAt[T](w.at)
}

func timeout(s *section, which string) topology.Value[time.Duration] {
	return setting(s, readTime, topology.Never, "timeout "+which)
}

func modeOf(s *section) topology.Value[topology.Mode] {
	return setting(s, func(text string) (topology.Mode, bool) {
		mode := topology.Mode(text)
		return mode, mode == topology.TCP || mode == topology.HTTP
	}, topology.TCP, "mode")
}

func readCount(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0
}

func readText(text string) (string, bool) { return text, text != "" }

func textOf(w word) topology.Value[string] { return valueOf(w, readText) }

// varying is what of a word only a run tells.
var varying = pattern.New(`(` + topology.Hole + `)+(q_?)?|\$\{[^}]*\}|\$\w+`)

// nameOf is a name. Of one that only a run tells in part the rest stands, with a star for that part.
func nameOf(w word) topology.Value[string] {
	v := textOf(w)
	if rest := varying.ReplaceAllString(w.text, "*"); w.unknown && !w.maybe && strings.Trim(rest, "*-_.") != "" {
		v.V = rest
	}
	return v
}
