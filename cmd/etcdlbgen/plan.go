package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"io/fs"
	"maps"
	"path"
	"slices"
)

// subject is one path to decide on: what shall be there and what a manifest says was written there.
type subject struct {
	path string // below the output folder
	want *entry // nil: nothing shall be there
	old  *entry // nil: no manifest lists it
	data []byte // the content that want is the sum of
	spec string // base name of the spec that asks for the file
	seen seen

	verdict verdict
}

// verdict is what is to be done about a subject.
type verdict uint8

const (
	keep    verdict = iota
	place           // write the file
	remove          // remove the file
	edited          // a listed file was changed by hand
	foreign         // something that no manifest lists is in the way
	linked          // the path is or passes through a symbolic link
)

// folderPlan is what is to be in one folder with a manifest.
type folderPlan struct {
	dir      string // "" is the output folder itself
	manifest manifest
	subjects []subject
}

// plan is what a build would do to the output folder.
type plan struct {
	folders   []folderPlan        // by folder
	manifests []record            // the manifests to change, by folder, the output folder's own last
	next      map[string]manifest // their contents, by folder
}

// record is one of the build's own files as it shall be.
type record struct {
	path string
	data []byte // nil: it shall not be there
}

// planBuild compares what t wants with what is on disk. It only reads.
func (d *disk) planBuild(st *state, t tree, force bool) (*plan, error) {
	clusters := make(map[string]clusterFiles, len(t.clusters))
	for _, c := range t.clusters {
		clusters[c.dir] = c
	}
	dirs := slices.Sorted(maps.Keys(st.units))
	p := &plan{folders: make([]folderPlan, len(dirs))}
	err := forEach(len(dirs), func(i int) error {
		p.folders[i] = wanted(t, clusters[dirs[i]], dirs[i], st.units[dirs[i]].files)
		return d.lookAt(p.folders[i].subjects)
	})
	if err != nil {
		return nil, err
	}
	p.folders[0].manifest.Clusters = p.fleet(st, t) // the empty name of the output folder sorts first
	if err := d.decide(p.folders, force); err != nil {
		return nil, err
	}
	return p, p.compareManifests(st)
}

// wanted is the manifest that a folder shall have, and the paths to decide on. What the build does not speak for stays
// listed and is no subject.
func wanted(t tree, c clusterFiles, dir string, old map[string]entry) folderPlan {
	p := folderPlan{dir: dir, manifest: manifest{Version: manifestVersion, Files: map[string]entry{}}}
	for _, f := range c.files {
		e := entry{SHA256: sha256.Sum256(f.Data), Mode: perm(f.mode()), Target: f.Target}
		s := subject{path: path.Join(dir, f.Path), want: &e, data: f.Data, spec: c.spec}
		if was, ok := old[f.Path]; ok {
			s.old = &was
		}
		p.manifest.Files[f.Path] = e
		p.subjects = append(p.subjects, s)
	}
	for name, was := range old {
		if _, ok := p.manifest.Files[name]; ok {
			continue
		}
		if t.coversDir(dir) && t.coversTarget(was.Target) {
			p.subjects = append(p.subjects, subject{path: path.Join(dir, name), old: &was})
		} else {
			p.manifest.Files[name] = was
		}
	}
	slices.SortFunc(p.subjects, func(a, b subject) int { return cmp.Compare(a.path, b.path) })
	return p
}

// fleet lists the cluster folders that the output folder shall name: those of t, those that t does not speak for, and those
// in which files remain that t does not speak for.
func (p *plan) fleet(st *state, t tree) []string {
	var fleet []string
	if t.fleet {
		fleet = t.dirs()
	}
	for _, dir := range st.clusters {
		if !t.coversDir(dir) {
			fleet = append(fleet, dir)
		}
	}
	for _, f := range p.folders {
		if _, listed := slices.BinarySearch(st.clusters, f.dir); listed && len(f.manifest.Files) > 0 {
			fleet = append(fleet, f.dir)
		}
	}
	slices.Sort(fleet)
	return slices.DeleteFunc(slices.Compact(fleet), func(dir string) bool { return dir == "" })
}

