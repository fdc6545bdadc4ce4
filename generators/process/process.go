// Package process reads how etcd and its clients are started: their flags and environment variables, whatever kind of
// file holds these.
package process

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// The programs that are known.
const (
	Etcd      = "etcd"
	Etcdctl   = "etcdctl"
	APIServer = "kube-apiserver"
)

// Known returns the program of that name or path, or "".
func Known(name string) string {
	switch base := path.Base(name); base {
	case Etcd, Etcdctl, APIServer:
		return base
	}
	return ""
}

// ofImage returns the program that an image is of, or "".
func ofImage(image string) string {
	base, _, _ := strings.Cut(path.Base(image), "@")
	base, _, _ = strings.Cut(base, ":")
	return Known(base)
}

// Setting is a flag or variable: its name as a flag is called, without dashes, and what it is set to.
type Setting struct {
	Name  string
	Value topology.Value[string]
}

// Settings are what a program is given, the last of equal names in force.
type Settings []Setting

// Get is a setting's text; unknown where it is not set or only a run would show it.
func (s Settings) Get(name string) topology.Value[string] {
	return Plain(s.raw(name))
}

// Plain makes a text unknown that holds a placeholder or a variable.
func Plain(v topology.Value[string]) topology.Value[string] {
	if v.Known() && !settled(v.V) {
		return topology.UnknownAt[string](v.Span)
	}
	return v
}

var unsettled = regexp.MustCompile(`[$<>]|%[A-Za-z]|//[A-Z][A-Z0-9_]*(:|/|$)`)

// settled reports whether a text means what it says: it holds no placeholder, variable or specifier of systemd, and no
// word in capitals stands for the host of a URL.
func settled(s string) bool { return !topology.IsHole(s) && !unsettled.MatchString(s) }

// Has reports whether something is set, known or not.
func (s Settings) Has(name string) bool {
	for _, v := range s {
		if v.Name == name {
			return true
		}
	}
	return false
}

// flag is a setting that is on or off. A word that is neither is unknown.
func (s Settings) flag(name string) topology.Value[bool] {
	v := s.Get(name)
	b, err := strconv.ParseBool(v.V)
	if !v.Known() || err != nil {
		return topology.UnknownAt[bool](v.Span)
	}
	return topology.SetAt(b, v.Span)
}

// duration is a setting as Go writes durations; a bare number, as etcd's configuration has it, counts nanoseconds.
func (s Settings) duration(name string) topology.Value[time.Duration] {
	v := s.Get(name)
	d, err := time.ParseDuration(v.V)
	if n, wrong := strconv.ParseInt(v.V, 10, 64); wrong == nil {
		d, err = time.Duration(n), nil
	}
	if !v.Known() || err != nil {
		return topology.UnknownAt[time.Duration](v.Span)
	}
	return topology.SetAt(d, v.Span)
}

// raw is what a setting says, placeholders included.
func (s Settings) raw(name string) topology.Value[string] {
	var out topology.Value[string]
	for _, v := range s {
		if v.Name == name {
			out = v.Value
		}
	}
	return out
}

// list is a setting that holds several texts, each with its own position; one that only a run would show is unknown.
func (s Settings) list(name string) []topology.Value[string] {
	var out []topology.Value[string]
	for _, part := range Split(s.raw(name), ",") {
		out = append(out, Plain(part))
	}
	return out
}

// Split cuts a text at separators. Empty parts are left out.
func Split(v topology.Value[string], separators string) []topology.Value[string] {
	var out []topology.Value[string]
	if !v.Known() {
		return nil
	}
	from := 0
	for i := 0; i <= len(v.V); i++ {
		if i < len(v.V) && strings.IndexByte(separators, v.V[i]) < 0 {
			continue
		}
		text := v.V[from:i]
		lead := len(text) - len(strings.TrimLeft(text, " \t\n"))
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, Part(v, from+lead, from+lead+len(text)))
		}
		from = i + 1
	}
	return out
}

// Part is a stretch of bytes of a text with its position, that of the whole where the text is not written as it reads.
func Part(v topology.Value[string], from, to int) topology.Value[string] {
	out := topology.Value[string]{V: v.V[from:to], State: v.State, Span: v.Span}
	s := v.Span
	runes := len([]rune(v.V))
	quotes := s.EndCol - s.Col - runes
	if s.Line == 0 || s.EndLine != s.Line || quotes != 0 && quotes != 2 || strings.Contains(v.V, "\n") {
		return out
	}
	col := s.Col + quotes/2 + len([]rune(v.V[:from]))
	out.Span = diag.At(s.File, s.Line, col, len([]rune(out.V)))
	return out
}
