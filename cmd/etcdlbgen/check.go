package main

import (
	"cmp"
	"io"
	"maps"
	"slices"
)

// checkTree reports whether a build of t would change the output folder dir, and prints how, as a unified diff. It writes
// nothing. Hand edits and files that no build wrote are differences like others here.
func checkTree(dir string, t tree, w io.Writer) (drift bool, err error) {
	if err := t.validate(); err != nil {
		return false, err
	}
	d, err := openDisk(dir)
	if err != nil {
		return false, err
	}
	defer d.close()
	drift, err = d.check(t, w)
	return drift, d.name(err)
}

func (d *disk) check(t tree, w io.Writer) (drift bool, err error) {
	if _, err := d.probeLock(); err != nil {
		return false, err
	}
	st, err := d.load(t)
	if err != nil {
		return false, err
	}
	st.includeNext()
	p, err := d.planBuild(st, t, true)
	if err != nil {
		return false, err
	}
	if err := d.obstructed(p); err != nil {
		return false, err
	}
	return d.printDrift(w, st, p)
}

// includeNext lists what an interrupted build was about to write beside what the last one wrote: both are build's own.
func (s *state) includeNext() {
	for dir, next := range s.next {
		u := s.units[dir]
		files := maps.Clone(next.Files)
		maps.Copy(files, u.files)
		s.units[dir] = unit{raw: u.raw, files: files}
	}
}

// obstructed reports what a diff cannot show.
func (d *disk) obstructed(p *plan) error {
	stop := &stopError{}
	for s := range p.all {
		switch {
		case s.verdict == linked:
			d.addLinked(stop, s)
		case s.verdict == foreign && (s.seen.kind != regular || s.seen.blocker != ""):
			d.addForeign(stop, s)
		}
	}
	return stop.orNil()
}

func (d *disk) printDrift(w io.Writer, st *state, p *plan) (drift bool, err error) {
	files := slices.SortedFunc(p.all, func(a, b *subject) int { return cmp.Compare(a.path, b.path) })
	for _, s := range files {
		if err := d.diff(w, s); err != nil {
			return false, err
		}
	}
	raw := map[string][]byte{nextName: st.nextRaw}
	for _, f := range p.folders {
		raw[recordPath(f.dir)] = st.units[f.dir].raw
	}
	records := p.manifests
	if st.next != nil {
		records = append(records, record{path: nextName})
	}
	for _, r := range records {
		if err := printDiff(w, r.path, recordVersion(raw[r.path]), recordVersion(r.data)); err != nil {
			return false, err
		}
	}
	return len(files)+len(records) > 0, nil
}

func recordVersion(data []byte) version {
	if data == nil {
		return version{}
	}
	return version{data, 0o644}
}
