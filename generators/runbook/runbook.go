// Package runbook writes RUNBOOK.md: what operators of one cluster need at hand, with its own names and addresses. It
// tells of what the spec's targets write and of nothing else.
package runbook

import (
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Target is RUNBOOK.md.
var Target = target.Target{
	Name:   "runbook",
	Doc:    "RUNBOOK.md: rollout, draining, bypass, what to do about each alert",
	Render: render,
}

func render(t *topology.Topology, _ *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	b := &book{Topology: t}
	b.text.Grow(32 << 10)
	b.block(comment(header)...)
	b.overview()
	b.setup()
	b.rollout()
	b.rollback()
	b.drain()
	b.single()
	b.bypass()
	b.alerts()
	return []target.Artifact{{Path: "RUNBOOK.md", Data: b.text.Bytes()}}, nil
}

// comment is the header where readers of the page do not see it.
func comment(header target.Header) []string {
	var out []string
	for _, l := range header.Lines() {
		out = append(out, "<!-- "+strings.ReplaceAll(l, "-->", "--")+" -->")
	}
	return out
}

// book is one cluster's runbook while it is written.
type book struct {
	page
	*topology.Topology
}

// has reports whether the spec enables a target.
func (b *book) has(target string) bool { return slices.Contains(b.Targets, target) }

// proxy is what a target writes, or nil.
func (b *book) proxy(target string) *topology.Proxy {
	for i := range b.Proxies {
		if b.Proxies[i].Target == target {
			return &b.Proxies[i]
		}
	}
	return nil
}

func (b *book) tls() bool { return b.Etcd.Scheme.V == "https" }

// ending is a listener that ends the clients' TLS, or nil.
func (b *book) ending() *topology.Listener {
	for _, p := range b.Proxies {
		for i := range p.Listeners {
			if p.Listeners[i].TLS.V {
				return &p.Listeners[i]
			}
		}
	}
	return nil
}

// local reports whether the proxies listen for their own machine only.
func (b *book) local() bool {
	for _, p := range b.Proxies {
		for _, l := range p.Listeners {
			if !l.Metrics && len(l.Binds) > 0 {
				return !slices.ContainsFunc(l.Binds, func(a topology.Bind) bool { return !a.Addr.V.IsLoopback() })
			}
		}
	}
	return false
}

// machines is where the proxies run, as a sentence names it.
func (b *book) machines() string {
	switch {
	case b.local():
		return "each machine that clients run on"
	case len(b.Nodes) > 0:
		var names []string
		for _, n := range b.Nodes {
			names = append(names, n.Name.V)
		}
		return codes(names)
	}
	return "each load balancer machine"
}

// healthOfBalancer asks through the load balancer whether etcd works.
func (b *book) healthOfBalancer() string {
	return etcdctl([]string{b.BalancerURL()}, "endpoint health")
}

// direct is a command at the members that serve clients.
func (b *book) direct(command string) string { return etcdctl(b.Etcd.DirectURLs(), command) }

func etcdctl(endpoints []string, command string) string {
	return "etcdctl --endpoints=" + word(strings.Join(endpoints, ",")) + " " + command
}

// example is the member that commands are shown for: one that serves clients.
func (b *book) example() topology.Member {
	i := slices.IndexFunc(b.Etcd.Members, func(m topology.Member) bool { return !m.Learner.V && !m.Drain.V })
	return b.Etcd.Members[max(i, 0)]
}

// serving counts the members that get new clients.
func (b *book) serving() int {
	n := 0
	for _, m := range b.Etcd.Members {
		if !m.Learner.V && !m.Drain.V {
			n++
		}
	}
	return n
}
