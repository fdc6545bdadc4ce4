package process

import (
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Run is one start of something: a command line and what its environment holds.
type Run struct {
	Program string                   // what runs where the words name nothing: by the name of a container, say
	Image   topology.Value[string]   // of a container
	Words   []topology.Value[string] // the command line
	Env     Settings                 // names as variables are called
	Span    diag.Span
}

// maxWords is how many words of one run are read, more than any command line has.
const maxWords = 20000

// booleans are flags that never take the next word as their value.
var booleans = map[string]bool{
	"client-cert-auth": true, "peer-client-cert-auth": true, "auto-tls": true, "peer-auto-tls": true, "force-new-cluster": true,
	"strict-reconfig-check": true, "enable-v2": true, "enable-pprof": true, "pre-vote": true, "debug": true, "version": true,
	"insecure-skip-tls-verify": true, "insecure-transport": true, "write-out-json": true, "cluster": true,
	"allow-privileged": true, "anonymous-auth": true, "profiling": true, "enable-bootstrap-token-auth": true,
	"enable-aggregator-routing": true, "help": true,
}

// call is one program with its flags, in a command line.
type call struct {
	program string
	flags   Settings
	span    diag.Span
}

// calls finds the known programs that a run starts, those within scripts that a shell is given included.
func (r Run) calls() []call {
	words := r.Words
	if len(words) > maxWords {
		words = words[:maxWords]
	}
	first := r.Program
	if p := OfImage(r.Image.V); p != "" {
		first = p
	}
	return calls(words, call{program: first, span: r.Span}, 0)
}

// calls reads words. What stands before the first program is a flag of the current one.
func calls(words []topology.Value[string], current call, depth int) []call {
	var out []call
	end := func() {
		if current.program != "" {
			out = append(out, current)
		}
	}
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case depth == 0 && strings.ContainsAny(w.V, " \t\n") && !strings.HasPrefix(w.V, "-"):
			out = append(out, calls(script(assigned(w)), call{}, depth+1)...)
		case slices.Contains(operators, w.V):
			end()
			current = call{}
		case Known(w.V) != "" && !topology.IsHole(w.V):
			end()
			current = call{program: Known(w.V), span: w.Span}
		case strings.HasPrefix(w.V, "-"):
			s, takes := flag(w)
			if takes && !booleans[s.Name] {
				if i+1 < len(words) && !strings.HasPrefix(words[i+1].V, "-") {
					i++
					s.Value = words[i]
				}
			}
			if s.Name != "" && current.program != "" {
				current.flags = append(current.flags, s)
			}
			if shellScript(s.Name) && strings.ContainsAny(s.Value.V, " \t\n") {
				out = append(out, calls(script(s.Value), call{}, depth+1)...)
			}
		}
	}
	end()
	return out
}

// assigned is the command in a variable or an alias, and anything else as it is.
func assigned(w topology.Value[string]) topology.Value[string] {
	if m := assignment.FindStringSubmatchIndex(w.V); m != nil {
		return Part(w, m[1], len(w.V))
	}
	return w
}

var assignment = pattern.New(`^[A-Za-z_][A-Za-z0-9_]*=`)

// shellScript reports whether a flag is a shell's -c, other letters before it allowed.
func shellScript(name string) bool { return len(name) <= 5 && strings.HasSuffix(name, "c") }

var operators = []string{"&&", "||", ";", "|", "&", "then", "do", "fi", "done"}

// Script are the words of a script of several lines, with something before them that a shell's -c takes.
func Script(lines []topology.Value[string]) []topology.Value[string] {
	out := []topology.Value[string]{topology.SetAt(";", lines[0].Span)}
	for _, l := range lines {
		out = append(out, script(l)...)
		if !strings.HasSuffix(l.V, `\`) {
			out = append(out, topology.SetAt(";", l.Span))
		}
	}
	return out
}

// script are the words of a shell's script. What the shell would expand stays in them, and makes them unknown later.
func script(v topology.Value[string]) []topology.Value[string] {
	var out []topology.Value[string]
	for _, w := range Split(v, " \t\n") {
		text := strings.TrimRight(w.V, ";")
		cut := len(w.V) - len(text)
		lead := len(text) - len(strings.TrimLeft(text, `"'`))
		text = strings.Trim(text, `"'\`)
		if text != "" {
			out = append(out, Part(w, lead, lead+len(text)))
		}
		if cut > 0 {
			out = append(out, topology.SetAt(";", w.Span))
		}
	}
	return out
}

// flag takes a word such as --name=value apart; takes tells that the value is missing.
func flag(w topology.Value[string]) (s Setting, takes bool) {
	dashes := len(w.V) - len(strings.TrimLeft(w.V, "-"))
	name, value, ok := strings.Cut(w.V[dashes:], "=")
	s.Name = strings.ReplaceAll(name, "_", "-") // kube-apiserver takes either
	if !ok {
		s.Value = topology.SetAt("true", w.Span)
		return s, true
	}
	at := len(w.V) - len(value)
	s.Value = Part(w, at, len(w.V))
	for _, quote := range []string{`"`, `'`} {
		if len(value) >= 2 && strings.HasPrefix(value, quote) && strings.HasSuffix(value, quote) {
			s.Value = Part(w, at+1, len(w.V)-1)
		}
	}
	return s, false
}
