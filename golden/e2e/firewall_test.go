//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// filters are the targets whose rules machines may have.
var filters = []string{"iptables", "nftables"}

// Firewall applies the rules that a target built for a kind of machine, "members" or "nodes", as its operator does.
func (h *Host) Firewall(b *Built, target, kind string) {
	h.rig.Helper()
	if target == "nftables" {
		h.Run("nft", "-f", b.Path("nftables/"+kind+".nft"))
		return
	}
	h.Run(b.Path("iptables/"+kind+"/apply.sh"), "apply")
}

// connects reports how a machine answers another: "accepted", "refused" or "silent".
func connects(from *Host, address, port string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	conn, err := from.Dial(ctx, "tcp", net.JoinHostPort(address, port))
	switch {
	case err == nil:
		conn.Close()
		return "accepted"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	}
	return "silent"
}

// access is which of some ports a machine reaches.
type access struct {
	from  *Host
	ports string // those it reaches, such as "2379 2381"
}

// admits compares who reaches which of these ports with who may.
func admits(t *testing.T, when, address, ports string, want []access) {
	t.Helper()
	for _, a := range want {
		for port := range strings.FieldsSeq(ports) {
			expected := "refused"
			if strings.Contains(a.ports, port) {
				expected = "accepted"
			}
			if got := connects(a.from, address, port); got != expected {
				t.Errorf("%s: from %s to [%s]:%s: %s, want %s", when, a.from.Name, address, port, got, expected)
			}
		}
	}
}

// town is a cluster with its load balancer and everybody who might want to reach it.
type town struct {
	*Cluster
	built                               *Built
	haproxy                             *Proxy
	client, monitor, operator, stranger *Host
}

func newTown(t *testing.T, s Spec) *town {
	r := NewRig(t)
	s.Version, s.Members, s.Nodes = Current(t).Version, 3, 1
	b := r.Build(s)
	town := &town{
		Cluster: r.Cluster(Current(t), b, 3), built: b,
		client:   r.Host("client", clientAddr, clientAddr6),
		monitor:  r.Host("monitor", monitorAddr),
		operator: r.Host("operator", operatorAddr),
		stranger: r.Host("stranger", strangerAddr, strangerAddr6),
	}
	town.haproxy = r.HAProxy(r.Host("lb-1", nodeAddr(0), nodeAddr6(0)), b.Path("haproxy/haproxy.cfg"))
	r.Move(vip, town.haproxy.Host)
	return town
}

// memberPorts are what a member listens on.
const memberPorts = "2379 2380 2381"

// all are who reaches a machine before there are rules.
func (w *town) all(v6 bool, ports string) []access {
	var out []access
	for _, h := range []*Host{w.haproxy.Host, w.Members[1].Host, w.client, w.stranger, w.monitor, w.operator} {
		if !v6 || len(h.Addresses) > 1 {
			out = append(out, access{h, ports})
		}
	}
	return out
}

// The built rules admit whom the spec names and refuse everybody else, on members and on the load balancer, in both
// families, however often they are applied; who is connected stays so.
func TestFirewall(t *testing.T) {
	for _, target := range filters {
		t.Run(target, func(t *testing.T) { firewall(t, target) })
	}
}

