package lint

import (
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

var (
	opensGroup  = pattern.New(`^\s*(?:(?:function\s+)?([\w-]+)\s*\(\)\s*|function\s+([\w-]+)\s*)?[{(]\s*(?:#.*)?$`)
	closesGroup = pattern.New(`^\s*[})](.*)$`)
	firstWord   = pattern.New(`^\s*([\w-]+)`)
)

// group is what the commands between braces print.
type group struct {
	function string
	texts    []text
}

// enclose keeps track of the groups that a line opens or closes, and of calls of functions. What a group prints goes where
// its last line says, a function's where a call of it says, anything else to the group around it.
func (w *writer) enclose(command []byte) {
	if m := opensGroup.FindSubmatchIndex(command); m != nil {
		function := ""
		for i := 2; i < 6; i += 2 {
			if m[i] >= 0 {
				function = string(command[m[i]:m[i+1]])
			}
		}
		w.groups = append(w.groups, group{function: function})
		return
	}
	if m := closesGroup.FindSubmatchIndex(command); m != nil && len(w.groups) > 0 {
		last := w.groups[len(w.groups)-1]
		w.groups = w.groups[:len(w.groups)-1]
		switch {
		case len(last.texts) == 0:
		case last.function != "":
			w.functions[last.function] = last.texts
		default:
			w.direct(last.texts, command[m[2]:])
		}
		return
	}
	if m := firstWord.FindSubmatchIndex(command); m != nil {
		if name := string(command[m[2]:m[3]]); w.functions[name] != nil && destination.Match(command) {
			w.direct(w.functions[name], command)
			delete(w.functions, name) // once is enough to judge what it prints
		}
	}
}

// direct sends what a group prints where a command says.
func (w *writer) direct(texts []text, command []byte) {
	switch name, appended := destinationOf(command); {
	case name != "":
		w.put(name, appended, texts...)
	case len(w.groups) > 0:
		last := &w.groups[len(w.groups)-1]
		last.texts = append(last.texts, texts...)
	default:
		w.separate(texts)
	}
}

// disclose takes in what groups print to no file that is known.
func (w *writer) disclose() {
	for _, g := range w.groups {
		w.separate(g.texts)
	}
	names := make([]string, 0, len(w.functions))
	for name := range w.functions {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		w.separate(w.functions[name])
	}
}

// separate takes in texts of which nothing says that they belong together. Single lines are messages.
func (w *writer) separate(texts []text) {
	for _, t := range texts {
		if !t.single {
			w.put("", false, t)
		}
	}
}
