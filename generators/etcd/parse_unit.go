package etcd

import (
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/process"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// assignsUnit matches what a unit sets.
var assignsUnit = pattern.New(`^\s*(Exec[A-Za-z]+|Environment)\s*=\s*[-@:+!|]*`)

// unit reads what a systemd unit starts, and the variables that it gives to it.
func unit(f target.File, facts *process.Facts) diag.List {
	var env process.Settings
	type command struct {
		words []topology.Value[string]
		at    diag.Span
	}
	var (
		commands  []command
		variables []*held
	)
	for _, lines := range logical(f) {
		m := assignsUnit.FindStringSubmatchIndex(lines[0].text)
		if m == nil {
			continue
		}
		if held := flags(lines); held != nil {
			variables = append(variables, held)
			continue
		}
		words := lines[0].words(m[1])
		for _, l := range lines[1:] {
			words = append(words, l.words(0)...)
		}
		if lines[0].text[m[2]:m[3]] == "Environment" {
			env = append(env, settings(words)...)
			continue
		}
		commands = append(commands, command{words, diag.At(f.Path, lines[0].number, 1+m[2], m[3]-m[2])})
	}
	for _, c := range commands {
		facts.Run(process.Run{Words: expanded(c.words, variables), Env: env, Span: c.at})
	}
	for _, v := range variables {
		if !v.used {
			v.run(facts)
		}
	}
	nameless := !slices.ContainsFunc(commands, func(c command) bool { return slices.ContainsFunc(c.words, known) })
	if len(commands) == 0 || nameless && serves(env) { // a drop-in, or a start of etcd by a name of another's
		facts.Run(process.Run{Program: process.Etcd, Env: env, Span: diag.Span{File: f.Path, Line: 1, Col: 1}})
	}
	return nil
}

// known reports whether a word of a command line names a program that we know, be it within a script for a shell.
func known(w topology.Value[string]) bool {
	return process.Known(w.V) != "" || hasProgram.MatchString(w.V)
}

// serves reports whether variables are among those that only a server of etcd reads.
func serves(env process.Settings) bool {
	return slices.ContainsFunc(env, func(s process.Setting) bool { return serverVar.MatchString(s.Name) })
}

// expanded are words with the flags of variables in the place of these.
func expanded(words []topology.Value[string], variables []*held) []topology.Value[string] {
	if len(variables) == 0 {
		return words
	}
	var out []topology.Value[string]
	for _, w := range words {
		i := slices.IndexFunc(variables, func(v *held) bool { return w.V == "$"+v.name || w.V == "${"+v.name+"}" })
		if i < 0 {
			out = append(out, w)
			continue
		}
		variables[i].used = true
		out = append(out, variables[i].words...)
	}
	return out
}

// settings are words such as NAME=value.
func settings(words []topology.Value[string]) process.Settings {
	var out process.Settings
	for _, w := range words {
		if name, _, ok := strings.Cut(w.V, "="); ok {
			out = append(out, process.Setting{Name: name, Value: process.Part(w, len(name)+1, len(w.V))})
		}
	}
	return out
}

// held are the flags of a command line that a variable holds, which a unit or a script puts behind the program.
type held struct {
	name  string
	words []topology.Value[string]
	used  bool // a command has them
}

// run takes them for a start of the program that they belong to.
func (h *held) run(facts *process.Facts) {
	facts.Run(process.Run{Program: programOf(h.words), Words: h.words, Span: h.words[0].Span})
}

// flags are those that a variable holds, nil for another value.
func flags(lines []line) *held {
	m := assignsFlags.FindStringSubmatchIndex(lines[0].text)
	if m == nil {
		return nil
	}
	out := held{name: lines[0].text[m[2]:m[3]]}
	from := m[4]
	for _, l := range lines {
		l.text = strings.TrimRight(l.text, " \t\"'\\")
		out.words = append(out.words, l.words(from)...)
		from = 0
	}
	if programOf(out.words) == "" {
		return nil
	}
	return &out
}

// programOf is what flags belong to, "" where they do not say.
func programOf(words []topology.Value[string]) string {
	for _, w := range words {
		switch {
		case serverFlag.MatchString(w.V):
			return process.Etcd
		case storeFlag.MatchString(w.V):
			return process.APIServer
		}
	}
	return ""
}
