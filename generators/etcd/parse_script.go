package etcd

import (
	"path"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/process"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var (
	shebang = pattern.New(`^#!\S*(sh|bash|env\s+(ba)?sh)\b`)
	// starts is a server with a flag, or a container with a variable, of which a word of prose has neither; or a client that
	// verifies nothing.
	starts  = pattern.New(`(?m)^[^#\n]*(^|[\s/"'&|;(])(etcd|kube-apiserver)(:[\w.-]+)?["']?\s+(\\\s*\n\s*)?-{1,2}[a-z]|(-e|--env)[ =]["']?ETCD_(NAME|LISTEN|ADVERTISE|INITIAL)|^[ \t]*export[ \t]+ETCD_(LISTEN|ADVERTISE)_|^[^#\n]*(ETCDCTL_INSECURE_SKIP_TLS_VERIFY=|\betcdctl\b(?s:.{0,500})--insecure-skip-tls-verify)`)
	heredoc = pattern.New(`<<-?\s*["']?\\?([A-Za-z_][A-Za-z0-9_]*)`)

	// byFlags is a command whose name only a run tells, with flags that only one program has.
	byFlags = pattern.New(`(?m)^[ \t]*\S+[ \t]+(\\\s*\n\s*)?-([^\n]*\\\n)*[^\n]*--?(listen-(client|peer)-urls|advertise-client-urls|initial-advertise-peer-urls|etcd[-_]servers)\b`)

	exports = pattern.New(`^\s*export\s+ETCD_`)

	insecure = "ETCDCTL_INSECURE_SKIP_TLS_VERIFY="

	engines = []string{"docker", "podman", "nerdctl", "finch", "container"}
)

// isScript reports whether a file is a script of a shell that starts a server by itself.
func isScript(file string, head []byte) bool {
	ext := target.Extension(file)
	if ext != ".sh" && ext != ".bash" && !shebang.Match(head) || !starts.Match(head) && !byFlags.Match(head) {
		return false
	}
	text := commands(string(head))
	return starts.MatchString(text) || byFlags.MatchString(text)
}

// commands is a script without its here-documents, which are files of their own. Lines stay.
func commands(text string) string {
	if !strings.Contains(text, "<<") {
		return text
	}
	var out strings.Builder
	mark := ""
	for row := range strings.Lines(text) {
		switch m := heredoc.FindStringSubmatch(row); {
		case mark != "":
			if strings.TrimSpace(row) == mark {
				mark = ""
			}
			out.WriteByte('\n')
		default:
			if m != nil {
				mark = m[1]
			}
			out.WriteString(row)
		}
	}
	return out.String()
}

// script reads the commands of a shell.
func script(f target.File, facts *process.Facts) diag.List {
	f.Data = []byte(commands(string(f.Data)))
	var exported process.Settings
	for _, lines := range logical(f) {
		if exports.MatchString(lines[0].text) && len(lines) == 1 {
			exported = append(exported, settings(lines[0].words(0))...)
			continue
		}
		var words []topology.Value[string]
		for _, l := range lines {
			words = append(words, l.words(0)...)
		}
		if len(words) == 0 {
			continue
		}
		run := process.Run{Words: words, Span: words[0].Span}
		if computed(words[0].V) {
			run.Program, run.Words = programOf(words), words[1:]
		}
		if slices.ContainsFunc(words, func(w topology.Value[string]) bool { return strings.HasPrefix(w.V, insecure) }) {
			run.Env = settings(words)
		}
		if started, ok := container(words); ok {
			run = started
		}
		run.Env = append(slices.Clip(exported), run.Env...)
		facts.Run(run)
	}
	if !facts.Started() { // by what reads the script
		facts.Run(process.Run{Program: process.Etcd, Env: exported, Span: diag.Span{File: f.Path, Line: 1, Col: 1}})
	}
	return nil
}

// computed reports whether only a run tells what a word is.
func computed(word string) bool { return topology.IsHole(word) || strings.HasPrefix(word, "$") }

// container is what `docker run` starts: what follows the image belongs to the program in it.
func container(words []topology.Value[string]) (process.Run, bool) {
	is := func(w topology.Value[string]) bool { return slices.Contains(engines, path.Base(w.V)) || computed(w.V) }
	at := slices.IndexFunc(words, is)
	if at < 0 {
		return process.Run{}, false
	}
	const options = 3 // words that may stand between, such as -H and its value
	start := slices.IndexFunc(words[at+1:min(at+2+options, len(words))], func(w topology.Value[string]) bool { return w.V == "run" })
	if start < 0 || start > 0 && !strings.HasPrefix(words[at+1].V, "-") {
		return process.Run{}, false
	}
	run := process.Run{Span: words[at].Span}
	var env []topology.Value[string]
	for i := at + 2 + start; i < len(words); i++ {
		w := words[i]
		switch value, joined := strings.CutPrefix(w.V, "--env="); {
		case joined:
			env = append(env, process.Part(w, len(w.V)-len(value), len(w.V)))
		case (w.V == "-e" || w.V == "--env") && i+1 < len(words):
			i++
			env = append(env, words[i])
		case process.OfImage(w.V) != "" && strings.ContainsAny(w.V, "/:") && !isMount(w.V, words[i-1].V):
			run.Image, run.Words = w, words[i+1:]
		}
		if run.Image.V != "" {
			break
		}
	}
	run.Env = settings(env)
	if own, _ := process.Variables(run.Env); run.Image.V == "" && len(own) > 0 {
		run.Program = process.Etcd // an image that a variable names
	}
	return run, true
}

// isMount reports whether a word says what a container mounts, not what it is made of.
func isMount(word, before string) bool {
	of := before == "--volume" || before == "--mount" || strings.HasPrefix(before, "-v")
	return of || strings.ContainsAny(word, "=,") || (strings.HasPrefix(word, "/") || strings.HasPrefix(word, ".")) && strings.Contains(word, ":")
}
