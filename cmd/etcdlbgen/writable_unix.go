//go:build unix

package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// checkWritable finds folders in which nothing may be replaced, before anything is.
func (d *disk) checkWritable(m moves) error {
	checked := map[string]bool{}
	for _, list := range [][]string{m.remove, m.place} {
		for _, p := range list {
			dir := path.Dir(p)
			if checked[dir] {
				continue
			}
			checked[dir] = true
			at := filepath.Join(d.dir, filepath.FromSlash(dir))
			if err := unix.Access(at, unix.W_OK|unix.X_OK); err != nil {
				return fmt.Errorf("writing to %s: %w", at, err)
			}
		}
	}
	return nil
}

// keepOwner gives a file the owner that info names, if this process may.
func keepOwner(info os.FileInfo, path string) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = os.Chown(path, int(s.Uid), int(s.Gid)) // only root may
	}
}
