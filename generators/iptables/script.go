package iptables

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// body is the part of apply.sh that is the same for all clusters.
//
//go:embed apply.sh
var body string

// script is apply.sh: the names of this role, then the body.
func script(r role, header target.Header) string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	b.WriteString(comment(header.Lines()...))
	b.WriteString("#\n" + comment(
		"The firewall of the "+r.title()+".",
		"Install this folder as "+r.folder()+" on each of them; needs root. First time:",
		"    apply.sh apply --rollback-after 60s    and, from a new login, apply.sh confirm",
	))
	fmt.Fprintf(&b, "set -eu\n\nchain=%s\nstate=${ETCD_LB_FIREWALL_STATE:-/run/etcd-lb-firewall-%s-%s}\n", r.chain(), r.cluster, r.name)
	for _, f := range r.firewalls {
		b.WriteString(jumps(f))
	}
	b.WriteString("\n" + body)
	return b.String()
}

// jumps is the shell function that runs a command with the matches of each jump of a family.
func jumps(f topology.Firewall) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n# What enters the chain in IPv%d: \"$@\" is run with each jump's matches.\njumps%d() {\n", f.Family, f.Family)
	fmt.Fprintf(&b, "\t\"$@\" -p tcp -m multiport --dports %s\n", ports(f.Guarded))
	for _, r := range f.Rules {
		if r.Protocol == vrrp {
			fmt.Fprintf(&b, "\t\"$@\" -p %s\n", vrrpNumber)
			break
		}
	}
	b.WriteString("}\n")
	return b.String()
}
