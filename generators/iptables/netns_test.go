package iptables

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// helperEnv makes the test binary act inside a namespace instead of running tests.
const helperEnv = "ETCDLBGEN_NETNS_HELPER"

func TestMain(m *testing.M) {
	switch os.Getenv(helperEnv) {
	case "":
		os.Exit(m.Run())
	case "serve":
		serve(os.Args[1:])
	case "dial":
		dial(os.Args[1:])
	case "receive":
		receive()
	case "announce":
		announceTo(os.Args[1], os.Args[2])
	}
}

// serve accepts connections on addresses until standard input ends.
func serve(addresses []string) {
	for _, a := range addresses {
		l, err := net.Listen("tcp", a)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_ = c.Close()
			}
		}()
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// dial prints for each address whether it accepts, refuses or is silent.
func dial(addresses []string) {
	for _, a := range addresses {
		c, err := net.DialTimeout("tcp", a, 3*time.Second)
		switch {
		case err == nil:
			_ = c.Close()
			fmt.Println(a, "accepted")
		case errors.Is(err, syscall.ECONNREFUSED):
			fmt.Println(a, "refused")
		default:
			fmt.Println(a, "silent")
		}
	}
}

// receive prints the first VRRP payload that arrives.
func receive() {
	c, err := net.ListenPacket("ip4:"+vrrpNumber, "0.0.0.0")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	buf := make([]byte, 100)
	n, _, err := c.ReadFrom(buf)
	fmt.Println(string(buf[:n]), err)
}

// announceTo sends a payload as VRRP.
func announceTo(address, payload string) {
	c, err := net.Dial("ip4:"+vrrpNumber, address)
	if err == nil {
		_, err = c.Write([]byte(payload))
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// netns is a network namespace: a machine of its own.
type netns struct {
	t    testing.TB
	name string
	path string // a folder that comes first in PATH, "" for none
}

var namespaces atomic.Int64

// newNetns makes a namespace that goes away with the test.
func newNetns(t testing.TB) *netns {
	t.Helper()
	for _, tool := range []string{"ip", "iptables-restore", "ip6tables-restore"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, tool)
		}
	}
	n := &netns{t: t, name: fmt.Sprintf("etcdlb-%d-%d", os.Getpid(), namespaces.Add(1))}
	if out, err := exec.Command("ip", "netns", "add", n.name).CombinedOutput(); err != nil {
		missing(t, "the right to make network namespaces ("+strings.TrimSpace(string(out))+")")
	}
	t.Cleanup(func() {
		if out, err := exec.Command("ip", "netns", "del", n.name).CombinedOutput(); err != nil {
			t.Errorf("namespace %s stays: %s", n.name, out)
		}
	})
	n.must("ip", "link", "set", "lo", "up")
	return n
}

// command is a program inside the namespace.
func (n *netns) command(args ...string) *exec.Cmd {
	c := exec.Command("ip", append([]string{"netns", "exec", n.name}, args...)...)
	c.Env = os.Environ()
	if n.path != "" {
		c.Env = append(c.Env, "PATH="+n.path+":"+os.Getenv("PATH"))
	}
	return c
}

// must runs a program that has to succeed, and returns what it prints.
func (n *netns) must(args ...string) string {
	n.t.Helper()
	out, err := n.command(args...).CombinedOutput()
	if err != nil {
		n.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// helper is this test binary as a helper inside the namespace.
func (n *netns) helper(what string, args ...string) *exec.Cmd {
	n.t.Helper()
	self, err := os.Executable()
	if err != nil {
		n.t.Fatal(err)
	}
	c := n.command(append([]string{self}, args...)...)
	c.Env = append(c.Env, helperEnv+"="+what)
	return c
}

// start runs a helper that says when it is ready, and ends with the test.
func (n *netns) start(what string, args ...string) *bufio.Reader {
	n.t.Helper()
	c := n.helper(what, args...)
	stdin, err := c.StdinPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		_ = stdin.Close()
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	r := bufio.NewReader(stdout)
	if line, _ := r.ReadString('\n'); line != "ready\n" {
		n.t.Fatalf("%s: %s", what, line)
	}
	return r
}

// dials compares what dialing from the namespace gives with what it should.
func (n *netns) dials(want map[string]string) {
	n.t.Helper()
	var addresses []string
	for a := range want {
		addresses = append(addresses, a)
	}
	out, err := n.helper("dial", addresses...).Output()
	if err != nil {
		n.t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		address, got, _ := strings.Cut(strings.TrimSpace(line), " ")
		if got != want[address] {
			n.t.Errorf("from %s to %s: %s, want %s", n.name, address, got, want[address])
		}
		delete(want, address)
	}
	if len(want) > 0 {
		n.t.Errorf("no answer about %v", want)
	}
}

// lan is a switch with machines on it.
type lan struct {
	hub  *netns
	size int
}

func newLAN(t testing.TB) *lan {
	t.Helper()
	l := &lan{hub: newNetns(t)}
	l.hub.must("ip", "link", "add", "br0", "type", "bridge")
	l.hub.must("ip", "link", "set", "br0", "up")
	return l
}

// machine is a new machine on the network with these addresses.
func (l *lan) machine(addresses ...string) *netns {
	l.hub.t.Helper()
	n := newNetns(l.hub.t)
	l.size++
	port := fmt.Sprintf("p%d", l.size)
	l.hub.must("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", n.name)
	l.hub.must("ip", "link", "set", port, "master", "br0", "up")
	n.must("ip", "link", "set", "eth0", "up")
	for _, a := range addresses {
		args := []string{"ip", "address", "add", a, "dev", "eth0"}
		if strings.Contains(a, ":") {
			args = append(args, "nodad")
		}
		n.must(args...)
	}
	return n
}

// legacy makes the namespace's iptables the one of old kernels.
func (n *netns) legacy() {
	n.t.Helper()
	n.path = n.t.TempDir()
	for _, tool := range []string{"iptables", "ip6tables"} {
		for _, what := range []string{"", "-restore", "-save"} {
			real, err := exec.LookPath(tool + "-legacy" + what)
			if err != nil {
				missing(n.t, tool+"-legacy"+what)
			}
			n.shim(tool+what, "exec "+real+` "$@"`)
		}
	}
}

// shim puts a program of this name and shell text before all others.
func (n *netns) shim(name, text string) {
	n.t.Helper()
	if err := os.WriteFile(filepath.Join(n.path, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		n.t.Fatal(err)
	}
}
