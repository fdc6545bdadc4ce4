package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
)

// writeReport counts what a build did to the output folder, manifests aside.
type writeReport struct {
	written, removed, unchanged int
}

// writeTree makes the output folder dir as t wants it. What t does not speak for, and files that no manifest lists, stay as
// they are. A *stopError says what is for the user to decide; then, and on any other error before the first file is
// replaced, dir is as it was. After a later error the next build completes what this one began. Force overwrites files
// that were edited by hand.
func writeTree(dir string, t tree, force bool) (report writeReport, err error) {
	if err := t.validate(); err != nil {
		return report, err
	}
	made, err := makeDir(dir)
	if err == nil {
		report, err = writeInto(dir, t, force)
	}
	if err != nil {
		for _, dir := range made {
			_ = os.Remove(dir) // stays where it is not empty
		}
	}
	return report, err
}

// makeDir makes a folder and reports those that were not there, innermost first.
func makeDir(dir string) ([]string, error) {
	var made []string
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		made = append(made, at)
	}
	return made, os.MkdirAll(dir, 0o777)
}

func writeInto(dir string, t tree, force bool) (writeReport, error) {
	d, err := openDisk(dir)
	if err != nil {
		return writeReport{}, err
	}
	defer d.close()
	report, err := d.write(t, force)
	return report, d.name(err)
}

func (d *disk) write(t tree, force bool) (report writeReport, err error) {
	leftover, err := d.probeLock()
	if err != nil {
		return report, err
	}
	// A build that changes nothing must write nothing, not even the lock: hence a first look without it.
	before, err := d.load(t)
	if err != nil {
		return report, err
	}
	var p *plan
	if !leftover && !before.interrupted() {
		if p, err = d.planBuild(before, t, force); err != nil || p.settled() {
			return p.report(), err
		}
	}
	release, err := d.lock()
	if err != nil {
		return report, err
	}
	defer release()
	now, err := d.load(t)
	if err == nil && now.interrupted() {
		if err = d.rollForward(now); err == nil {
			now, err = d.load(t)
		}
	}
	if err == nil && (p == nil || !now.equal(before)) {
		p, err = d.planBuild(now, t, force)
	}
	if err == nil {
		err = d.stopped(p)
	}
	if err != nil || p.settled() {
		return p.report(), err
	}
	return p.report(), d.commit(p)
}

// settled reports whether the output folder is as it should be.
func (p *plan) settled() bool {
	for range p.all {
		return false
	}
	return len(p.manifests) == 0
}

func (p *plan) report() (r writeReport) {
	if p == nil {
		return r
	}
	for _, f := range p.folders {
		for _, s := range f.subjects {
			switch {
			case s.verdict == keep && s.want != nil:
				r.unchanged++
			case s.verdict == place:
				r.written++
			case s.verdict == remove:
				r.removed++
			}
		}
	}
	return r
}

// commit carries a plan out. Up to the rename of the next manifests nothing but the stage has changed; from there on the
// next build would complete it.
func (d *disk) commit(p *plan) error {
	m := p.moves()
	if err := d.checkWritable(m); err != nil {
		return err
	}
	if err := d.stage(p, m); err != nil {
		return errors.Join(err, d.root.RemoveAll(stageName))
	}
	if err := d.root.Rename(path.Join(stageName, nextName), nextName); err != nil {
		return errors.Join(err, d.root.RemoveAll(stageName))
	}
	return d.finish(m)
}

// moves is what is left to do once everything is staged.
type moves struct {
	remove  []string // files that leave
	stale   []string // those, and what has left before
	place   []string // staged files and whole folders, to be renamed into place
	records []record // manifests to be renamed into place after that, or removed
}

// moves lists the renames of a plan. A folder that is not there yet moves as a whole.
func (p *plan) moves() moves {
	m := moves{records: p.manifests}
	for _, f := range p.folders {
		if len(f.manifest.Files) == 0 {
			m.stale = append(m.stale, recordPath(f.dir))
		}
		for _, s := range f.subjects {
			if s.want == nil {
				m.stale = append(m.stale, s.path)
			}
		}
	}
	for s := range p.all {
		switch {
		case s.verdict == remove:
			m.remove = append(m.remove, s.path)
		case s.verdict == place && s.seen.missing != "":
			m.place = append(m.place, s.seen.missing)
		case s.verdict == place:
			m.place = append(m.place, s.path)
		}
	}
	slices.Sort(m.place)
	m.place = slices.Compact(m.place)
	return m
}

// finish replaces, removes and records the files of a stage. It may be repeated.
func (d *disk) finish(m moves) error {
	if err := d.swap(m); err != nil {
		return fmt.Errorf("%w; the next build into %s completes what this one began", err, d.dir)
	}
	return nil
}

func (d *disk) swap(m moves) error {
	err := forEach(len(m.remove), func(i int) error { return d.removeFile(m.remove[i]) })
	if err != nil {
		return err
	}
	d.prune(m.stale, m.place)
	err = forEach(len(m.place), func(i int) error {
		return d.renameInto(path.Join(stagedFiles, m.place[i]), m.place[i])
	})
	if err != nil {
		return err
	}
	top := max(len(m.records)-1, 0) // last, since it names the others
	if err := forEach(top, func(i int) error { return d.swapRecord(m, i) }); err != nil {
		return err
	}
	if top < len(m.records) {
		if err := d.swapRecord(m, top); err != nil {
			return err
		}
	}
	if err := d.removeFile(nextName); err != nil {
		return err
	}
	return d.root.RemoveAll(stageName)
}

func (d *disk) swapRecord(m moves, i int) error {
	r := m.records[i]
	if r.data == nil {
		err := d.removeFile(r.path)
		d.prune([]string{r.path}, nil)
		return err
	}
	return d.renameInto(path.Join(stagedRecords, strconv.Itoa(i)), r.path)
}

// renameInto puts a staged file or folder into place.
func (d *disk) renameInto(staged, p string) error {
	staged = path.Join(stageName, staged)
	err := d.root.Rename(staged, p)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// Seldom: a cluster without files has no folder yet, and an interrupted build may have left none.
	if err := d.root.MkdirAll(path.Dir(p), 0o777); err != nil {
		return err
	}
	return d.root.Rename(staged, p)
}

func (d *disk) removeFile(p string) error {
	if err := d.root.Remove(p); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// prune removes the folders that stale files leave empty, unless a placed one goes there.
func (d *disk) prune(stale, placed []string) {
	inUse := map[string]bool{".": true}
	for _, p := range placed {
		for at := path.Dir(p); !inUse[at]; at = path.Dir(at) {
			inUse[at] = true
		}
	}
	for _, p := range stale {
		for at := path.Dir(p); !inUse[at]; at = path.Dir(at) {
			info, err := d.root.Lstat(at)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil || !info.IsDir() || d.root.Remove(at) != nil {
				break // mostly since it is not empty
			}
		}
	}
}
