package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/etcdlbgen/etcdlbgen/lint"
)

// maxFixRuns bounds how often files are linted and fixed: an edit may uncover the next finding, but not for ever.
const maxFixRuns = 10

// fix applies edits until there are none, says what it did, and returns what is left. Standard input is printed.
func (l *linter) fix(res *lint.Result) (*lint.Result, error) {
	for range maxFixRuns {
		fixed, _ := res.Fix(l.listed)
		if len(fixed) == 0 {
			break
		}
		for _, f := range fixed {
			if err := l.apply(f, res.Source(f.Path)); err != nil {
				return nil, err
			}
			for _, d := range f.Done {
				fmt.Fprintf(l.err, "%s:%d:%d: fixed [%s]\n", d.Span.File, d.Span.Line, d.Span.Col, d.Rule)
			}
		}
		var err error
		if res, err = l.lint(); err != nil {
			return nil, err
		}
	}
	_, left := res.Fix(l.listed)
	for _, d := range left {
		fmt.Fprintf(l.err, "%s:%d:%d: not fixed [%s]: the file is generated; edit its spec and build again\n",
			d.Span.File, d.Span.Line, d.Span.Col, d.Rule)
	}
	if l.text != nil {
		_, err := l.out.Write(l.text)
		return res, err
	}
	return res, nil
}

// apply writes a fixed file, if it is still what was linted.
func (l *linter) apply(f lint.Fixed, was []byte) error {
	if l.text != nil {
		l.text = f.Data
		return nil
	}
	now, err := readFile(f.Path)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, was) {
		return fmt.Errorf("%s: it was changed while it was linted, so it is not fixed", f.Path)
	}
	return replaceFile(f.Path, f.Data)
}

// listed reports whether a manifest in the file's folder, or one above it, lists a file.
func (l *linter) listed(file string) bool {
	abs, err := filepath.Abs(file)
	if err != nil {
		return false
	}
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		rel, _ := filepath.Rel(dir, abs) // it lies below dir
		if l.manifest(filepath.Join(dir, manifestName))[filepath.ToSlash(rel)] != nil {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// manifest is the files that a manifest lists, each read once. One that cannot be read lists none.
func (l *linter) manifest(path string) map[string]json.RawMessage {
	files, known := l.manifests[path]
	if known {
		return files
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		var m struct{ Files map[string]json.RawMessage }
		if data, err := readFile(path); err == nil && json.Unmarshal(data, &m) == nil {
			files = m.Files
		}
	}
	l.manifests[path] = files
	return files
}

// errLarge is why a file is not read.
var errLarge = fmt.Errorf("it has more than %d MiB", lint.MaxFile>>20)

// readFile reads a file of a size that lint reads.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, lint.MaxFile+1))
	if err == nil && len(data) > lint.MaxFile {
		err = errLarge
	}
	return data, err
}

// replaceFile writes a file whole or not at all, behind a link where its name is one. Its mode and, where that may be
// set, its owner stay.
func replaceFile(path string, data []byte) (err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".etcdlbgen-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	mode := os.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
		keepOwner(info, tmp.Name())
	}
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	return err
}
