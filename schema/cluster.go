package schema

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Cluster is what the user asked for: one decoded spec, defaults applied, sorted.
type Cluster struct {
	Name     topology.Value[string]
	Etcd     topology.Etcd
	AltNames topology.Value[[]string]     // unknown where they are to be derived
	AltIPs   topology.Value[[]netip.Addr] // likewise

	LoadBalancer LoadBalancer
	Nodes        []topology.Node // nil where the spec lists none
	Clients      topology.Clients
	Monitoring   []topology.Value[netip.Prefix]
	Targets      map[string]*topology.Tree // the enabled targets with their options
	TargetsSpan  diag.Span                 // where they are chosen
	MembersSpan  diag.Span
	Span         diag.Span
}

// LoadBalancer is how clients reach the cluster.
type LoadBalancer struct {
	Host           topology.Value[string]
	VIP, VIP6      topology.Value[netip.Addr]
	Aliases        []topology.Value[string]
	Port           topology.Value[int]
	Mode           topology.Value[string]
	Placement      topology.Value[string]
	Listen         []topology.Value[netip.Addr]
	Balance        topology.Value[string]
	MaxConnections topology.Value[int]
	Connect        topology.Value[time.Duration]
	Idle           topology.Value[time.Duration]
	HardStopAfter  topology.Value[time.Duration]
	HealthCheck    HealthCheck
	Termination    *Termination // nil where the spec has no such block
	Span           diag.Span
}

// Termination is how the load balancer ends the clients' TLS and speaks to members in its own name.
type Termination struct {
	Listener topology.KeyPair // what clients are shown; its CA signs what they must present
	Backend  topology.KeyPair // what members are shown; its CA signs what they present
	Span     diag.Span
}

// HealthCheck is what the spec says of the check; what it leaves out is unknown.
type HealthCheck struct {
	Via         topology.Value[string]
	Path        topology.Value[string]
	Interval    topology.Value[time.Duration]
	Timeout     topology.Value[time.Duration]
	Fall, Rise  topology.Value[int]
	Certificate topology.KeyPair
	Span        diag.Span
}

// Local reports whether the proxy runs on each client's or member's machine.
func (lb LoadBalancer) Local() bool { return lb.Placement.V == "local" }

// implied are the targets of a spec that chooses none.
var implied = []string{"haproxy", "prometheus", "endpoints", "runbook"}

// decode makes a cluster of a checked tree. What a type of CUE cannot say of one value is checked here.
func decode(t *topology.Tree, diags *diag.List) *Cluster {
	d := decoder{diags}
	c := &Cluster{Span: t.Span, Targets: map[string]*topology.Tree{}}
	et := t.Get("cluster")
	c.Name = topology.Get[string](et, "name")
	c.Etcd = d.etcd(et)
	c.MembersSpan = et.Get("members").At(et.At(t.Span))
	tls := et.Get("tls")
	if f := tls.Get("altNames"); f != nil {
		c.AltNames = topology.SetAt([]string{}, f.Span)
		for _, n := range d.hosts(f) {
			c.AltNames.V = append(c.AltNames.V, n.V)
		}
	}
	if f := tls.Get("altIPs"); f != nil {
		c.AltIPs = topology.SetAt([]netip.Addr{}, f.Span)
		for _, a := range d.addrs(f) {
			c.AltIPs.V = append(c.AltIPs.V, a.V)
		}
	}
	c.LoadBalancer = d.loadBalancer(t.Get("loadBalancer"))
	if end := c.LoadBalancer.Termination; end != nil {
		end.Backend.CA = c.Etcd.TrustedCA
		if !end.Backend.CA.Known() { // one CA commonly signs both
			end.Backend.CA = topology.DefaultAt(end.Listener.CA.V, end.Listener.CA.Span)
		}
	}
	c.Nodes = d.nodes(t.Get("loadBalancer", "nodes"))
	c.Clients = d.clients(t.Get("clients"))
	c.Monitoring = d.prefixes(t.Get("monitoring", "networks"))
	c.TargetsSpan = t.Span
	if targets := t.Get("targets"); targets != nil {
		c.TargetsSpan = targets.Span
		for _, name := range targets.Keys() {
			c.Targets[name] = targets.Fields[name]
		}
		return c
	}
	sh, _ := spec()
	for _, name := range implied {
		options := &topology.Tree{Span: t.Span, Defaulted: true, Fields: map[string]*topology.Tree{}}
		for _, f := range sh.def("#Targets").byName[name].fields {
			if f.def != nil {
				options.Fields[f.name] = &topology.Tree{Leaf: f.def, Span: t.Span, Defaulted: true}
			}
		}
		c.Targets[name] = options
	}
	return c
}

