package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/lint"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// maxFixRuns bounds how often files are linted and fixed: an edit may uncover the next finding, but not for ever.
const maxFixRuns = 10

// fix applies edits until there are none, says what it did, and returns what is left. Standard input is printed. A file
// that cannot be written does not keep others from being fixed.
func (l *linter) fix(res *lint.Result) (*lint.Result, error) {
	done := map[string]bool{} // one that is found again as it was did not help, and would not the next time
	name := func(d diag.Diagnostic) string {
		return fmt.Sprintf("%s:%d:%d: %s [%s]", d.Span.File, d.Span.Line, d.Span.Col, d.Message, d.Rule)
	}
	for range maxFixRuns {
		wrote := false
		for i, d := range res.Diagnostics {
			if done[name(d)] {
				res.Diagnostics[i].Edits = nil
			}
		}
		fixed, _ := res.Fix(l.listed)
		for _, f := range fixed {
			if l.unfixed[f.Path] {
				continue
			}
			if err := l.apply(f, res.Source(f.Path)); err != nil {
				l.unfixed[f.Path] = true
				say(l.err, "%s: not fixed: %v\n", f.Path, err)
				continue
			}
			wrote = true
			for _, d := range f.Done {
				done[name(d)] = true
				say(l.err, "%s:%d:%d: fixed [%s]\n", d.Span.File, d.Span.Line, d.Span.Col, d.Rule)
			}
		}
		if !wrote {
			break
		}
		var err error
		if res, err = l.lint(); err != nil {
			return nil, err
		}
	}
	_, left := res.Fix(l.listed)
	for _, d := range left {
		say(l.err, "%s:%d:%d: not fixed [%s]: the file is generated; edit its spec and build again\n",
			d.Span.File, d.Span.Line, d.Span.Col, d.Rule)
	}
	if l.text != nil {
		_, err := l.out.Write(l.text)
		return res, err
	}
	return res, nil
}

// apply writes a fixed file, if it is still what was linted: behind the byte order mark, which lint does not see.
func (l *linter) apply(f lint.Fixed, was []byte) error {
	now := l.text
	if now == nil {
		var err error
		if now, err = readFile(f.Path); err != nil {
			return err
		}
	}
	mark := now[:len(now)-len(bytes.TrimPrefix(now, lint.ByteOrderMark))]
	if !bytes.Equal(now[len(mark):], was) {
		return errors.New("it was changed while it was linted")
	}
	data := slices.Concat(mark, f.Data)
	if l.text != nil {
		l.text = data
		return nil
	}
	return replaceFile(f.Path, data)
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
	var p *os.PathError
	if errors.As(err, &p) { // it names a file that nobody knows
		return fmt.Errorf("write to %s: %w", filepath.Dir(path), p.Err)
	}
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
		switch {
		case info.IsDir():
			return errors.New("it is a folder")
		case mode&0o222 == 0:
			return errors.New("it is read-only")
		}
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
