package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// disk is the output folder. All that is read, written and removed in it goes through its root, so that nothing leaves it.
type disk struct {
	dir  string   // as the user wrote it
	root *os.Root // nil: the folder is not there
}

func openDisk(dir string) (*disk, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return &disk{dir: dir}, nil
	}
	return &disk{dir: dir, root: root}, err
}

func (d *disk) close() {
	if d.root != nil {
		d.root.Close()
	}
}

// span is a path of the output folder as the user sees it.
func (d *disk) span(p string) diag.Span {
	return diag.Span{File: filepath.Join(d.dir, filepath.FromSlash(p))}
}

// name says in which folder it was that the system refused something below it.
func (d *disk) name(err error) error {
	var file *fs.PathError
	var link *os.LinkError
	if errors.As(err, &file) || errors.As(err, &link) {
		return fmt.Errorf("in %s: %w", d.dir, err)
	}
	return err
}

// state is what builds have recorded in the output folder.
type state struct {
	units    map[string]unit     // by folder; "" is the output folder itself and always there
	clusters []string            // the folders of the fleet, sorted
	next     map[string]manifest // what an interrupted build was about to write; nil: none was interrupted
	nextRaw  []byte
	leftover bool // a stage is left behind
}

// unit is a folder with a manifest.
type unit struct {
	raw   []byte // the manifest as it is on disk; nil: there is none
	files map[string]entry
}

// interrupted reports whether an earlier build left anything to clear up.
func (s *state) interrupted() bool { return s.next != nil || s.leftover }

// equal reports whether nothing was recorded in between.
func (s *state) equal(other *state) bool {
	return s.leftover == other.leftover && bytes.Equal(s.nextRaw, other.nextRaw) &&
		maps.EqualFunc(s.units, other.units, func(a, b unit) bool { return bytes.Equal(a.raw, b.raw) })
}

// load reads the manifests of the clusters that t speaks for, and of those that an interrupted build was about to change.
func (d *disk) load(t tree) (*state, error) {
	w := newWalker(d.root)
	defer w.close()
	st := &state{units: map[string]unit{}}
	top, raw, err := d.loadManifest(w, manifestName)
	if err != nil {
		return nil, err
	}
	st.units[""] = unit{raw: raw, files: top.Files}
	st.clusters = slices.Compact(slices.Sorted(slices.Values(top.Clusters)))
	if st.next, st.nextRaw, err = d.loadNext(w); err != nil {
		return nil, err
	}
	stage, err := w.look(stageName)
	if err != nil {
		return nil, err
	}
	st.leftover = stage.kind != absent

	dirs := slices.DeleteFunc(append(t.dirs(), st.clusters...), func(dir string) bool { return !t.coversDir(dir) })
	dirs = slices.AppendSeq(dirs, maps.Keys(st.next))
	slices.Sort(dirs)
	dirs = slices.DeleteFunc(slices.Compact(dirs), func(dir string) bool { return dir == "" })
	units := make([]unit, len(dirs))
	err = forEach(len(dirs), func(i int) error {
		w := newWalker(d.root)
		defer w.close()
		m, raw, err := d.loadManifest(w, recordPath(dirs[i]))
		units[i] = unit{raw: raw, files: m.Files}
		return err
	})
	for i, dir := range dirs {
		st.units[dir] = units[i]
	}
	return st, err
}

func (d *disk) loadManifest(w *walker, p string) (manifest, []byte, error) {
	data, err := d.readOwn(w, p)
	if data == nil {
		return manifest{}, nil, err
	}
	m, err := parseManifest(data)
	if err != nil {
		return m, nil, d.badRecord(p, err)
	}
	return m, data, nil
}

func (d *disk) loadNext(w *walker) (map[string]manifest, []byte, error) {
	data, err := d.readOwn(w, nextName)
	if data == nil {
		return nil, nil, err
	}
	next, err := parseNext(data)
	if err != nil {
		return nil, nil, d.badRecord(nextName, err)
	}
	return next, data, nil
}

// readOwn reads one of the build's own files, nil where there is none.
func (d *disk) readOwn(w *walker, p string) ([]byte, error) {
	s, data, err := w.read(p)
	switch {
	case err != nil:
		return nil, err
	case s.kind == regular:
		return data, nil
	case s.kind == absent:
		return nil, nil
	case s.kind == symlink:
		return nil, d.badRecord(p, fmt.Errorf("%s is a symbolic link", d.span(s.link).File))
	}
	return nil, d.badRecord(p, errors.New("it is no plain file"))
}

func (d *disk) badRecord(p string, err error) error {
	stop := &stopError{}
	stop.add(d.span(p), "the record of what build wrote cannot be trusted, so that build might overwrite or remove what is not its own: "+
		err.Error()+"; need the file as the last build left it",
		"restore "+path.Base(p)+" from version control, or remove it: files that are as build would write them are then adopted again")
	return stop
}