// decoder turns leaves into typed values.
type decoder struct{ diags *diag.List }

func (d decoder) fail(t *topology.Tree, is, need string) {
	d.diags.Error(t.Span, "spec", fmt.Sprintf("%s %s; need %s", quote(t.Leaf), is, need), "")
}

func (d decoder) etcd(t *topology.Tree) topology.Etcd {
	ports, metrics, tls := t.Get("ports"), t.Get("metrics"), t.Get("tls")
	e := topology.Etcd{
		Version:        topology.Get[string](t, "version"),
		Scheme:         topology.Get[string](t, "scheme"),
		Auth:           topology.Get[bool](t, "auth"),
		ClientCertAuth: topology.Get[bool](tls, "clientCertAuth"),
		TrustedCA:      topology.Get[string](tls, "trustedCAFile"),
		ClientPort:     topology.Get[int](ports, "client"),
		PeerPort:       topology.Get[int](ports, "peer"),
		ClientHTTPPort: topology.Get[int](ports, "clientHTTP"),
		MetricsPort:    topology.Get[int](metrics, "port"),
		MetricsScheme:  topology.Get[string](metrics, "scheme"),
	}
	members := t.Get("members")
	for _, name := range members.Keys() {
		m := members.Fields[name]
		e.Members = append(e.Members, topology.Member{
			Name:       topology.SetAt(name, m.Span),
			Address:    d.addr(m.Get("address")),
			Address6:   d.addr(m.Get("address6")),
			Hostname:   d.host(m.Get("hostname")),
			Zone:       topology.Get[string](m, "zone"),
			Learner:    topology.Get[bool](m, "learner"),
			Drain:      topology.Get[bool](m, "drain"),
			ClientURLs: d.urls(m.Get("advertiseClientURLs")),
			PeerURLs:   d.urls(m.Get("initialAdvertisePeerURLs")),
			Span:       m.Span,
		})
	}
	return e
}

func (d decoder) loadBalancer(t *topology.Tree) LoadBalancer {
	timeouts, check := t.Get("timeouts"), t.Get("healthCheck")
	lb := LoadBalancer{
		Host:           d.host(t.Get("host")),
		VIP:            d.addr(t.Get("vip")),
		VIP6:           d.addr(t.Get("vip6")),
		Aliases:        d.hosts(t.Get("aliases")),
		Port:           topology.Get[int](t, "port"),
		Mode:           topology.Get[string](t, "mode"),
		Placement:      topology.Get[string](t, "placement"),
		Listen:         d.addrs(t.Get("listen")),
		Balance:        topology.Get[string](t, "balance"),
		MaxConnections: topology.Get[int](t, "maxConnections"),
		Connect:        d.duration(timeouts.Get("connect")),
		Idle:           d.duration(timeouts.Get("idle")),
		HardStopAfter:  d.duration(timeouts.Get("hardStopAfter")),
		HealthCheck: HealthCheck{
			Via:         topology.Get[string](check, "via"),
			Path:        topology.Get[string](check, "path"),
			Interval:    d.duration(check.Get("interval")),
			Timeout:     d.duration(check.Get("timeout")),
			Fall:        topology.Get[int](check, "fall"),
			Rise:        topology.Get[int](check, "rise"),
			Certificate: keyPair(check.Get("certificate")),
			Span:        check.Span,
		},
		Termination: termination(t.Get("termination")),
		Span:        t.Span,
	}
	return lb
}

func termination(t *topology.Tree) *Termination {
	if t == nil {
		return nil
	}
	out := &Termination{Listener: keyPair(t.Get("certificate")), Backend: keyPair(t.Get("backendCertificate")), Span: t.Span}
	out.Listener.CA = topology.Get[string](t, "clientCA")
	return out
}

func (d decoder) nodes(t *topology.Tree) []topology.Node {
	var nodes []topology.Node
	for _, name := range t.Keys() {
		n := t.Fields[name]
		nodes = append(nodes, topology.Node{
			Name:      topology.SetAt(name, n.Span),
			Address:   d.addr(n.Get("address")),
			Address6:  d.addr(n.Get("address6")),
			Interface: topology.Get[string](n, "interface"),
			Priority:  topology.Get[int](n, "priority"),
			Span:      n.Span,
		})
	}
	return nodes
}

