package keepalived

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func parse(src target.Source) (*topology.Topology, diag.List) {
	t := &topology.Topology{Format: name, Span: diag.Span{File: src.Path}}
	known := scripts{}
	var instances []*node
	for _, f := range src.Files {
		for _, n := range tree(f) {
			switch n.keyword() {
			case "vrrp_instance":
				if !n.maybe {
					instances = append(instances, n)
				}
			case "vrrp_script":
				known[n.word(1).text] = n
			}
		}
	}
	for _, n := range instances {
		v := instance(n)
		v.Check = known.check(n)
		t.VRRP = append(t.VRRP, v)
	}
	return t, nil
}

// defaultPriority is that of an instance that names none.
const defaultPriority = 100

// instance reads one that all machines have.
func instance(n *node) topology.VRRP {
	v := topology.VRRP{Span: n.span()}
	if len(n.words) > 1 {
		v.Name = known(n.word(1))
	}
	if whole(n) {
		v.State = topology.DefaultAt("BACKUP", v.Span)
		v.Priority = topology.DefaultAt(defaultPriority, v.Span)
		v.NoPreempt = topology.DefaultAt(false, v.Span)
		v.Unicast = topology.DefaultAt(false, v.Span)
		v.Password = topology.DefaultAt("", v.Span)
	}
	seen := map[string]bool{}
	for _, c := range n.block {
		setting(&v, c, seen[c.keyword()])
		seen[c.keyword()] = true
	}
	return v
}

// setting takes in one line of an instance, which may be one of several of its kind.
func setting(v *topology.VRRP, c *node, again bool) {
	switch c.keyword() {
	case "interface":
		take(&v.Interface, known(c.word(1)), again)
	case "state":
		take(&v.State, known(c.word(1)), again)
	case "virtual_router_id":
		take(&v.RouterID, octet(c.word(1)), again)
	case "priority":
		take(&v.Priority, octet(c.word(1)), again)
	case "nopreempt":
		take(&v.NoPreempt, flag(c), again)
	case "unicast_src_ip":
		take(&v.Source, address(c.word(1)), again)
	case "unicast_peer":
		take(&v.Unicast, unicast(c), again)
		for _, peer := range c.block {
			v.Peers = append(v.Peers, address(peer.word(0)))
		}
	case "authentication":
		take(&v.Password, password(c, v.Password), again)
	case "virtual_ipaddress", "virtual_ipaddress_excluded":
		for _, a := range c.block {
			a.maybe = a.maybe || c.maybe
			v.Addresses = append(v.Addresses, prefix(a.word(0)))
		}
	}
}

// take sets a fact. Lines that contradict each other are the branches of a template: which one counts is unknown.
func take[T comparable](to *topology.Value[T], v topology.Value[T], again bool) {
	if again && (!to.Known() || to.V != v.V) {
		v = topology.UnknownAt[T](v.Span)
	}
	*to = v
}

// whole reports whether all lines of a block are seen: none is another file's, a parameter's or a loop's.
func whole(n *node) bool {
	return !slices.ContainsFunc(n.block, func(c *node) bool {
		return c.keyword() == "" || strings.HasPrefix(c.keyword(), "include")
	})
}

// flag is a word alone, which is unknown where it is for some machines only.
func flag(c *node) topology.Value[bool] {
	if c.maybe {
		return topology.UnknownAt[bool](c.span())
	}
	return topology.SetAt(true, c.span())
}

// unicast is unknown where it is for some machines only, or names no peer.
func unicast(c *node) topology.Value[bool] {
	if c.maybe || len(c.block) == 0 {
		return topology.UnknownAt[bool](c.span())
	}
	return topology.SetAt(true, c.span())
}

// password is that of an authentication block, or what holds without one.
func password(c *node, otherwise topology.Value[string]) topology.Value[string] {
	if c.maybe || !whole(c) {
		otherwise = topology.UnknownAt[string](c.span())
	}
	for _, line := range c.block {
		if line.keyword() == "auth_pass" {
			line.maybe = line.maybe || c.maybe
			otherwise = known(line.word(1))
		}
	}
	return otherwise
}

func known(w word) topology.Value[string] {
	if w.unknown {
		return topology.UnknownAt[string](w.at)
	}
	return topology.SetAt(w.text, w.at)
}

// octet is a number from 1 to 255. keepalived refuses others.
func octet(w word) topology.Value[int] {
	n, err := strconv.Atoi(w.text)
	if w.unknown || err != nil || n < 1 || n > 255 {
		return topology.UnknownAt[int](w.at)
	}
	return topology.SetAt(n, w.at)
}

func address(w word) topology.Value[netip.Addr] {
	a, err := netip.ParseAddr(w.text)
	if w.unknown || err != nil {
		return topology.UnknownAt[netip.Addr](w.at)
	}
	return topology.SetAt(a.Unmap(), w.at)
}

// prefix is an address with the length of its network; without one it is alone.
func prefix(w word) topology.Value[netip.Prefix] {
	p, err := netip.ParsePrefix(w.text)
	if a, alone := netip.ParseAddr(w.text); alone == nil {
		p, err = netip.PrefixFrom(a.WithZone(""), a.BitLen()), nil
	}
	if w.unknown || err != nil {
		return topology.UnknownAt[netip.Prefix](w.at)
	}
	return topology.SetAt(p, w.at)
}
