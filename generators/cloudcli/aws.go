package cloudcli

import (
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// aws is what the spec says of the network load balancer.
func aws(b *topology.CloudBalancer, e topology.Etcd, options *topology.Tree) *script {
	s := newScript("The Network Load Balancer of "+b.Title()+" by the aws command. "+`First read what "aws.sh apply --dry-run" says;`,
		`"aws.sh --help" says what it needs to know.`)
	kind := topology.Get[string](options, "targetType").V
	family := map[bool]string{true: "ipv6", false: "ipv4"}[b.IPv6()]
	s.set("name", b.Name)
	s.set("title", b.Title())
	s.set("host", strings.ToLower(b.Host))
	s.set("servers", strings.Join(b.Servers(), " "))
	s.set("members", pairs(b.Servers(), func(name string) string { return host(b, name) }))
	addresses := options.Get("addresses")
	s.set("addresses", pairs(addresses.Keys(), func(zone string) string { return topology.Get[string](addresses, zone).V }))
	s.number("listen_port", b.Port())
	s.number("member_port", b.MemberPort())
	s.set("metrics_port", metricsPort(e))
	s.set("target_group", b.Name+"-"+unchangeable(kind, family, b.MemberPort()))
	s.set("target_type", kind)
	s.set("target_family", family)
	if kind == "instance" {
		s.set("target_noun", "instance")
		s.set("target_pattern", "i-[0-9a-f]+")
	} else {
		s.set("target_noun", "address")
		s.set("target_pattern", map[bool]string{true: "[0-9a-f.:]+", false: "[0-9.]+"}[b.IPv6()])
	}
	s.set("preserve_client_ip", strconv.FormatBool(b.Pool.KeepsSource.V))
	s.check(b.Pool.Check, strings.ToUpper)
	s.number("idle_timeout", int(b.Listener.Routes[0].Idle.V.Seconds()))
	if b.DualStack() {
		s.set("address_family", "dualstack")
		s.set("record_types", "A AAAA")
	} else {
		s.set("address_family", "ipv4")
		s.set("record_types", "A")
	}
	s.set("cross_zone", strconv.FormatBool(b.Proxy.CrossZone.V))
	s.set("deletion_protection", strconv.FormatBool(topology.Get[bool](options, "deletionProtection").V))
	s.number("quorum", b.Quorum)
	awsRules(s, b, e)
	return s
}

// host is where the spec says that a server is.
func host(b *topology.CloudBalancer, name string) string {
	for _, v := range b.Pool.Servers {
		if v.Name.V == name {
			return v.Host.V
		}
	}
	return ""
}

// unchangeable names a target group after what AWS cannot change in one, in the three characters that its length leaves: where
// that is another, the script makes a new group, and deletes the old one when clients are sent to the new.
func unchangeable(kind, family string, port int) string {
	const names = 36 * 36 * 36
	sum := crc32.ChecksumIEEE(fmt.Appendf(nil, "%s %s %d", kind, family, port)) % names
	return strconv.FormatUint(uint64(names+sum), 36)[1:]
}

// awsRules writes who reaches the load balancer and its members.
func awsRules(s *script, b *topology.CloudBalancer, e topology.Etcd) {
	var dialed, peers string
	var balancer, members []string
	for _, f := range b.Role(topology.Balancer) {
		for _, r := range f.Rules {
			balancer = append(balancer, fmt.Sprintf("in %d %s Clients of %s", b.Port(), r.From.V, b.Title()))
		}
	}
	for _, f := range b.Role(topology.Members) {
		for _, r := range f.Rules {
			switch r.FromName.V {
			case topology.Balancer:
				dialed = ports(r.Ports, " ")
				continue
			case topology.Members:
				peers = ports(r.Ports, " ")
				continue
			}
			for _, p := range r.Ports {
				members = append(members, fmt.Sprintf("in %d %s %s", p.First, r.From.V, purpose(e, p.First)))
			}
		}
	}
	s.set("dialed_ports", dialed)
	s.set("peer_ports", peers)
	s.list("balancer_rules", balancer)
	s.list("member_rules", members)
}

// purpose is what a port of members is opened to networks for.
func purpose(e topology.Etcd, port int) string {
	if e.MetricsPort.Known() && port == e.MetricsPort.V {
		return "Metrics of members"
	}
	return "Clients and operators that reach members directly"
}
