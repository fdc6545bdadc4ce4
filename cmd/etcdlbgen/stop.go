package main

import (
	"bytes"
	"path"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// stopError says why a build wrote nothing: what it found in the output folder is for the user to decide on.
type stopError struct {
	diags diag.List
	diff  []byte // what the build would do to files that were edited by hand, as a unified diff
}

func (e *stopError) Error() string {
	lines := make([]string, len(e.diags))
	for i, d := range e.diags {
		lines[i] = d.Span.File + ": " + d.Message
	}
	return strings.Join(lines, "\n")
}

func (e *stopError) add(at diag.Span, message, hint string) {
	e.diags.Error(at, "", message, hint) // no rule of lint, so nothing that explain knows
}

// orNil is nil when there is nothing to stop for.
func (e *stopError) orNil() error {
	if len(e.diags) == 0 {
		return nil
	}
	return e
}

// stopped reports what in a plan the user has to decide on.
func (d *disk) stopped(p *plan) error {
	stop := &stopError{}
	var diff bytes.Buffer
	for s := range p.all {
		switch s.verdict {
		case edited:
			d.addEdited(stop, s)
			if err := d.diff(&diff, s); err != nil {
				return err
			}
		case foreign:
			d.addForeign(stop, s)
		case linked:
			d.addLinked(stop, s)
		}
	}
	stop.diff = diff.Bytes()
	return stop.orNil()
}

func (d *disk) addEdited(stop *stopError, s *subject) {
	if s.want == nil {
		stop.add(d.span(s.path), "the file was edited by hand since the last build and is no longer built, so that removing it would lose the edit; "+
			"need the file as it was built, or none",
			"to keep it, move it out of the folder; to give it up, remove it or build with --force")
		return
	}
	stop.add(d.span(s.path), "the file was edited by hand since the last build, which would overwrite the edit; need the file as it was built",
		"to keep the edit, make it in "+s.spec+"; to give it up, build with --force")
}

func (d *disk) addForeign(stop *stopError, s *subject) {
	at, what := s.path, "the file differs from what build would write here, and no build wrote it"
	switch {
	case s.seen.blocker != "":
		at, what = s.seen.blocker, "the file lies where build needs a folder, and it is to stay"
	case s.seen.kind == folder:
		what = "a folder lies where build writes a file"
	case s.seen.kind == unusable:
		what = "what lies where build writes a file is no plain file"
	}
	stop.add(d.span(at), what+", so that writing would destroy it; need a place that is free or holds what build wrote",
		"move it away, or build into another folder; files that "+path.Base(manifestName)+" does not list are not touched, with --force neither")
}

func (d *disk) addLinked(stop *stopError, s *subject) {
	stop.add(d.span(s.seen.link), "the path of "+s.path+" is a symbolic link or passes through one, so that build would write or remove what lies elsewhere; "+
		"need plain files and folders",
		"put a folder in place of the link, or build into the folder that it leads to; --force does not change this")
}