func firewall(t *testing.T, target string) {
	const nodePorts = "2379 8405"
	w := newTown(t, Spec{More: []string{"targets: nftables: {}"}})
	member, sibling, node := w.Members[0], w.Members[1].Host, w.haproxy.Host
	admits(t, "without rules", member.Addr(), memberPorts, w.all(false, memberPorts))
	admits(t, "without rules", member.Addresses[1], memberPorts, w.all(true, memberPorts))
	admits(t, "without rules", node.Addr(), nodePorts, w.all(false, nodePorts))
	admits(t, "without rules", node.Addresses[1], nodePorts, w.all(true, nodePorts))
	// The kernel knows who is connected from when the first rule asks it: most machines have such a rule.
	member.Host.Run("iptables", "-A", "INPUT", "-m", "conntrack", "--ctstate", "RELATED", "-j", "ACCEPT")
	early, through := w.Direct(w.stranger, member), w.Client(w.client, vip)
	defer early.Close()
	defer through.Close()
	works(t, w.Cluster, "connected before", get(early))
	works(t, w.Cluster, "connected before", get(through))
	unseen := w.Direct(w.stranger, w.Members[1]) // which has no such rule
	defer unseen.Close()
	works(t, w.Cluster, "connected before", get(unseen))

	for _, when := range []string{"applied", "applied twice"} {
		for _, m := range w.Members {
			m.Firewall(w.built, target, "members")
		}
		node.Firewall(w.built, target, "nodes")
		admits(t, when, member.Addr(), memberPorts, []access{
			{node, "2379 2381"},
			{sibling, "2379 2380"},
			{member.Host, memberPorts},
			{w.monitor, "2381"},
			{w.operator, "2379"},
			{w.client, ""},
			{w.stranger, ""},
		})
		admits(t, when, member.Addresses[1], memberPorts, []access{
			{node, "2379 2381"},
			{sibling, "2379 2380"},
			{member.Host, memberPorts},
			{w.client, ""},
			{w.stranger, ""},
		})
		for _, address := range node.Addresses[:2] {
			admits(t, when, address, nodePorts, []access{{node, nodePorts}, {sibling, ""}, {w.client, "2379"}, {w.stranger, ""}})
		}
		admits(t, when, node.Addr(), nodePorts, []access{{w.monitor, "8405"}, {w.operator, ""}})
		works(t, w.Cluster, when+", connected before to a member", get(early))
		works(t, w.Cluster, when+", connected before to the load balancer", get(through))
		cut(t, when+", connected to a member that observed nobody", get(unseen))
		for _, endpoint := range []string{"https://127.0.0.1:2379", "https://[::1]:2379"} {
			if out, err := w.Ctl(member.Host, endpoint, "endpoint", "health"); err != nil {
				t.Errorf("%s: etcdctl on a member at %s: %v %s", when, endpoint, err, out)
			}
		}
		if out, err := w.Ctl(w.client, "https://"+lbHost+":2379", "put", "greeting", when); err != nil {
			t.Errorf("%s: a client through the load balancer: %v %s", when, err, out)
		}
	}
}

// Rules that only observe refuse nobody, and count who would be. Who said something under them stays connected when
// they are enforced.
func TestFirewallObserves(t *testing.T) {
	for _, target := range filters {
		t.Run(target, func(t *testing.T) { firewallObserves(t, target) })
	}
}

func firewallObserves(t *testing.T, target string) {
	w := newTown(t, Spec{More: []string{`targets: {iptables: mode: "observe", nftables: mode: "observe"}`}})
	member := w.Members[0]
	early := w.Direct(w.stranger, member)
	defer early.Close()
	works(t, w.Cluster, "connected before", get(early))
	member.Firewall(w.built, target, "members")
	works(t, w.Cluster, "observed, connected before", get(early))
	admits(t, "observed", member.Addr(), memberPorts, w.all(false, memberPorts))
	admits(t, "observed", member.Addresses[1], memberPorts, w.all(true, memberPorts))
	if target == "nftables" {
		seen := regexp.MustCompile(`log prefix "etcd-rig "\s+meta l4proto tcp counter packets [1-9][0-9]* bytes [0-9]+ accept`)
		if out := member.Host.Run("nft", "list", "table", "inet", "etcd-rig"); !seen.MatchString(out) {
			t.Errorf("nothing was logged:\n%s", out)
		}
	} else {
		logged(t, member.Host)
	}
	enforced := w.Build(Spec{Version: w.Etcd.Version, Members: 3, Nodes: 1, More: []string{"targets: nftables: {}"}})
	member.Firewall(enforced, target, "members")
	works(t, w.Cluster, "enforced, connected before", get(early))
	admits(t, "enforced", member.Addr(), memberPorts, []access{{w.stranger, ""}})
}

// logged holds that iptables counted, in both families, who would be refused.
func logged(t *testing.T, h *Host) {
	t.Helper()
	logged := regexp.MustCompile(`(?m)^\[[1-9][0-9]*:[0-9]+\] -A etcd-rig .* -j LOG `)
	for _, save := range []string{"iptables-save", "ip6tables-save"} {
		if out := h.Run(save, "-c"); !logged.MatchString(out) {
			t.Errorf("nothing was logged:\n%s", out)
		}
	}
}

// works lets a client do one operation.
func works(t *testing.T, c *Cluster, what string, operation func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := operation(ctx); err != nil {
		t.Error(fmt.Errorf("%s, on etcd %s: %w", what, c.Etcd.Version, err))
	}
}

// cut holds that a client cannot do an operation.
func cut(t *testing.T, what string, operation func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), slowness)
	defer cancel()
	if err := operation(ctx); err == nil {
		t.Errorf("%s: still connected", what)
	}
}
