package haproxy

import (
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// ineffective are the settings of a section that HAProxy refuses, or ignores in the section's mode.
func ineffective(s *section) []topology.Ineffective {
	var out []topology.Ineffective
	for _, l := range s.by["option"] {
		if l.is("option", "check-ssl") && !l.word(1).unknown {
			out = append(out, topology.Ineffective{
				Setting: "option check-ssl",
				Fate:    "haproxy refuses, since it has no such option",
				Instead: "write check-ssl behind check in the server lines",
				Span:    l.at,
			})
		}
	}
	if l, ok := page(s); ok && modeOf(s).V == topology.TCP {
		out = append(out, topology.Ineffective{
			Setting: "stats " + l.word(1).text,
			Fate:    "haproxy ignores in " + s.called() + ", since the page needs HTTP mode",
			Instead: "move it to a section of its own with mode http",
			Span:    l.at,
		})
	}
	return out
}

// page is the line that makes a section serve the statistics page. What defaults say holds in others, of any mode.
func page(s *section) (line, bool) {
	lines := s.by["stats"]
	if s.kind == "global" || s.kind == "defaults" || len(lines) == 0 {
		return line{}, false
	}
	for _, l := range lines {
		if l.is("stats", "enable") {
			lines = []line{l}
		}
	}
	return lines[0], !lines[0].word(1).unknown
}

// overridden are the check methods of a section that another one in the same section replaces: the last holds. What a
// section inherits is meant to be replaced.
func overridden(s *section) []topology.Overridden {
	lines := s.by[checkMethod]
	for _, l := range lines {
		if l.is("no") || l.word(1).unknown || l.block != lines[0].block {
			return nil
		}
	}
	var out []topology.Overridden
	for i, l := range lines {
		if last := lines[len(lines)-1]; i < len(lines)-1 && l.word(1).text != last.word(1).text {
			out = append(out, topology.Overridden{Section: s.called(), Lost: l.whole(), Holds: last.whole()})
		}
	}
	return out
}

// called names a section in a sentence.
func (s *section) called() string {
	if s.name.text == "" {
		return "a " + s.kind + " section"
	}
	return s.kind + ` "` + s.name.text + `"`
}

// whole is a line as one value: an option by its name.
func (l line) whole() topology.Value[string] {
	return topology.SetAt(l.word(0).text+" "+l.word(1).text, l.at)
}
