package main

import (
	"cmp"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// rollForward completes a build that was interrupted after its next manifests were in place; before that it had changed
// nothing, and its stage is dropped. A file that matches neither the old manifest nor the next one was edited since: it
// stays as it is, and the build at hand decides.
func (d *disk) rollForward(st *state) error {
	if st.next == nil {
		return d.root.RemoveAll(stageName)
	}
	if info, err := d.root.Lstat(stageName); err == nil && !info.IsDir() { // no build left this
		if err := d.root.Remove(stageName); err != nil {
			return err
		}
	}
	p := &plan{folders: []folderPlan{{manifest: manifest{Clusters: st.clusters, Files: st.units[""].files}}}}
	for _, dir := range slices.Sorted(maps.Keys(st.next)) {
		f := resumed(dir, st.next[dir], st.units[dir].files)
		if dir == "" {
			p.folders[0] = f
		} else {
			p.folders = append(p.folders, f)
		}
	}
	err := forEach(len(p.folders), func(i int) error { return d.lookAt(p.folders[i].subjects) })
	if err != nil {
		return err
	}
	if err := d.decide(p.folders, false); err != nil {
		return err
	}
	if err := d.dropUnstaged(p); err != nil {
		return err
	}
	p.relist()
	if err := p.compareManifests(st); err != nil {
		return err
	}
	m := p.moves()
	if err := d.stageRecords(m.records); err != nil {
		return err
	}
	return d.finish(m)
}

// resumed is the plan of the interrupted build for one folder.
func resumed(dir string, next manifest, old map[string]entry) folderPlan {
	p := folderPlan{dir: dir, manifest: manifest{Clusters: next.Clusters, Files: map[string]entry{}}}
	maps.Copy(p.manifest.Files, next.Files)
	for name, want := range next.Files {
		s := subject{path: path.Join(dir, name), want: &want}
		if was, ok := old[name]; ok {
			s.old = &was
		}
		p.subjects = append(p.subjects, s)
	}
	for name, was := range old {
		if _, ok := next.Files[name]; !ok {
			p.subjects = append(p.subjects, subject{path: path.Join(dir, name), old: &was})
		}
	}
	slices.SortFunc(p.subjects, func(a, b subject) int { return cmp.Compare(a.path, b.path) })
	return p
}

// dropUnstaged leaves alone what cannot be completed, for want of a staged file or because of what is on disk now, and lists
// it as it was before.
func (d *disk) dropUnstaged(p *plan) error {
	w := newWalker(d.root)
	defer w.close()
	for i := range p.folders {
		f := &p.folders[i]
		for j := range f.subjects {
			s := &f.subjects[j]
			switch s.verdict {
			case keep, remove:
				continue
			case place:
				staged, err := w.look(path.Join(stageName, stagedFiles, s.path))
				if err != nil {
					return err
				}
				if staged.is(*s.want) && os.FileMode(s.want.Mode) == staged.mode {
					s.seen.missing = "" // a folder of an old stage does not move as a whole: not all in it may be sound
					continue
				}
			}
			s.verdict = keep
			name := strings.TrimPrefix(strings.TrimPrefix(s.path, f.dir), "/")
			switch {
			case s.want != nil && s.seen.is(*s.want):
			case s.old != nil:
				f.manifest.Files[name] = *s.old
			default:
				delete(f.manifest.Files, name)
			}
		}
	}
	return nil
}

// relist keeps a cluster that leaves the fleet in the list while a file of it stays.
func (p *plan) relist() {
	top := &p.folders[0].manifest
	for _, f := range p.folders[1:] {
		if len(f.manifest.Files) > 0 {
			top.Clusters = append(top.Clusters, f.dir)
		}
	}
	slices.Sort(top.Clusters)
	top.Clusters = slices.Compact(top.Clusters)
}
