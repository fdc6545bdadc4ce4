package iptables

import (
	_ "embed"
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// body is the part of apply.sh that is the same for all clusters.
//
//go:embed apply.sh
var body string

// script is apply.sh: the names of this role, then the body.
func script(r role, header target.Header) []byte {
	var b text
	b.Grow(len(body) + 1<<10)
	b.write("#!/bin/sh\n")
	b.comment(header.Lines()...)
	b.write("#\n")
	b.comment(
		"The firewall of the "+r.title()+".",
		"Install this folder as "+r.folder()+" on each of them; needs root. First time:",
		"    apply.sh apply --rollback-after 60s    and, from a new login, apply.sh confirm",
	)
	b.write("set -eu\n\nchain=", r.chain(), "\nstate=${ETCD_LB_FIREWALL_STATE:-/run/etcd-lb-firewall-", r.cluster, "-", r.name, "}\n")
	for _, f := range r.firewalls {
		b.jumps(f)
	}
	b.write("\n", body)
	return b.Bytes()
}

// jumps is the shell function that runs a command with the matches of each jump of a family.
func (t *text) jumps(f topology.Firewall) {
	fmt.Fprintf(t, "\n# What enters the chain in IPv%d: \"$@\" is run with each jump's matches.\njumps%d() {\n", f.Family, f.Family)
	t.write("\t\"$@\" -p tcp -m multiport --dports ", ports(f.Guarded), "\n")
	for _, r := range f.Rules {
		if r.Protocol == vrrp {
			t.write("\t\"$@\" -p ", vrrpNumber, "\n")
			break
		}
	}
	t.write("}\n")
}
