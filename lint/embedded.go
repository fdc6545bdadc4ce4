package lint

import (
	"bytes"
	"path/filepath"

	"github.com/etcdlbgen/etcdlbgen/generators"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// inner is a file within a file: what a script writes to disk, a block of text in YAML.
type inner struct {
	name    string  // what it is installed as, "" where nothing says
	pieces  []piece // in order
	partial bool    // only a run tells what else the file holds
	open    bool    // nothing ends it
}

// piece is a stretch of the outer file.
type piece struct {
	from, to int  // offsets
	literal  bool // no shell replaces anything in it
	template bool // Terraform replaces what is in braces
}

// Bounds of what is looked at within one file, each of which is read with the whole file around it.
const (
	maxEmbedded = 100
	maxAround   = 8 << 20 // bytes, in all
	maxWithin   = 3       // files within files
)

// search looks for files within one.
type search struct {
	data  []byte
	left  int // how many more are looked at
	found []inner
	kinds []*target.Target
}

// embedded are the files within a file that are of formats we know.
func embedded(outer file) []file {
	s := search{data: outer.data, left: min(maxEmbedded, maxAround/max(1, len(outer.data)))}
	s.within(inner{name: outer.path, pieces: []piece{{to: len(outer.data), literal: true}}}, outer.format, maxWithin)
	var out []file
	for i, in := range s.found {
		part := outer
		part.format, part.doc = s.kinds[i], &in
		out = append(out, part)
	}
	return out
}

// within takes in what a file holds, to some depth.
func (s *search) within(outer inner, format *target.Target, depth int) {
	head := s.head(outer)
	script := isScript(outer.name, head)
	if depth == 0 || !embeds(outer.name, head) {
		return
	}
	parts := blocks
	switch {
	case isTerraform(outer.name):
		parts = heredocs
	case script:
		s.commands(outer, head, format)
		parts = written
	}
	for _, p := range outer.pieces {
		for _, in := range parts(s.data, p) {
			if s.left--; s.left < 0 {
				return
			}
			head := s.head(in)
			if !script && !ours.MatchString(in.name) && !ours.Match(head) {
				continue
			}
			if scripts.Match(head) && !isScript(in.name, nil) {
				in.name += ".sh"
			}
			kind := detect(in.name, head)
			if ext := nature(head); kind == nil && ext != "" && !isScript(in.name, head) { // a name says so elsewhere
				in.name += ext
				kind = detect(in.name, head)
			}
			if kind != nil && (kind.Binary || script && kind == format && kind.Name != "etcd") {
				kind = nil // a reader of rules reads those that scripts load, too
			}
			if kind != nil {
				s.found, s.kinds = append(s.found, in), append(s.kinds, kind)
			}
			s.within(in, kind, depth-1)
		}
	}
}

// nature is the extension of the files that a text without one is like, "" for none.
func nature(head []byte) string {
	switch {
	case documents.Match(head) || alerting.Match(head):
		return ".yaml"
	case commanding.Match(head):
		return ".sh"
	}
	return ""
}

// commands takes in what else a script is: it may load rules and start a server.
func (s *search) commands(script inner, head []byte, format *target.Target) {
	for i := range generators.Targets {
		t := &generators.Targets[i]
		if format != nil && t != format && t.Detect != nil && t.Parse != nil && t.Detect(filepath.ToSlash(script.name), head) {
			s.found, s.kinds = append(s.found, script), append(s.kinds, t)
		}
	}
}

// head is how a file begins.
func (s *search) head(in inner) []byte {
	var out []byte
	for _, p := range in.pieces {
		out = append(out, s.data[p.from:min(p.to, p.from+headSize-min(len(out), headSize))]...)
	}
	return target.Dedent(out)
}

// addEmbedded takes in what a file embeds. The file itself may be known already; it reports whether it is then.
func (c *collector) addEmbedded(outer file, known bool) bool {
	if !embeds(outer.path, outer.data[:min(len(outer.data), headSize)]) || refusal(outer) != "" {
		return known
	}
	parts := embedded(outer)
	if len(parts) > 0 && !known {
		c.read++
	}
	c.files = append(c.files, parts...)
	return known || len(parts) > 0
}

// embeds reports whether a file may hold others.
func embeds(p string, head []byte) bool {
	return isTerraform(p) || isScript(p, head) || holdsText(p, head)
}

// lineAt is the line that begins at an offset, and where the next one does.
func lineAt(data []byte, at int) (line []byte, next int) {
	if n := bytes.IndexByte(data[at:], '\n'); n >= 0 {
		return data[at : at+n], at + n + 1
	}
	return data[at:], len(data)
}

// extension is how a file is called, without what marks a template.
func extension(p string) string { return filepath.Ext(templated.ReplaceAllString(p, "")) }

var templated = pattern.New(`\.(j2|jinja|jinja2|tpl|tftpl|tmpl|erb|in|template)$`)

// expanded is what the shell replaces. A backslash before it keeps it.
var expanded = pattern.New("\\\\.|\\$\\{[^}\\n]*\\}|\\$\\([^)\\n]*\\)|\\$\\w+|`[^`\\n]*`")

// extract blanks what is around an inner file, and what Terraform and the shell replace in it. Lines and columns stay.
func (in *inner) extract(outer []byte) []byte {
	out, at := make([]byte, 0, len(outer)), 0
	for _, p := range in.pieces {
		out = overwritten(out, outer[at:p.from], " ")
		body := outer[p.from:p.to]
		if p.template {
			body = interpolated(body)
		}
		for at = p.to; !p.literal; {
			m := expanded.FindIndex(body)
			if m == nil {
				break
			}
			out = append(out, body[:m[0]]...)
			if word := body[m[0]:m[1]]; word[0] == '\\' || len(word) < len(topology.Hole) {
				out = append(out, word...)
			} else {
				out = overwritten(out, word, topology.Hole)
			}
			body = body[m[1]:]
		}
		out = append(out, body...)
	}
	return overwritten(out, outer[at:], " ")
}

// end is where an inner file ends.
func (in *inner) end() int { return in.pieces[len(in.pieces)-1].to }
