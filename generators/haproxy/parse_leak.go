package haproxy

import (
	"slices"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// leaks are the defaults sections that hold beyond the file they stand in, in a folder whose files are loaded together.
// What a file of global and unnamed defaults alone says is meant to.
func (r *reader) leaks(files []target.File) []topology.Leak {
	if unit(files[0].Path) == files[0].Path {
		return nil
	}
	var out []topology.Leak
	for _, f := range files {
		var own []*section
		base := false
		for _, s := range r.sections {
			if s.head.File == f.Path {
				own = append(own, s)
				base = base || s.kind == "global"
			}
		}
		i := len(own) - 1
		for i >= 0 && own[i].kind != "defaults" {
			i--
		}
		if i < 0 || own[i].opaque {
			continue
		}
		last := own[i]
		leak := topology.Leak{Name: textOf(last.name), Span: last.head}
		for _, s := range r.sections {
			if s.parent == last && !s.picks && s.head.File != f.Path {
				leak.Captured = append(leak.Captured, s.head)
			}
		}
		serves := slices.ContainsFunc(own, func(s *section) bool { return s.kind != "defaults" && s.kind != "global" })
		switch {
		case serves && i == len(own)-1: // nothing in its own file has it
		case len(leak.Captured) > 0 && !base && (serves || leak.Name.Known()):
		default:
			continue
		}
		out = append(out, leak)
	}
	return out
}