func (d decoder) clients(t *topology.Tree) topology.Clients {
	c := topology.Clients{
		Networks:       d.prefixes(t.Get("networks")),
		Direct:         d.prefixes(t.Get("direct")),
		KubeAPIServers: d.addrs(t.Get("kubeApiServers")),
		Certificate:    keyPair(t.Get("certificate")),
	}
	for _, a := range c.KubeAPIServers {
		c.Networks = append(c.Networks, topology.SetAt(netip.PrefixFrom(a.V, a.V.BitLen()), a.Span))
	}
	if k := t.Get("keepalive"); k != nil {
		if k.Leaf == "none" {
			c.Keepalive = topology.SetAt(topology.Never, k.Span)
		} else {
			c.Keepalive = d.duration(k)
		}
	}
	return c
}

func keyPair(t *topology.Tree) topology.KeyPair {
	return topology.KeyPair{
		CA:   topology.Get[string](t, "ca"),
		Cert: topology.Get[string](t, "cert"),
		Key:  topology.Get[string](t, "key"),
	}
}

// addr is an address in canonical form: an IPv4 one in IPv6 clothes is IPv4.
func (d decoder) addr(t *topology.Tree) topology.Value[netip.Addr] {
	if t == nil {
		return topology.Value[netip.Addr]{}
	}
	a, err := netip.ParseAddr(t.Leaf.(string))
	if err != nil {
		d.fail(t, "is no address", "an IPv4 or IPv6 address, without a zone")
	}
	return topology.SetAt(a.Unmap(), t.Span)
}

func (d decoder) addrs(t *topology.Tree) []topology.Value[netip.Addr] { return each(t, d.addr) }

// host is a DNS name in lower case, or an address in canonical form.
func (d decoder) host(t *topology.Tree) topology.Value[string] {
	if t == nil {
		return topology.Value[string]{}
	}
	return topology.SetAt(topology.CanonicalHost(t.Leaf.(string)), t.Span)
}

func (d decoder) hosts(t *topology.Tree) []topology.Value[string] { return each(t, d.host) }

func (d decoder) urls(t *topology.Tree) []topology.Value[string] {
	return each(t, func(t *topology.Tree) topology.Value[string] {
		return topology.SetAt(t.Leaf.(string), t.Span)
	})
}

func (d decoder) prefixes(t *topology.Tree) []topology.Value[netip.Prefix] {
	return each(t, func(t *topology.Tree) topology.Value[netip.Prefix] {
		p, err := netip.ParsePrefix(t.Leaf.(string))
		switch {
		case err != nil || p.Addr().Is4In6():
			d.fail(t, "is no network", `one such as "10.0.2.0/24"`)
		case p != p.Masked():
			d.fail(t, "has bits set in the host part, so it is not clear which network is meant",
				fmt.Sprintf("%q for the network or %q for the one address", p.Masked(), netip.PrefixFrom(p.Addr(), p.Addr().BitLen())))
		}
		return topology.SetAt(p.Masked(), t.Span)
	})
}

// longest is what HAProxy's and NGINX's timers hold without overflow.
const longest = 24 * 24 * time.Hour

func (d decoder) duration(t *topology.Tree) topology.Value[time.Duration] {
	if t == nil {
		return topology.Value[time.Duration]{}
	}
	v, err := time.ParseDuration(t.Leaf.(string))
	switch {
	case err != nil || v > longest:
		d.fail(t, "is longer than proxies can count", "at most 24 days (576h)")
	case v <= 0:
		d.fail(t, "is no time at all", `a positive duration, such as "30s"`)
	case v%time.Millisecond != 0:
		d.fail(t, "is finer than a millisecond, which no proxy counts", "whole milliseconds")
	}
	if t.Defaulted {
		return topology.DefaultAt(v, t.Span)
	}
	return topology.SetAt(v, t.Span)
}

func each[T any](t *topology.Tree, decode func(*topology.Tree) topology.Value[T]) []topology.Value[T] {
	if t == nil {
		return nil
	}
	out := make([]topology.Value[T], 0, len(t.List))
	for _, e := range t.List {
		out = append(out, decode(e))
	}
	return out
}
