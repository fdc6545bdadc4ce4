//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// What a killed run left behind goes away when the next one starts; what a living one uses stays.
func TestSweepEndsLeftovers(t *testing.T) {
	living := NewRig(t)
	const dead = prefix + "4194305-1" // above the highest process ID there is
	dir := filepath.Join(shm, dead)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if out, err := exec.Command("ip", "netns", "add", dead+"-hub").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	left := exec.Command("ip", "netns", "exec", dead+"-hub", "sleep", "600")
	if err := left.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { left.Process.Kill() })
	living.eventually(10*time.Second, "the process is in the namespace", func() error {
		out, err := exec.Command("ip", "netns", "pids", dead+"-hub").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		if len(out) == 0 {
			return errors.New("there is no process")
		}
		return nil
	})
	if err := sweep(); err != nil {
		t.Fatal(err)
	}
	if err := left.Wait(); err == nil {
		t.Error("the process ended by itself")
	}
	for _, path := range []string{dir, "/run/netns/" + dead + "-hub"} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
	for _, path := range []string{living.Dir, "/run/netns/" + living.hub.namespace} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}
