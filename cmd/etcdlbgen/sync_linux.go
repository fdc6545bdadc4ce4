package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncFolder waits until all that was written to the folder's file system is on the disk: one call, however many files.
func syncFolder(root *os.Root) error {
	f, err := root.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	return os.NewSyscallError("syncfs", unix.Syncfs(int(f.Fd())))
}
