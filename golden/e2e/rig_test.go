//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// prefix begins the name of each namespace and folder that the rig makes; the test's process ID follows, so that what
// a killed run left behind can be told from what another run uses.
const prefix = "etcdlb-e2e-"

// product is the path of the etcdlbgen under test.
var product string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if err := sweep(); err != nil {
		fmt.Println(err)
		return 1
	}
	dir, err := os.MkdirTemp("", prefix)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	product = filepath.Join(dir, "etcdlbgen")
	if out, err := exec.Command("go", "build", "-o", product, "../../cmd/etcdlbgen").CombinedOutput(); err != nil {
		fmt.Printf("%s%v\n", out, err)
		return 1
	}
	return m.Run()
}

// shm is where members keep their data: on a disk, other people's work would count as the member's slowness.
const shm = "/dev/shm"

// sweep ends what killed runs left behind.
func sweep() error {
	names, err := filepath.Glob("/run/netns/" + prefix + "*")
	if err != nil {
		return err
	}
	for _, path := range names {
		if name := filepath.Base(path); !alive(name) {
			if err := removeNamespace(name); err != nil {
				return err
			}
		}
	}
	dirs, err := filepath.Glob(filepath.Join(shm, prefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if !alive(filepath.Base(dir)) {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// alive reports whether the test that made a namespace or folder of this name still runs.
func alive(name string) bool {
	pid, _, _ := strings.Cut(strings.TrimPrefix(name, prefix), "-")
	comm, err := os.ReadFile("/proc/" + pid + "/comm")
	return err == nil && strings.Contains(string(comm), "e2e")
}

// removeNamespace ends the processes in a namespace and removes it, with the links in it.
func removeNamespace(name string) error {
	for range 100 {
		out, err := exec.Command("ip", "netns", "pids", name).Output()
		if err != nil {
			return fmt.Errorf("processes of namespace %s: %w", name, err)
		}
		pids := strings.Fields(string(out))
		if len(pids) == 0 {
			break
		}
		for _, field := range pids {
			pid, err := strconv.Atoi(field)
			if err != nil {
				return err
			}
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill()
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	if out, err := exec.Command("ip", "netns", "del", name).CombinedOutput(); err != nil {
		return fmt.Errorf("namespace %s stays: %s", name, out)
	}
	return nil
}

// need looks a program up. Where it is absent the test is skipped, unless in CI, where that is a failure.
func need(t testing.TB, program string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/", "/sbin/"} {
		if path, err := exec.LookPath(dir + program); err == nil {
			return path
		}
	}
	missing(t, program)
	return ""
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not here", what)
	}
	t.Skipf("%s is not here", what)
}

// Rig is a set of machines on one network.
type Rig struct {
	testing.TB
	// Dir holds certificates and what was built, and goes away with the test.
	Dir string
	PKI *PKI

	builds int
	hub    *Host
	hosts  []*Host
	names  map[string]string // host names that every machine knows, with their address
}

var rigs atomic.Int32

// NewRig makes an empty network. It goes away with the test, and all processes on it.
func NewRig(t testing.TB) *Rig {
	t.Helper()
	need(t, "ip")
	if os.Getuid() != 0 {
		missing(t, "root")
	}
	r := &Rig{TB: t, Dir: filepath.Join(shm, fmt.Sprintf("%s%d-%d", prefix, os.Getpid(), rigs.Add(1))), names: map[string]string{}}
	if err := os.Mkdir(r.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(r.Dir) })
	r.PKI = newPKI(t, filepath.Join(r.Dir, "pki"))
	r.hub = r.namespace("hub")
	r.hub.ip("link", "add", "br0", "type", "bridge")
	r.hub.ip("link", "set", "br0", "up")
	return r
}

// Host is a new machine on the network, with addresses such as 10.0.1.10 and fd00::10. All machines of a rig are on
// one link.
func (r *Rig) Host(name string, addresses ...string) *Host {
	r.Helper()
	h := r.namespace(name)
	h.Addresses = addresses
	r.hosts = append(r.hosts, h)
	port := fmt.Sprintf("p%d", len(r.hosts))
	r.hub.ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", h.namespace)
	r.hub.ip("link", "set", port, "master", "br0", "up")
	h.port = port
	h.ip("link", "set", "eth0", "up")
	for _, a := range addresses {
		h.AddAddress(a)
	}
	return h
}

// Resolve lets every machine, present and future, resolve a host name.
func (r *Rig) Resolve(host, address string) {
	r.names[host] = address
	for _, h := range r.hosts {
		h.know()
	}
}

// eventually waits until a condition holds, at most for a given time.
func (r *Rig) eventually(within time.Duration, what string, holds func() error) {
	r.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			r.Fatalf("%s: not within %v: %v", what, within, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