// compareManifests finds the manifests that are not on disk as they should be.
func (p *plan) compareManifests(st *state) error {
	top := p.folders[0].manifest
	records := make([]record, len(p.folders))
	err := forEach(len(records), func(i int) error {
		dir := p.folders[i].dir
		records[i].path = recordPath(dir)
		if _, listed := slices.BinarySearch(top.Clusters, dir); listed || dir == "" {
			records[i].data = p.folders[i].manifest.print()
		}
		return nil
	})
	p.next = map[string]manifest{}
	for i, f := range p.folders {
		if !bytes.Equal(records[i].data, st.units[f.dir].raw) {
			p.manifests = append(p.manifests, records[i])
			p.next[f.dir] = f.manifest
		}
	}
	if _, changed := p.next[""]; changed {
		p.manifests = append(p.manifests[1:], p.manifests[0])
	}
	return err
}

// all walks over the subjects that are not to be kept as they are.
func (p *plan) all(yield func(*subject) bool) {
	for i := range p.folders {
		for j := range p.folders[i].subjects {
			if s := &p.folders[i].subjects[j]; s.verdict != keep && !yield(s) {
				return
			}
		}
	}
}

// lookAt fills in what is on disk.
func (d *disk) lookAt(subjects []subject) error {
	w := newWalker(d.root)
	defer w.close()
	for i := range subjects {
		var err error
		if subjects[i].seen, err = w.look(subjects[i].path); err != nil {
			return err
		}
	}
	return nil
}

// decide judges all subjects. With force, hand edits do not count.
func (d *disk) decide(folders []folderPlan, force bool) error {
	moveOver(folders)
	p := plan{folders: folders}
	leaving := map[string]bool{} // files that go, and the folders that they are in
	for i := range folders {
		for j := range folders[i].subjects {
			s := &folders[i].subjects[j]
			if s.verdict = s.judge(force); s.verdict != remove {
				continue
			}
			for at := s.path; at != "." && !leaving[at]; at = path.Dir(at) {
				leaving[at] = true
			}
		}
	}
	for s := range p.all {
		if err := d.makeRoom(s, leaving); err != nil {
			return err
		}
	}
	return nil
}

// moveOver treats a path that leaves one folder's manifest and enters another's as one that stays: "eu/x" of a spec is "x" of
// the cluster "eu" once it is a fleet.
func moveOver(folders []folderPlan) {
	if len(folders) == 1 || len(folders[0].subjects) == 0 {
		return
	}
	wanted := map[string]*subject{}
	for _, f := range folders {
		for i := range f.subjects {
			if s := &f.subjects[i]; s.want != nil {
				wanted[s.path] = s
			}
		}
	}
	for _, f := range folders {
		for i := range f.subjects {
			s := &f.subjects[i]
			if stays := wanted[s.path]; s.want == nil && stays != nil {
				stays.old, s.old = s.old, nil
			}
		}
	}
}

// judge decides on one path by itself.
func (s *subject) judge(force bool) verdict {
	switch {
	case s.want == nil && s.old == nil:
		return keep
	case s.seen.kind == symlink:
		return linked
	case s.seen.kind == absent && s.want == nil:
		return keep
	case s.seen.kind == absent:
		return place
	case s.seen.kind != regular:
		return foreign
	case s.want != nil && s.seen.is(*s.want):
		if s.want.Mode.matches(s.seen.mode) {
			return keep
		}
		return place
	case s.old == nil:
		return foreign
	case !s.seen.is(*s.old) && !force:
		return edited
	case s.want == nil:
		return remove
	}
	return place
}

// makeRoom corrects a verdict where a file lies in place of a folder, or a folder in place of a file: that is fine if all
// that is in the way leaves.
func (d *disk) makeRoom(s *subject, leaving map[string]bool) error {
	if s.verdict == place && s.seen.blocker != "" && !leaving[s.seen.blocker] {
		s.verdict = foreign
	}
	if s.want == nil || s.seen.kind != folder || !leaving[s.path] {
		return nil
	}
	s.verdict = place
	return fs.WalkDir(d.root.FS(), s.path, func(p string, _ fs.DirEntry, err error) error {
		if err == nil && !leaving[p] {
			s.verdict = foreign
			return fs.SkipAll
		}
		return err
	})
}
