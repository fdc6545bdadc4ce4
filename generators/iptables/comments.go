package iptables

import (
	"net/netip"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// maxComment is what the comment match of iptables holds, in bytes.
const maxComment = 255

// sourceNames says who is behind each source of a rule, by prefix, for comments of so many bytes at most.
func sourceNames(t *topology.Topology, most int) map[netip.Prefix]string {
	out := map[netip.Prefix]string{}
	add := func(p netip.Prefix, who string) {
		switch has := out[p]; {
		case has == "":
			out[p] = who
		case len(has)+len(who)+2 <= most && !strings.Contains(has, who):
			out[p] = has + ", " + who
		}
	}
	for _, m := range t.Etcd.Members {
		for _, a := range m.Addresses() {
			add(host(a.V), "member "+m.Name.V)
		}
	}
	for _, n := range t.Nodes {
		for _, a := range n.Addresses() {
			add(host(a.V), "node "+n.Name.V)
		}
	}
	for _, p := range t.Proxies {
		for _, b := range p.Pools {
			for _, source := range b.Check.Sources {
				add(source, "health checks of the cloud")
			}
		}
	}
	for _, list := range []struct {
		who      string
		prefixes []topology.Value[netip.Prefix]
	}{{"clients", t.Clients.Networks}, {"direct clients", t.Clients.Direct}, {"monitoring", t.Monitoring}} {
		for _, p := range list.prefixes {
			add(p.V, list.who)
		}
	}
	return out
}

// host is the prefix of a single address.
func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }
