//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const vip6 = "fd00::100"

// router is a node of the load balancer with its proxy and keepalived.
type router struct {
	*Proxy
	keepalived *Process
	log        string // of keepalived
}

// has reports whether the machine has an address.
func (h *Host) has(address string) bool {
	out, err := exec.Command("ip", "-n", h.namespace, "address", "show", "to", address).Output()
	return err == nil && len(out) > 0
}

// pair is a cluster behind two nodes, of which one has the addresses that clients dial.
type pair struct {
	*Cluster
	routers []*router
	clients map[string]*clientv3.Client // held connections, by the address they dial
}

func newPair(t *testing.T, proxy string) *pair {
	r := NewRig(t)
	v := Current(t)
	b := r.Build(Spec{Version: v.Version, Members: 3, Nodes: 2, More: []string{
		"loadBalancer: vip6: \"" + vip6 + "\"\ntargets: keepalived: {virtualRouterID: 77, proxy: \"" + proxy + "\"}\n",
	}})
	p := &pair{Cluster: r.Cluster(v, b, 3), clients: map[string]*clientv3.Client{}}
	for i := range 2 {
		h := r.Host(fmt.Sprintf("lb-%d", i+1), nodeAddr(i), nodeAddr6(i))
		node := &router{}
		if proxy == "haproxy" {
			node.Proxy = r.HAProxy(h, b.Path("haproxy/haproxy.cfg"))
		} else {
			node.Proxy = r.NGINX(h, b.Path("nginx/nginx.conf"))
		}
		node.log = filepath.Join(h.dir, "keepalived.log")
		node.keepalived = h.Start([]string{"LOG=" + node.log}, "sh", "-c", `exec "$@" >"$LOG" 2>&1`, "sh",
			need(t, "keepalived"), "--dont-fork", "--log-console", "--log-detail", "--use-file", b.Path("keepalived/"+h.Name+"/keepalived.conf"))
		p.routers = append(p.routers, node)
	}
	client := r.Host("client", clientAddr, clientAddr6)
	p.eventually(30*time.Second, "somebody has the addresses", func() error { return p.settled(nil) })
	for _, address := range []string{vip, vip6} {
		p.clients[address] = p.Client(client, address)
		t.Cleanup(func() { p.clients[address].Close() })
	}
	return p
}

// settled tells what is wrong unless both addresses are on one machine, which is the one that is wanted, if any.
func (p *pair) settled(want *router) error {
	var holders []string
	for _, node := range p.routers {
		for _, address := range []string{vip, vip6} {
			if node.Host.has(address) {
				holders = append(holders, node.Host.Name)
			}
		}
	}
	switch {
	case len(holders) != 2 || holders[0] != holders[1]:
		return fmt.Errorf("the addresses are on %v", holders)
	case want != nil && holders[0] != want.Host.Name:
		return fmt.Errorf("the addresses are on %s, not on %s", holders[0], want.Host.Name)
	}
	return nil
}

// holder is the node that has the addresses, and the other one.
func (p *pair) holder() (holder, other *router) {
	for i, node := range p.routers {
		if node.Host.has(vip) {
			return node, p.routers[1-i]
		}
	}
	p.Fatal("nobody has the address")
	return nil, nil
}

// served waits until each held client gets an answer through the address it dials.
func (p *pair) served(what string) {
	p.Helper()
	for address, cli := range p.clients {
		p.eventually(30*time.Second, what+", a client of "+address, func() error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_, err := cli.Get(ctx, "greeting")
			return err
		})
	}
}

// moves makes a fault on the node that has the addresses. They go to the other one, and clients follow.
func (p *pair) moves(what string, fault func(*router)) (from, to *router) {
	p.Helper()
	from, to = p.holder()
	p.served("before: " + what)
	start := time.Now()
	fault(from)
	p.eventually(30*time.Second, what, func() error {
		if !to.Host.has(vip) || !to.Host.has(vip6) {
			return errors.New("the other node has not both addresses")
		}
		return nil
	})
	moved := time.Since(start)
	p.served(what)
	p.Logf("%s: the addresses moved after %.1f s, all clients were back after %.1f s", what, moved.Seconds(), time.Since(start).Seconds())
	return from, to
}

// stays starts what had failed again: the addresses stay where they are.
func (p *pair) stays(what string, repaired, holder *router, repair func()) {
	p.Helper()
	said := repaired.said("Entering BACKUP STATE")
	repair()
	p.eventually(30*time.Second, what+": the node is back", func() error {
		if repaired.said("Entering BACKUP STATE") <= said {
			return errors.New("it is not ready to take over")
		}
		return nil
	})
	time.Sleep(5 * time.Second) // longer than the silence after which a node takes over
	if err := p.settled(holder); err != nil {
		p.Errorf("%s: %v", what, err)
	}
	p.served(what)
}

// The addresses that clients dial move to the other node when the proxy or the machine that had them fails, and stay
// there when it is back.
func TestAddressesMove(t *testing.T) {
	for _, proxy := range []string{"haproxy", "nginx"} {
		t.Run(proxy, func(t *testing.T) {
			p := newPair(t, proxy)
			from, to := p.moves(proxy+" killed", func(node *router) { node.all(syscall.SIGKILL) })
			<-from.Proxy.ended
			p.stays(proxy+" started again", from, to, from.Proxy.Process.Restart)

			from, to = p.moves(proxy+" hung", func(node *router) { node.all(syscall.SIGSTOP) })
			p.stays(proxy+" goes on", from, to, func() { from.all(syscall.SIGCONT) })

			from, to = p.moves("link lost", func(node *router) { p.hub.ip("link", "set", node.port, "down") })
			p.stays("link back", from, to, func() { p.hub.ip("link", "set", from.port, "up") })

			p.moves("keepalived stopped", func(node *router) { node.keepalived.Stop() })
		})
	}
}

// said counts how often the node's keepalived said something.
func (r *router) said(what string) int {
	r.rig.Helper()
	data, err := os.ReadFile(r.log)
	if err != nil {
		r.rig.Fatal(err)
	}
	return strings.Count(string(data), what)
}

// all sends a signal to the proxy's first process and to those that this one started.
func (r *router) all(s syscall.Signal) {
	r.rig.Helper()
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(r.Proxy.cmd.Process.Pid)).Output()
	if err != nil {
		r.rig.Fatal(err)
	}
	r.Proxy.Signal(s)
	for _, field := range strings.Fields(string(out)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			r.rig.Fatal(err)
		}
		if err := syscall.Kill(pid, s); err != nil {
			r.rig.Fatal(err)
		}
	}
}
