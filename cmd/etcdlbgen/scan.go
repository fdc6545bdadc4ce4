package main

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path"
	"runtime"
	"sync"
	"sync/atomic"
)

// kind is what lies at a path.
type kind uint8

const (
	absent   kind = iota
	regular       // a plain file
	folder        // a directory
	symlink       // the path is a symbolic link or passes through one
	unusable      // a device, a socket, …
)

// seen is what was found at a path.
type seen struct {
	kind kind
	mode fs.FileMode // of a plain file
	sum  digest      // of a plain file
	link string      // the symbolic link on the way
	// blocker is a file on the way that would have to be a folder.
	blocker string
	// missing is the topmost folder on the way that is not there; "" if only the file is not there.
	missing string
}

// is reports whether a plain file with the content of e was found.
func (s seen) is(e entry) bool { return s.kind == regular && s.sum == e.SHA256 }

// walker looks at paths below a folder, opening each folder on the way once and following no symbolic link. It serves one
// goroutine.
type walker struct {
	top   *os.Root // nil: the folder itself is not there
	known map[string]opened
}

// opened is a folder, or why there is none.
type opened struct {
	root *os.Root
	not  seen
}

func newWalker(top *os.Root) *walker { return &walker{top: top, known: map[string]opened{}} }

func (w *walker) close() {
	for _, o := range w.known {
		if o.root != nil && o.root != w.top {
			o.root.Close()
		}
	}
}

// open returns a folder. The error is for what the system refuses.
func (w *walker) open(dir string) (opened, error) {
	if o, ok := w.known[dir]; ok {
		return o, nil
	}
	o, err := w.openNew(dir)
	if err == nil {
		w.known[dir] = o
	}
	return o, err
}

func (w *walker) openNew(dir string) (opened, error) {
	if w.top == nil {
		return opened{not: seen{missing: "."}}, nil
	}
	if dir == "." {
		return opened{root: w.top}, nil
	}
	parent, err := w.open(path.Dir(dir))
	if err != nil || parent.root == nil {
		return parent, err
	}
	info, err := parent.root.Lstat(path.Base(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return opened{not: seen{missing: dir}}, nil
	} else if err != nil {
		return opened{}, err
	}
	switch kindOf(info.Mode()) {
	case folder:
		root, err := parent.root.OpenRoot(path.Base(dir))
		return opened{root: root}, err
	case symlink:
		return opened{not: seen{kind: symlink, link: dir}}, nil
	default:
		return opened{not: seen{blocker: dir, missing: dir}}, nil
	}
}

// look reports what is at a path, with the sum of its content.
func (w *walker) look(p string) (seen, error) {
	s, data, err := w.read(p)
	if s.kind == regular {
		s.sum = sha256.Sum256(data)
	}
	return s, err
}

// read returns the content of a plain file. What is none has no content; it is no error.
func (w *walker) read(p string) (seen, []byte, error) {
	dir, err := w.open(path.Dir(p))
	if err != nil || dir.root == nil {
		return dir.not, nil, err
	}
	info, err := dir.root.Lstat(path.Base(p))
	if errors.Is(err, fs.ErrNotExist) {
		return seen{}, nil, nil
	} else if err != nil {
		return seen{}, nil, err
	}
	s := seen{kind: kindOf(info.Mode()), mode: info.Mode().Perm()}
	switch s.kind {
	case symlink:
		s.link = p
	case regular:
		data, err := dir.root.ReadFile(path.Base(p))
		return s, data, err
	}
	return s, nil, nil
}

func kindOf(m fs.FileMode) kind {
	switch {
	case m.IsRegular():
		return regular
	case m.IsDir():
		return folder
	case m&fs.ModeSymlink != 0:
		return symlink
	}
	return unusable
}

// forEach calls do for 0 … n-1, on as many goroutines as the program may use processors, and returns the first error in
// the order of the calls. After an error no further call begins.
func forEach(n int, do func(int) error) error {
	errs := make([]error, n)
	var next atomic.Int64
	var failed atomic.Bool
	work := func() {
		for !failed.Load() {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			if errs[i] = do(i); errs[i] != nil {
				failed.Store(true)
			}
		}
	}
	var group sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) - 1 {
		group.Go(work)
	}
	work()
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
