//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Host is a machine: a network namespace, with a /run and a /var/log/nginx of its own.
type Host struct {
	Name      string
	Addresses []string

	rig       *Rig
	namespace string
	dir       string
	port      string   // of the switch
	file      *os.File // the namespace
}

// namespace makes a machine that is on no network yet.
func (r *Rig) namespace(name string) *Host {
	r.Helper()
	h := &Host{
		Name: name, rig: r,
		namespace: filepath.Base(r.Dir) + "-" + name,
		dir:       filepath.Join(r.Dir, name),
	}
	for _, dir := range []string{"run/haproxy", "log"} {
		if err := os.MkdirAll(filepath.Join(h.dir, dir), 0o755); err != nil {
			r.Fatal(err)
		}
	}
	if out, err := exec.Command("ip", "netns", "add", h.namespace).CombinedOutput(); err != nil {
		missing(r, "the right to make network namespaces ("+strings.TrimSpace(string(out))+")")
	}
	file, err := os.Open("/run/netns/" + h.namespace)
	if err != nil {
		r.Fatal(err)
	}
	h.file = file
	r.Cleanup(func() {
		file.Close()
		if err := removeNamespace(h.namespace); err != nil {
			r.Error(err)
		}
	})
	h.know()
	h.ip("link", "set", "lo", "up")
	return h
}

// know writes the names that the machine resolves.
func (h *Host) know() {
	h.rig.Helper()
	hosts := "127.0.0.1 localhost\n::1 localhost\n"
	for name, address := range h.rig.names {
		hosts += address + " " + name + "\n"
	}
	if err := os.WriteFile(filepath.Join(h.dir, "hosts"), []byte(hosts), 0o644); err != nil {
		h.rig.Fatal(err)
	}
}

// Addr is the machine's first address.
func (h *Host) Addr() string { return h.Addresses[0] }

// AddAddress gives the machine one more address, such as a VIP.
func (h *Host) AddAddress(address string) {
	h.rig.Helper()
	if strings.Contains(address, ":") {
		h.ip("address", "add", address+"/64", "dev", "eth0", "nodad")
		return
	}
	h.ip("address", "add", address+"/16", "dev", "eth0")
}

// Move takes an address such as a VIP from the machine that has it, if any, to another.
func (r *Rig) Move(address string, to *Host) {
	r.Helper()
	for _, h := range r.hosts {
		if i := slices.Index(h.Addresses, address); i >= 0 {
			h.Addresses = slices.Delete(h.Addresses, i, i+1)
			h.ip("address", "flush", "to", address)
		}
		h.ip("neighbor", "flush", "to", address)
	}
	to.Addresses = append(to.Addresses, address)
	to.AddAddress(address)
}

// ip sets up the machine's network from outside, where the other machines' namespaces have names.
func (h *Host) ip(args ...string) {
	h.rig.Helper()
	if out, err := exec.Command("ip", append([]string{"-n", h.namespace}, args...)...).CombinedOutput(); err != nil {
		h.rig.Fatalf("on %s, ip %s: %v\n%s", h.Name, strings.Join(args, " "), err, out)
	}
}

// onHost is what a program sees of the machine it runs on. `ip netns exec` gives it a mount namespace of its own.
const onHost = `set -e
dir=$1; shift
mount --bind "$dir/run" /run
[ ! -d /var/log/nginx ] || mount --bind "$dir/log" /var/log/nginx
mount --bind "$dir/hosts" /etc/hosts
exec "$@"`

// command is a program on the machine. Its process becomes the program: what starts it can signal it.
func (h *Host) command(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{"netns", "exec", h.namespace, "sh", "-c", onHost, "sh", h.dir}, args...)
	cmd := exec.CommandContext(ctx, "ip", args...)
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	return cmd
}

// Try runs a program for at most half a minute and returns what it prints, on both streams.
func (h *Host) Try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, err := h.command(ctx, args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("on %s, %s: %w\n%s", h.Name, strings.Join(args, " "), err, out)
	}
	return string(out), err
}

// Run is Try for a program that must succeed.
func (h *Host) Run(args ...string) string {
	h.rig.Helper()
	out, err := h.Try(args...)
	if err != nil {
		h.rig.Fatal(err)
	}
	return out
}

// Dial connects from the machine to an address, which is not a name.
func (h *Host) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	// The namespace is the thread's. A socket stays in the one that it was made in.
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	defer home.Close()
	if err := unix.Setns(int(h.file.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return nil, errors.Join(err, back) // the thread stays locked, so it ends with its goroutine
	}
	runtime.UnlockOSThread()
	return conn, err
}

// Process is a server on a machine. It ends with the test.
type Process struct {
	host   *Host
	args   []string
	env    []string
	cmd    *exec.Cmd
	output *bytes.Buffer
	ended  chan struct{}
}

// Start runs a server.
func (h *Host) Start(env []string, args ...string) *Process {
	h.rig.Helper()
	p := &Process{host: h, args: args, env: env}
	h.rig.Cleanup(func() {
		p.Kill()
		if h.rig.Failed() {
			h.rig.Logf("%s on %s said last:\n%s", filepath.Base(args[0]), h.Name, tail(p.output.String(), 6))
		}
	})
	p.Restart()
	return p
}

// Restart starts the server again after it ended.
func (p *Process) Restart() {
	p.host.rig.Helper()
	cmd := p.host.command(context.Background(), p.args...)
	cmd.Env = append(cmd.Env, p.env...)
	p.output = new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = p.output, p.output
	if err := cmd.Start(); err != nil {
		p.host.rig.Fatal(err)
	}
	p.cmd, p.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(p.ended)
}

// Signal sends a signal to the server's process.
func (p *Process) Signal(s syscall.Signal) {
	p.host.rig.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.host.rig.Fatalf("signal %v to %s on %s: %v", s, p.args[0], p.host.Name, err)
	}
}

// Kill ends the server as a crash does, and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// Stop ends the server as its service manager does, and waits for its end.
func (p *Process) Stop() {
	p.host.rig.Helper()
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		p.host.rig.Fatalf("%s on %s does not stop", p.args[0], p.host.Name)
	}
}

// Running reports whether the server has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// tail is the last lines of a text.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
