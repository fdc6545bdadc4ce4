package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
)

// file is an output file as the tests spell it; its target is the first part of its path.
func file(path, data string) outFile {
	name, _, _ := strings.Cut(path, "/")
	return outFile{Artifact: target.Artifact{Path: path, Data: []byte(data), Exec: strings.HasSuffix(path, ".sh")}, Target: name}
}

// single is the tree of one cluster: paths and contents in turn.
func single(pairs ...string) tree {
	return tree{clusters: []clusterFiles{cluster("", pairs...)}}
}

func cluster(dir string, pairs ...string) clusterFiles {
	c := clusterFiles{dir: dir, spec: "spec.cue"}
	for i := 0; i < len(pairs); i += 2 {
		c.files = append(c.files, file(pairs[i], pairs[i+1]))
	}
	return c
}

func fleet(clusters ...clusterFiles) tree { return tree{clusters: clusters, fleet: true} }

// scratch is a new folder, in memory where there is such a file system: each build waits for the disk once, and a test does
// many.
func scratch(t testing.TB) string {
	t.Helper()
	base := "/dev/shm"
	if _, err := os.Stat(base); err != nil {
		base = ""
	}
	dir, err := os.MkdirTemp(base, "etcdlbgen")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// snapshot is all that lies below a folder: content of files with their mode, targets of links, "/" for folders. A folder
// that is not there is nil.
func snapshot(t rapid.TB, dir string) map[string]string {
	t.Helper()
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		info, err := e.Info()
		if err != nil {
			return err
		}
		switch {
		case e.IsDir():
			out[rel] = "/"
		case info.Mode()&fs.ModeSymlink != 0:
			out[rel], err = os.Readlink(p)
		default:
			var data []byte
			data, err = os.ReadFile(p)
			out[rel] = info.Mode().String() + " " + string(data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// contents are the files below a folder without their modes and without manifests.
func contents(t rapid.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for p, data := range snapshot(t, dir) {
		if data != "/" && filepath.Base(p) != manifestName {
			_, out[p], _ = strings.Cut(data, " ")
		}
	}
	return out
}

func put(t rapid.TB, dir, p, data string) {
	t.Helper()
	p = filepath.Join(dir, p)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func mustWrite(t testing.TB, dir string, tr tree) writeReport {
	t.Helper()
	report, err := writeTree(dir, tr, false)
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	return report
}

// mustStop expects a build to be stopped with the folder as it was.
func mustStop(t testing.TB, dir string, tr tree, force bool) *stopError {
	t.Helper()
	before := snapshot(t, dir)
	_, err := writeTree(dir, tr, force)
	var stop *stopError
	if !errors.As(err, &stop) || len(stop.diags) == 0 {
		t.Fatalf("build was not stopped: %v", err)
	}
	if diff := cmp.Diff(before, snapshot(t, dir)); diff != "" {
		t.Errorf("a stopped build changed the folder:\n%s", diff)
	}
	return stop
}

// sameAsFresh compares a folder with what a build into a new one makes.
func sameAsFresh(t testing.TB, dir string, tr tree) {
	t.Helper()
	fresh := filepath.Join(scratch(t), "fresh")
	mustWrite(t, fresh, tr)
	if diff := cmp.Diff(snapshot(t, fresh), snapshot(t, dir)); diff != "" {
		t.Errorf("not as a fresh build makes it (-fresh +got):\n%s", diff)
	}
}

// stamps are the times of last change, of folders too: nothing that was written goes unnoticed.
func stamps(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		out[p] = info.ModTime().String()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
