//go:build unix

package main

import (
	"fmt"
	"path"
	"path/filepath"

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
