package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSecondBuildFails(t *testing.T) {
	dir := scratch(t)
	mustWrite(t, dir, single("haproxy/a", "a"))
	d, err := openDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	release, err := d.lock()
	if err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, dir)
	_, unchanged := writeTree(dir, single("haproxy/a", "a"), false)
	_, changed := writeTree(dir, single("haproxy/a", "b"), true)
	_, checked := checkTree(dir, single("haproxy/a", "a"), io.Discard)
	for _, err := range []error{unchanged, changed, checked} {
		var busy *busyError
		if !errors.As(err, &busy) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) || !strings.Contains(err.Error(), dir) {
			t.Errorf("does not name the holder: %v", err)
		}
	}
	if diff := cmp.Diff(before, snapshot(t, dir)); diff != "" {
		t.Errorf("the folder was changed:\n%s", diff)
	}
	release()
	mustWrite(t, dir, single("haproxy/a", "b"))
	sameAsFresh(t, dir, single("haproxy/a", "b"))
}

func TestLockOfADeadProcess(t *testing.T) {
	dir := scratch(t)
	put(t, dir, lockName, "4194305\n")
	put(t, dir, stageName+"/files/haproxy/a", "half")
	mustWrite(t, dir, single("haproxy/a", "a"))
	sameAsFresh(t, dir, single("haproxy/a", "a"))
}

// TestLockExcludes: of many builds at once, one at a time is inside; the others fail as busy, and never anyhow else.
func TestLockExcludes(t *testing.T) {
	dir := scratch(t)
	var inside sync.Mutex
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				d, err := openDisk(dir)
				if err != nil {
					t.Error(err)
					return
				}
				release, err := d.lock()
				var busy *busyError
				switch {
				case err == nil:
					if inside.TryLock() {
						runtime.Gosched()
						inside.Unlock()
					} else {
						t.Error("two hold the lock")
					}
					release()
				case !errors.As(err, &busy):
					t.Error(err)
				}
				d.close()
			}
		})
	}
	group.Wait()
	if got := snapshot(t, dir); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

// TestBuildsAtOnce: whoever gets in leaves a whole tree, whoever does not says that another build is in.
func TestBuildsAtOnce(t *testing.T) {
	dir := filepath.Join(scratch(t), "out")
	trees := []tree{oldTree, newTree, single("haproxy/a", "other")}
	var group sync.WaitGroup
	for i := range 12 {
		group.Go(func() {
			_, err := writeTree(dir, trees[i%len(trees)], false)
			var busy *busyError
			if err != nil && !errors.As(err, &busy) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	got := snapshot(t, dir)
	for _, tr := range trees {
		fresh := filepath.Join(scratch(t), "fresh")
		mustWrite(t, fresh, tr)
		if cmp.Equal(snapshot(t, fresh), got) {
			return
		}
	}
	t.Errorf("none of the trees: %v", got)
}
