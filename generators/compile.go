package generators

import (
	"slices"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/lower"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// File is one artifact and the target that wrote it.
type File struct {
	Target string
	target.Artifact
}

// Compile lowers a cluster and renders its enabled targets, in the order of Targets; where only names some, no others. It touches nothing but its
// arguments: clusters may be compiled at the same time. The files are of use only where no diagnostic is an error.
func Compile(c *schema.Cluster, spec string, only []string) (*topology.Topology, []File, diag.List) {
	t, diags := lower.Topology(c)
	var files []File
	for _, tg := range Targets {
		options, ok := c.Targets[tg.Name]
		if !ok || tg.Render == nil || len(only) > 0 && !slices.Contains(only, tg.Name) {
			continue
		}
		artifacts, more := tg.Render(t, options, target.Header{Spec: spec})
		diags = append(diags, more...)
		for _, a := range artifacts {
			files = append(files, File{tg.Name, a})
		}
	}
	return t, files, diags
}
