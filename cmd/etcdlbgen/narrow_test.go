package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNarrowedToTargets(t *testing.T) {
	dir := scratch(t)
	mustWrite(t, dir, single("haproxy/a", "1", "haproxy/b", "1", "nginx/a", "1", "nginx/b", "1"))
	put(t, dir, "nginx/a", "edited, and nobody checks")
	tr := single("haproxy/a", "2")
	tr.targets = []string{"haproxy"}
	mustWrite(t, dir, tr)
	want := map[string]string{"haproxy/a": "2", "nginx/a": "edited, and nobody checks", "nginx/b": "1"}
	if diff := cmp.Diff(want, contents(t, dir)); diff != "" {
		t.Error(diff)
	}
	if drift, err := checkTree(dir, tr, os.Stderr); drift || err != nil {
		t.Errorf("drift %t after a build (%v)", drift, err)
	}
	// What was left out is still known: a whole build finds the edit, and removes what is stale.
	mustStop(t, dir, single("haproxy/a", "2"), false)
	put(t, dir, "nginx/a", "1")
	mustWrite(t, dir, single("haproxy/a", "2"))
	sameAsFresh(t, dir, single("haproxy/a", "2"))
}

func TestNarrowedToClusters(t *testing.T) {
	dir := scratch(t)
	mustWrite(t, dir, fleet(cluster("eu", "haproxy/a", "1"), cluster("gone", "haproxy/a", "1"), cluster("us", "haproxy/a", "1")))
	put(t, dir, "us/haproxy/a", "edited, and nobody checks")
	put(t, dir, "gone/"+manifestName, "not even this")
	tr := fleet(cluster("eu", "haproxy/b", "2"))
	tr.narrowed = true
	mustWrite(t, dir, tr)
	got := contents(t, dir)
	want := map[string]string{"eu/haproxy/b": "2", "us/haproxy/a": "edited, and nobody checks", "gone/haproxy/a": "1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	top, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseManifest(top)
	if diff := cmp.Diff([]string{"eu", "gone", "us"}, m.Clusters); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestNarrowedTargetOfAClusterThatLeft(t *testing.T) {
	dir := scratch(t)
	mustWrite(t, dir, fleet(cluster("eu", "haproxy/a", "1", "nginx/a", "1"), cluster("us", "haproxy/a", "1")))
	tr := fleet(cluster("us", "haproxy/a", "1"))
	tr.targets = []string{"haproxy"}
	mustWrite(t, dir, tr)
	want := []string{"eu/nginx/a", "us/haproxy/a"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(contents(t, dir)))); diff != "" {
		t.Error(diff)
	}
	mustWrite(t, dir, fleet(cluster("us", "haproxy/a", "1")))
	sameAsFresh(t, dir, fleet(cluster("us", "haproxy/a", "1")))
}
