package main

import (
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
)

// What the stage holds: new files by their path, new manifests by their number, and the next manifests.
const (
	stagedFiles   = "files"
	stagedRecords = "manifests"
)

// stage writes all that a plan places below the stage folder and makes sure that it is on the disk.
func (d *disk) stage(p *plan, m moves) error {
	if err := d.root.RemoveAll(stageName); err != nil {
		return err
	}
	if err := d.root.MkdirAll(path.Join(stageName, stagedFiles), 0o777); err != nil {
		return err
	}
	files, err := d.root.OpenRoot(path.Join(stageName, stagedFiles))
	if err != nil {
		return err
	}
	defer files.Close()
	err = forEach(len(p.folders), func(i int) error { return stageFolder(files, p.folders[i].subjects) })
	if err != nil {
		return err
	}
	next, err := printNext(p.next)
	if err != nil {
		return err
	}
	if err := d.root.WriteFile(path.Join(stageName, nextName), next, 0o644); err != nil {
		return err
	}
	return d.stageRecords(m.records)
}

// stageFolder writes the files of one cluster, each folder on the way opened once.
func stageFolder(files *os.Root, subjects []subject) error {
	byFolder := map[string][]*subject{}
	for i := range subjects {
		if s := &subjects[i]; s.verdict == place {
			byFolder[path.Dir(s.path)] = append(byFolder[path.Dir(s.path)], s)
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(byFolder)) {
		if err := files.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		if err := stageFiles(files, dir, byFolder[dir]); err != nil {
			return err
		}
	}
	return nil
}

func stageFiles(files *os.Root, dir string, subjects []*subject) error {
	root, err := files.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, s := range subjects {
		if err := writeNew(root, path.Base(s.path), s.data, os.FileMode(s.want.Mode)); err != nil {
			return err
		}
	}
	return nil
}

// stageRecords writes manifests and then syncs, once, all that is staged.
func (d *disk) stageRecords(records []record) error {
	dir := path.Join(stageName, stagedRecords)
	if err := d.root.RemoveAll(dir); err != nil {
		return err
	}
	if err := d.root.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	root, err := d.root.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	err = forEach(len(records), func(i int) error {
		if records[i].data == nil {
			return nil
		}
		return writeNew(root, strconv.Itoa(i), records[i].data, 0o644)
	})
	if err != nil {
		return err
	}
	return syncFolder(root)
}

// writeNew makes a file with exactly these permissions, whatever the umask.
func writeNew(root *os.Root, name string, data []byte, mode os.FileMode) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
