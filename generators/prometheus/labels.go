package prometheus

import (
	"slices"
	"strings"
)

// label is one label of a series or an alert.
type label struct{ name, value string }

// labelSet is labels sorted by name, each once.
type labelSet []label

// set adds a label, or replaces the one of its name.
func (s *labelSet) set(name, value string) {
	i, found := slices.BinarySearchFunc(*s, name, func(l label, name string) int { return strings.Compare(l.name, name) })
	if found {
		(*s)[i].value = value
		return
	}
	*s = slices.Insert(*s, i, label{name, value})
}

// labelsOf are labels in order.
func labelsOf(labels map[string]string) labelSet {
	out := make(labelSet, 0, len(labels))
	out.setAll(labels)
	return out
}

// setAll adds labels, or replaces those of their names.
func (s *labelSet) setAll(labels map[string]string) {
	for name, value := range labels {
		s.set(name, value)
	}
}

// get is a label's value, or nothing.
func (s labelSet) get(name string) string {
	for _, l := range s {
		if l.name == name {
			return l.value
		}
	}
	return ""
}

// series spells a time series of these labels, at least one, as promtool reads it.
func (s labelSet) series(metric string) string {
	out := make([]byte, 0, 256)
	out = append(out, metric...)
	separator := byte('{')
	for _, l := range s {
		out = append(out, separator)
		out = append(out, l.name...)
		out = append(out, '=')
		out = appendQuoted(out, l.value)
		separator = ','
	}
	return string(append(out, '}'))
}

// labelled is an entry of a document: a mapping of labels.
func (d *document) labelled(key string, labels labelSet) {
	d.mapping(key, func() {
		for _, l := range labels {
			d.text(l.name, l.value)
		}
	})
}

// The way in which an annotation names a label of the alert.
const labelOpen, labelClose = "{{ $labels.", " }}"

// expand is an annotation with its labels filled in.
func (s labelSet) expand(annotation string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(annotation, labelOpen)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, after, _ := strings.Cut(rest, labelClose)
		out.WriteString(s.get(name))
		annotation = after
	}
}
