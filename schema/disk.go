package schema

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// disk is all files of the machine, of which plain ones can be opened: a pipe in a package would be waited for.
type disk struct{}

var errIrregular = errors.New("not a regular file")

// Open opens a file or folder by its path without the leading slash.
func (disk) Open(name string) (fs.File, error) {
	path := "/" + name
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errIrregular}
	}
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 && !info.IsDir() { // of the kernel's files that say so some are never read to an end
		return empty{info}, nil
	}
	return os.Open(path)
}

// empty is a file that holds nothing.
type empty struct{ info fs.FileInfo }

func (e empty) Stat() (fs.FileInfo, error) { return e.info, nil }
func (empty) Read([]byte) (int, error)     { return 0, io.EOF }
func (empty) Close() error                 { return nil }
