package nginx

import (
	"bytes"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// home is the folder of nginx.conf on a machine. In a repository the folder of the file that is read stands for it.
const home = "/etc/nginx/"

// includes lists what the include directives of a file name; what stands below /etc/nginx also relative to the file.
func includes(data []byte) []string {
	if !bytes.Contains(data, []byte("include")) {
		return nil
	}
	nodes, _ := tree(target.File{Data: data})
	var out []string
	var walk func([]*node)
	walk = func(nodes []*node) {
		for _, n := range nodes {
			if pattern := n.arg(); n.name.text == "include" && pattern != "" && !topology.IsHole(pattern) {
				out = append(out, pattern)
				if rest, ok := strings.CutPrefix(pattern, home); ok {
					out = append(out, rest)
				}
			}
			walk(n.block)
		}
	}
	walk(nodes)
	return out
}

// The bounds of what a source may have, and may grow to by including files again and again.
const (
	maxDirectives = 500_000
	maxBlocks     = 20_000
)

// source is the files that are read together.
type source struct {
	files  []target.File
	trees  [][]*node
	used   []bool           // files that another one includes
	active []bool           // files that are being put in: one that includes itself never ends
	named  map[string][]int // the files that patterns name
	left   int              // directives that may still come in
	blocks int              // that came in
}

// load reads the files, each once: two patterns may have found the same one.
func load(files []target.File) (*source, diag.List) {
	s := &source{left: maxDirectives, named: map[string][]int{}}
	var diags diag.List
	seen := map[string]bool{}
	for _, f := range files {
		if seen[f.Path] {
			continue
		}
		seen[f.Path] = true
		nodes, found := tree(f)
		s.files = append(s.files, f)
		s.trees = append(s.trees, nodes)
		diags = append(diags, found...)
	}
	s.used = make([]bool, len(s.files))
	s.active = make([]bool, len(s.files))
	return s, diags
}

// expand puts the directives of included files in the place of include directives. An include that names no file at
// hand stays: what it may hold is unknown.
func (s *source) expand(nodes []*node, from string) []*node {
	s.left -= len(nodes)
	out := make([]*node, 0, len(nodes))
	for _, n := range nodes {
		if n.name.text == "include" {
			if found := s.find(n.arg(), from); len(found) > 0 {
				for _, i := range found {
					if s.left <= 0 {
						out = append(out, n) // what is left out is unknown
						break
					}
					out = append(out, s.file(i)...)
				}
				continue
			}
		}
		if n.hasBlock {
			s.blocks++
			filled := *n
			filled.block = s.expand(n.block, from)
			n = &filled
		}
		out = append(out, n)
	}
	return out
}

// file is the directives of a file and of what it includes.
func (s *source) file(i int) []*node {
	s.active[i] = true
	defer func() { s.active[i] = false }()
	return s.expand(s.trees[i], s.files[i].Path)
}

// find is the files that an include in the file from names. NGINX looks in the folder of its main
// file.
func (s *source) find(pattern, from string) []int {
	if pattern == "" || s.left <= 0 {
		return nil
	}
	main := path.Dir(filepath.ToSlash(s.files[0].Path))
	var patterns []string
	if path.IsAbs(pattern) {
		patterns = append(patterns, pattern)
		if rest, ok := strings.CutPrefix(pattern, home); ok {
			patterns = append(patterns, path.Join(main, rest))
		}
	} else {
		patterns = append(patterns, path.Join(main, pattern), path.Join(path.Dir(filepath.ToSlash(from)), pattern))
	}
	key := strings.Join(patterns, "\x00")
	named, known := s.named[key]
	if !known {
		named = s.matching(patterns)
		s.named[key] = named
	}
	s.left -= len(named)
	var out []int
	for _, i := range named {
		if !s.active[i] {
			s.used[i] = true
			out = append(out, i)
		}
	}
	return out
}

// matching are the files that patterns name, in NGINX's order.
func (s *source) matching(patterns []string) []int {
	var out []int
	for i, f := range s.files {
		name := path.Clean(filepath.ToSlash(f.Path))
		if slices.ContainsFunc(patterns, func(p string) bool {
			ok, err := path.Match(p, name)
			return p == name || err == nil && ok
		}) {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return strings.Compare(s.files[a].Path, s.files[b].Path) })
	return out
}
