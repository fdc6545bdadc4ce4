//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Fault is something that goes wrong, or that operators do.
type Fault struct {
	Name string
	// Make lets it happen, and returns which member it happened to, nil for all, and what ends it.
	Make func(c *Cluster, proxies []*Proxy) (*Member, func())
	// Brief faults are over once they are made.
	Brief bool
}

const (
	killed   = "member killed"
	hung     = "member hung"
	apart    = "member cut off"
	full     = "space alarm"
	rolling  = "rolling restart"
	reloaded = "proxy reload"
)

// harmless are those through which a proxy gets its clients even if it only connects to members, with the share of
// operations that may fail: etcd itself drops some when it stops.
var harmless = map[string]float64{full: 0, reloaded: 0, rolling: 0.01}

// Faults are those that a load balancer has to get its clients through.
var Faults = []Fault{
	{Name: "leader killed", Make: func(c *Cluster, _ []*Proxy) (*Member, func()) { return c.kill(c.Leader()) }},
	{Name: killed, Make: func(c *Cluster, _ []*Proxy) (*Member, func()) { return c.kill(c.Follower()) }},
	{Name: hung, Make: hang},
	{Name: apart, Make: cutOff},
	{Name: "no quorum on one", Make: isolate},
	{Name: full, Make: fill},
	{Name: rolling, Make: rollingRestart, Brief: true},
	{Name: reloaded, Make: reload, Brief: true},
}

func (c *Cluster) kill(m *Member) (*Member, func()) {
	m.Kill()
	return m, func() {
		m.Restart()
		c.ready(m)
	}
}

// hang stops a process that still holds its connections: the kernel goes on to accept for it.
func hang(c *Cluster, _ []*Proxy) (*Member, func()) {
	m := c.Follower()
	m.Signal(syscall.SIGSTOP)
	return m, func() {
		m.Signal(syscall.SIGCONT)
		c.ready(m)
	}
}

// cutOff loses all that goes between a member and the load balancers; its peers still reach it.
func cutOff(c *Cluster, proxies []*Proxy) (*Member, func()) {
	m := c.Follower()
	var nodes []string
	for _, p := range proxies {
		nodes = append(nodes, p.Addr())
	}
	set := "{ " + strings.Join(nodes, ", ") + " }"
	return m, m.drop("ip saddr "+set, "ip daddr "+set)
}

// isolate loses all that goes between a member and its peers.
func isolate(c *Cluster, _ []*Proxy) (*Member, func()) {
	m := c.Follower()
	heal := m.drop("tcp dport 2380", "tcp sport 2380")
	return m, func() {
		heal()
		c.ready(m)
	}
}

// drop loses packets in both directions that one of these expressions of nft fits, until what it returns is called.
func (h *Host) drop(expressions ...string) func() {
	h.rig.Helper()
	var rules []string
	for _, e := range expressions {
		rules = append(rules, e+" drop")
	}
	in, out := h.filter("input", rules...), h.filter("output", rules...)
	return func() {
		in()
		out()
	}
}

// filter adds rules of nft before all others, to a hook, until what it returns is called.
func (h *Host) filter(hook string, rules ...string) func() {
	h.rig.Helper()
	need(h.rig, "nft")
	h.Run("nft", fmt.Sprintf("table inet %s {\nchain fault {\ntype filter hook %[1]s priority -300\n%s\n}\n}",
		hook, strings.Join(rules, "\n")))
	return func() { h.Run("nft", "delete table inet "+hook) }
}

// fill writes until etcd takes no more, which it says for all members.
func fill(c *Cluster, _ []*Proxy) (*Member, func()) {
	c.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	cli := c.Direct(c.Members[0].Host, c.Members[0])
	defer cli.Close()
	block := strings.Repeat("x", 1<<20)
	for {
		_, err := cli.Put(ctx, "ballast", block)
		if errors.Is(err, rpctypes.ErrNoSpace) {
			break
		}
		if err != nil {
			c.Fatal(err)
		}
	}
	return nil, c.makeRoom
}

// makeRoom is what an operator does on a space alarm.
func (c *Cluster) makeRoom() {
	c.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	cli := c.Direct(c.Members[0].Host, c.Members...)
	defer cli.Close()
	last, err := cli.Get(ctx, "ballast")
	if err != nil {
		c.Fatal(err)
	}
	if _, err := cli.Compact(ctx, last.Kvs[0].ModRevision, clientv3.WithCompactPhysical()); err != nil {
		c.Fatal(err)
	}
	for _, endpoint := range cli.Endpoints() {
		if _, err := cli.Defragment(ctx, endpoint); err != nil {
			c.Fatal(err)
		}
	}
	alarms, err := cli.AlarmList(ctx)
	if err != nil {
		c.Fatal(err)
	}
	for _, a := range alarms.Alarms {
		if _, err := cli.AlarmDisarm(ctx, &clientv3.AlarmMember{MemberID: a.MemberID, Alarm: pb.AlarmType_NOSPACE}); err != nil {
			c.Fatal(err)
		}
	}
}

// rollingRestart restarts one member after the other, as an upgrade does.
func rollingRestart(c *Cluster, _ []*Proxy) (*Member, func()) {
	for _, m := range c.Members {
		m.Stop()
		m.Restart()
		c.ready(m)
		time.Sleep(2 * time.Second) // until the load balancers have it back
	}
	return nil, func() {}
}

func reload(_ *Cluster, proxies []*Proxy) (*Member, func()) {
	for _, p := range proxies {
		p.Reload()
	}
	return nil, func() {}
}
