package main

import (
	"errors"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// model is what the output folder should hold after a history of builds and of what people do in between, told from the
// promises alone.
type model struct {
	files  map[string]string // what is there
	listed map[string]owned  // what builds wrote
}

type owned struct{ content, cluster, target string }

// build applies one build to the model; ok is false when it has to stop.
func (m *model) build(tr tree, force bool) (ok bool) {
	outputs := map[string]owned{}
	for _, c := range tr.clusters {
		for _, f := range c.files {
			outputs[path.Join(c.dir, f.Path)] = owned{string(f.Data), c.dir, f.Target}
		}
	}
	files, listed := maps.Clone(m.files), maps.Clone(m.listed)
	for p, was := range m.listed {
		if _, stays := outputs[p]; stays || !covered(tr, was) {
			continue
		}
		if now, there := files[p]; there && now != was.content && !force {
			return false
		}
		delete(files, p)
		delete(listed, p)
	}
	for p, want := range outputs {
		now, there := files[p]
		was, ours := m.listed[p]
		if there && now != want.content && (!ours || now != was.content && !force) {
			return false
		}
		files[p], listed[p] = want.content, want
	}
	m.files, m.listed = files, listed
	return true
}

func covered(tr tree, was owned) bool {
	cluster := !tr.narrowed || slices.Contains(tr.dirs(), was.cluster)
	return cluster && (len(tr.targets) == 0 || slices.Contains(tr.targets, was.target))
}

var (
	somePaths    = []string{"haproxy/a", "haproxy/b.sh", "haproxy/sub/c", "nginx/a", "nginx/deep/er/d", "runbook"}
	someContents = rapid.SampledFrom([]string{"", "one\n", "two\n", "three"})
	someDirs     = []string{"eu", "us", "asia"}
)

func drawCluster(t *rapid.T, dir string, targets []string) clusterFiles {
	c := clusterFiles{dir: dir, spec: "spec.cue"}
	for _, p := range somePaths {
		f := file(p, "")
		if (len(targets) == 0 || slices.Contains(targets, f.Target)) && rapid.Bool().Draw(t, "has "+p) {
			f.Data = []byte(someContents.Draw(t, p))
			c.files = append(c.files, f)
		}
	}
	return c
}

func drawTree(t *rapid.T) tree {
	var tr tree
	tr.targets = rapid.SampledFrom([][]string{nil, nil, {"haproxy"}, {"nginx", "runbook"}}).Draw(t, "--target")
	tr.fleet = rapid.Bool().Draw(t, "fleet")
	if !tr.fleet {
		tr.clusters = []clusterFiles{drawCluster(t, "", tr.targets)}
		return tr
	}
	tr.narrowed = rapid.Bool().Draw(t, "--cluster")
	for _, dir := range someDirs {
		if rapid.Bool().Draw(t, dir) {
			tr.clusters = append(tr.clusters, drawCluster(t, dir, tr.targets))
		}
	}
	return tr
}

// TestHistories lets builds and people take turns.
func TestHistories(t *testing.T) {
	top := scratch(t)
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(top, "out")
		if err != nil {
			t.Fatal(err)
		}
		h := history{dir: dir, model: model{files: map[string]string{}, listed: map[string]owned{}}}
		t.Repeat(map[string]func(*rapid.T){
			"":      h.holds,
			"build": h.build,
			"again": h.build,
			"edit":  h.edit,
			"undo":  h.undo,
		})
	})
}

type history struct {
	model
	dir string
}

// holds: the folder is as the model says.
func (h *history) holds(t *rapid.T) {
	if diff := cmp.Diff(h.files, contents(t, h.dir)); diff != "" {
		t.Fatalf("files (-want +got):\n%s", diff)
	}
}

func (h *history) build(t *rapid.T) {
	tr, force := drawTree(t), rapid.Bool().Draw(t, "--force")
	before := snapshot(t, h.dir)
	drift, err := checkTree(h.dir, tr, &strings.Builder{})
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	want := h.model.build(tr, force)
	_, err = writeTree(h.dir, tr, force)
	var stop *stopError
	if got := err == nil; got != want || err != nil && !errors.As(err, &stop) {
		t.Fatalf("build went through: %t, want %t (%v)", got, want, err)
	}
	after := snapshot(t, h.dir)
	switch changed := !cmp.Equal(before, after); {
	case err != nil && changed:
		t.Fatalf("a stopped build changed the folder:\n%s", cmp.Diff(before, after))
	case err == nil && changed != drift:
		t.Fatalf("check said drift %t, and the build changed the folder: %t\n%s", drift, changed, cmp.Diff(before, after))
	}
	if err != nil {
		return
	}
	if drift, err := checkTree(h.dir, tr, &strings.Builder{}); drift || err != nil {
		t.Fatalf("drift %t after a build (%v)", drift, err)
	}
}

// edit is a person who changes, makes or deletes a file.
func (h *history) edit(t *rapid.T) {
	p := path.Join(rapid.SampledFrom(append(someDirs, "")).Draw(t, "in"), rapid.SampledFrom(somePaths).Draw(t, "file"))
	content := someContents.Draw(t, "content")
	if _, there := h.files[p]; there && rapid.Bool().Draw(t, "delete") {
		if err := os.Remove(filepath.Join(h.dir, p)); err != nil {
			t.Fatal(err)
		}
		delete(h.files, p)
		return
	}
	put(t, h.dir, p, content)
	h.files[p] = content
}

// undo is a person who puts back what a build wrote.
func (h *history) undo(t *rapid.T) {
	for _, p := range slices.Sorted(maps.Keys(h.listed)) {
		put(t, h.dir, p, h.listed[p].content)
		h.files[p] = h.listed[p].content
	}
}
