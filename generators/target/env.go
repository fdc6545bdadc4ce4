package target

import "strings"

// Env is an environment file that sh, systemd and container runtimes load alike. They agree on plain values only, so
// values stand unquoted: they must hold nothing that a shell or systemd expands, which names, addresses, URLs and paths
// of a topology do not.
type Env struct{ text strings.Builder }

// NewEnv begins a file with the header and lines on what the file is for.
func NewEnv(h Header, about ...string) *Env {
	e := &Env{}
	e.comment(h.Lines())
	e.text.WriteString("#\n")
	e.comment(about)
	return e
}

// Section begins a group of variables with lines on what they are for.
func (e *Env) Section(about ...string) {
	e.text.WriteString("\n")
	e.comment(about)
}

// Set writes one variable.
func (e *Env) Set(name, value string) {
	e.text.WriteString(name + "=" + value + "\n")
}

// Artifact is the file at a path.
func (e *Env) Artifact(path string) Artifact {
	return Artifact{Path: path, Data: []byte(e.text.String())}
}

func (e *Env) comment(lines []string) {
	for _, l := range lines {
		e.text.WriteString("# " + l + "\n")
	}
}
