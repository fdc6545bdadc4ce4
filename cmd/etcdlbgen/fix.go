package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/etcdlbgen/etcdlbgen/lint"
)

// maxFixRuns bounds how often files are linted and fixed: an edit may uncover the next finding, but not for ever.
const maxFixRuns = 10

// fix applies edits until there are none, says what it did, and returns what is left. Standard input is printed.
func (l *linter) fix(res *lint.Result) (*lint.Result, error) {
	for range maxFixRuns {
		fixed, _ := res.Fix(listed)
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
	_, left := res.Fix(listed)
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
	now, err := os.ReadFile(f.Path)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, was) {
		return fmt.Errorf("%s: it was changed while it was linted, so it is not fixed", f.Path)
	}
	return replaceFile(f.Path, f.Data)
}

// listed reports whether a manifest in the file's folder, or one above it, lists a file.
func listed(file string) bool {
	abs, err := filepath.Abs(file)
	if err != nil {
		return false
	}
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		at := filepath.Join(dir, manifestName)
		if data, err := os.ReadFile(at); err == nil {
			var m struct{ Files map[string]json.RawMessage }
			rel, _ := filepath.Rel(dir, abs) // it lies below dir
			if err := json.Unmarshal(data, &m); err == nil && m.Files[filepath.ToSlash(rel)] != nil {
				return true
			}
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
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
