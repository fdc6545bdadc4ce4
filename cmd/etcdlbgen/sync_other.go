//go:build !linux

package main

import (
	"io/fs"
	"os"
)

// syncFolder waits until all that was written below the folder is on the disk. Without a call for a whole file system it
// takes one a file.
func syncFolder(root *os.Root) error {
	return fs.WalkDir(root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		f, err := root.OpenFile(p, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		return f.Sync()
	})
}
