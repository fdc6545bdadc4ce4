package lint

import (
	"slices"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Reading is what configurations mean, unjudged.
type Reading struct {
	Sources     []*topology.Topology // in the order in which they were named
	Files       []target.File        // likewise
	Diagnostics diag.List            // about what could not be read
}

// Read reads configurations as Run does, specs left out. An error is a schema.UsageError, or what the program could not
// do.
func Read(paths []string) (*Reading, error) {
	c, err := collect(Options{Paths: paths})
	if err != nil {
		return nil, err
	}
	r := &Reading{Diagnostics: c.diags}
	for _, u := range units(c.files) {
		src, err := u.read()
		if err != nil {
			r.Diagnostics = append(r.Diagnostics, unreadable(u.files[0].path, err)...)
			continue
		}
		t, diags := u.format.Parse(src)
		r.Diagnostics = append(r.Diagnostics, slices.DeleteFunc(diags, func(d diag.Diagnostic) bool { return d.Rule != "syntax" })...)
		r.Files = append(r.Files, src.Files...)
		if t != nil {
			r.Sources = append(r.Sources, t)
		}
	}
	return r, nil
}

// Hosts are the hosts of endpoints as Options.Endpoints takes them.
func Hosts(endpoints []string) ([]topology.Value[string], error) {
	all, err := hosts(endpoints)
	if err != nil {
		return nil, err
	}
	out := make([]topology.Value[string], len(all))
	for i, e := range all {
		out[i] = e.Value
	}
	return out, nil
}
