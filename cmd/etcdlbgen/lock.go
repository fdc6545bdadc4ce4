package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// busyError says that another build is writing to the output folder.
type busyError struct {
	dir string
	pid int // 0: not known
}

func (e *busyError) Error() string {
	holder := "another build"
	if e.pid != 0 {
		holder += fmt.Sprintf(" (process %d)", e.pid)
	}
	return fmt.Sprintf("%s is writing to %s, and two at once would mix their files; wait until it has ended", holder, e.dir)
}

// lock keeps other builds out of the output folder until release is called, which leaves no trace. It fails at once with a
// *busyError when another build is in it.
func (d *disk) lock() (release func(), err error) {
	for {
		held, err := d.tryLock(os.O_RDWR)
		if errors.Is(err, fs.ErrNotExist) {
			if err := writeNew(d.root, lockName, nil, 0o644); err != nil && !errors.Is(err, fs.ErrExist) {
				return nil, err
			}
			continue
		} else if err != nil {
			return nil, err
		}
		release = func() {
			_ = d.root.Remove(lockName) // while it is held, so that nobody loses a lock that he has just got
			_ = held.Unlock()           // ends with the process at the latest
		}
		if err := d.root.WriteFile(lockName, fmt.Appendln(nil, os.Getpid()), 0o644); err != nil {
			release()
			return nil, err
		}
		return release, nil
	}
}

// probeLock fails as lock does, but writes nothing. It reports whether a killed build left its lock file behind.
func (d *disk) probeLock() (leftover bool, err error) {
	if d.root == nil {
		return false, nil
	}
	held, err := d.tryLock(os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, held.Unlock()
}

// tryLock locks the lock file, which must exist. It fails with fs.ErrNotExist when the file it got is no longer the one in
// the folder: such a lock would keep nobody out.
func (d *disk) tryLock(flag int) (*flock.Flock, error) {
	before, err := d.root.Lstat(lockName)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, d.badRecord(lockName, errors.New("it is no plain file"))
	}
	lock := flock.New(filepath.Join(d.dir, lockName), flock.SetFlag(flag))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &busyError{dir: d.dir, pid: d.holder()}
	}
	after, err := d.root.Lstat(lockName)
	if err == nil && !os.SameFile(before, after) {
		err = fs.ErrNotExist
	}
	if err != nil {
		_ = lock.Unlock()
		return nil, err
	}
	return lock, nil
}

// holder is the process that the lock file names.
func (d *disk) holder() int {
	data, err := d.root.ReadFile(lockName)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return 0
	}
	return pid
}
