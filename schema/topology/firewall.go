package topology

import (
	"net/netip"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// Family is an IP version.
type Family uint8

// The families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// FamilyOf is the family of an address.
func FamilyOf(a netip.Addr) Family {
	if a.Unmap().Is4() {
		return IPv4
	}
	return IPv6
}

// Firewall is the inbound rules of one kind of machine in one family.
type Firewall struct {
	Target string // the target that writes it
	// Platform is, of a spec, the cloud whose firewall it is.
	Platform string
	Role     string        // Members or Nodes; of a foreign file "" or what names the machine
	Name     Value[string] // the chain or security group
	Family   Family
	Observe  Value[bool] // logs and accepts what it would refuse
	// Cloud says that it stands before the machine: loopback never meets it, and answers pass.
	Cloud bool
	// Complete says that its source holds all there is for the machine, in both families: a family without a firewall is
	// not filtered.
	Complete bool
	// Guarded are the TCP ports whose traffic the rules decide; none: all. What goes elsewhere never meets the rules.
	Guarded []PortRange
	Rules   []FirewallRule // in effective order
	Rest    Verdict        // what befalls traffic that no rule matches; "" where that is not known
	Span    diag.Span
}

// The machines that a spec's firewalls are for.
const (
	Members = "members"
	Nodes   = "nodes"
	// Balancer is the role of a cloud load balancer's own security group.
	Balancer = "balancer"
)

// Verdict is what a firewall rule does.
type Verdict string

// The verdicts.
const (
	Accept Verdict = "accept"
	Drop   Verdict = "drop"
	Reject Verdict = "reject"
	Log    Verdict = "log"
)

// FirewallRule is one rule. The matches of all its fields hold together.
type FirewallRule struct {
	Verdict     Verdict
	Protocol    string              // "tcp", "udp", "vrrp", …; "" for any
	Ports       []PortRange         // destination; none: all
	From        Value[netip.Prefix] // unknown where a set, a group or another match decides; /0 where anybody
	FromName    Value[string]       // the group or host name that From could not say
	Loopback    bool
	Established bool
	Fresh       bool // of a foreign file: matches new connections only
	Wide        bool // FromName stands for a whole network, with whatever is in it
	Limited     bool // has further matches that are not modelled: it may not apply
	Span        diag.Span
}

// PortRange is inclusive on both ends.
type PortRange struct{ First, Last int }

// Port is the range of one port.
func Port(p int) PortRange { return PortRange{p, p} }

// Covers reports whether the rule matches TCP traffic to a port.
func (r FirewallRule) Covers(port int) bool {
	if r.Protocol != "" && r.Protocol != "tcp" {
		return false
	}
	for _, p := range r.Ports {
		if p.First <= port && port <= p.Last {
			return true
		}
	}
	return len(r.Ports) == 0
}
