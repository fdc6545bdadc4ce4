// Package process reads how etcd and its clients are started: their flags and environment variables, whatever kind of
// file holds these.
package process

import (
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
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
	case "etcd2", "etcd-wrapper": // CoreOS called it so
		return Etcd
	}
	return ""
}

// OfImage returns the program that an image is of, or "".
func OfImage(image string) string {
	base, _, _ := strings.Cut(path.Base(image), "@")
	base, _, _ = strings.Cut(base, ":")
	return Known(base)
}

// version matches an image's tag that begins with a version of etcd: "v3.5.9", "3.5.9-0".
var version = pattern.New(`^[^@]*:v?(3[.][0-9]{1,3}([.][0-9]{1,3})?)([-_+][A-Za-z0-9_.+-]*)?(@|$)`)

// versionOf is the version of etcd that an image's tag states; unknown where it does not.
func versionOf(image topology.Value[string]) topology.Value[string] {
	at := version.FindStringSubmatchIndex(image.V)
	if at == nil || !image.Known() || !settled(image.V) || OfImage(image.V) != Etcd {
		return topology.Value[string]{}
	}
	return Part(image, at[2], at[3])
}

// version is the version of etcd that a run states: by its container's image, or one that the command line names.
func (r Run) version() topology.Value[string] {
	for _, w := range append([]topology.Value[string]{r.Image}, r.Words...) {
		if v := versionOf(w); v.Known() {
			return v
		}
	}
	return topology.Value[string]{}
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

// Plain makes a text unknown that holds a placeholder or a variable. Of a URL without TLS it leaves that.
func Plain(v topology.Value[string]) topology.Value[string] {
	if !v.Known() || settled(v.V) {
		return v
	}
	out := topology.UnknownAt[string](v.Span)
	if strings.HasPrefix(v.V, topology.PlainURL) {
		out.V = topology.PlainURL
	}
	return out
}

var unsettled = pattern.New(`[$<>]|%[A-Za-z]|//[A-Z][A-Z0-9_]*(:|/|$)`)

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

// maxParts is how many parts of a text are read, more than any list of URLs has.
const maxParts = 1000

// Split cuts a text at separators. Empty parts are left out.
func Split(v topology.Value[string], separators string) []topology.Value[string] {
	var out []topology.Value[string]
	if !v.Known() {
		return nil
	}
	place := placed(v)
	for from := 0; from < len(v.V) && len(out) < maxParts; {
		to := len(v.V)
		if n := strings.IndexAny(v.V[from:], separators); n >= 0 {
			to = from + n
		}
		text := v.V[from:to]
		lead := len(text) - len(strings.TrimLeft(text, " \t\n"))
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, place(from+lead, from+lead+len(text)))
		}
		from = to + 1
	}
	return out
}

// Part is a stretch of bytes of a text with its position, that of the whole where the text is not written as it reads.
func Part(v topology.Value[string], from, to int) topology.Value[string] { return placed(v)(from, to) }

// placed returns Part for stretches that follow each other.
func placed(v topology.Value[string]) func(from, to int) topology.Value[string] {
	s := v.Span
	quotes := s.EndCol - s.Col - utf8.RuneCountInString(v.V)
	exact := s.Line > 0 && s.EndLine == s.Line && (quotes == 0 || quotes == 2) && !strings.Contains(v.V, "\n")
	at, col := 0, s.Col+quotes/2
	return func(from, to int) topology.Value[string] {
		out := topology.Value[string]{V: v.V[from:to], State: v.State, Span: s}
		if exact {
			col += utf8.RuneCountInString(v.V[at:from])
			at = from
			out.Span = diag.At(s.File, s.Line, col, utf8.RuneCountInString(out.V))
		}
		return out
	}
}
