package main

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
)

// tree is what a build computed, and which part of the output folder it speaks for.
type tree struct {
	clusters []clusterFiles
	fleet    bool     // the output folder lists its clusters
	narrowed bool     // --cluster: the clusters that are not here are left as they are
	targets  []string // --target: so are the files of other targets; none means all targets
}

// clusterFiles are the files of one cluster.
type clusterFiles struct {
	dir   string // its folder below the output folder; "" when the spec is no fleet
	spec  string // base name of the spec, for messages
	files []outFile
}

// outFile is one file to write and the target that made it.
type outFile struct {
	target.Artifact
	Target string
}

func (f outFile) mode() fs.FileMode {
	if f.Exec {
		return 0o755
	}
	return 0o644
}

// dirs are the folders of the clusters.
func (t tree) dirs() []string {
	dirs := make([]string, len(t.clusters))
	for i, c := range t.clusters {
		dirs[i] = c.dir
	}
	return dirs
}

// coversDir reports whether the build speaks for the cluster in dir, be it one that left the fleet.
func (t tree) coversDir(dir string) bool {
	return !t.narrowed || slices.ContainsFunc(t.clusters, func(c clusterFiles) bool { return c.dir == dir })
}

// coversTarget reports whether the build speaks for the files of a target.
func (t tree) coversTarget(name string) bool {
	return len(t.targets) == 0 || slices.Contains(t.targets, name)
}

// validate finds paths that no target may produce. Such a path is a fault of the program, not of the spec.
func (t tree) validate() error {
	seen := map[string]string{}
	for _, c := range t.clusters {
		if c.dir != "" && (pathFault(c.dir) != "" || strings.Contains(c.dir, "/")) {
			return fmt.Errorf("cluster folder %q is no plain name", c.dir)
		}
		for _, f := range c.files {
			if fault := pathFault(f.Path); fault != "" {
				return fmt.Errorf("target %s: path %q %s", f.Target, f.Path, fault)
			}
			full := path.Join(c.dir, f.Path)
			if other, ok := seen[full]; ok {
				return fmt.Errorf("targets %s and %s both write %s", other, f.Target, full)
			}
			seen[full] = f.Target
		}
	}
	return nil
}

// pathFault says what is wrong with a path that a file is to be written to or removed from; "" if nothing is. A good one
// is relative, in its shortest form, with slashes, and none of this program's own files.
func pathFault(p string) string {
	own := func(part string) bool { return strings.HasPrefix(part, ownPrefix) }
	switch {
	case p == "" || p == ".":
		return "names no file"
	case path.IsAbs(p) || filepath.IsAbs(p):
		return "is absolute"
	case !filepath.IsLocal(filepath.FromSlash(p)):
		return "climbs out of the folder"
	case path.Clean(p) != p || strings.ContainsAny(p, "\\\x00"):
		return "is not in its shortest form"
	case slices.ContainsFunc(strings.Split(p, "/"), own):
		return "is a file that build keeps its own records in"
	}
	return ""
}
