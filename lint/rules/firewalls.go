package rules

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// wall is a firewall with where it stands.
type wall struct {
	*topology.Firewall
	source *topology.Topology
}

// walls are the firewalls of the group, in order of the sources.
func walls(g *topology.Group) []wall {
	var out []wall
	for _, t := range g.Sources {
		for i := range t.Firewalls {
			out = append(out, wall{&t.Firewalls[i], t})
		}
	}
	return out
}

// memberWalls are those that may be the members': a role that says otherwise leaves one out.
func memberWalls(g *topology.Group) []wall {
	return slices.DeleteFunc(walls(g), func(w wall) bool { return w.Role == topology.Nodes || w.Role == topology.Balancer })
}

// Subject names the firewall for diagnostics: alike in a spec and in the file built from it.
func (w wall) Subject() string {
	name := w.Name.V
	switch w.Role {
	case topology.Members, topology.Nodes, topology.Balancer:
		name = w.Role
	}
	return w.Target + " firewall " + name
}

// about reports whether a rule is about one of etcd's ports: it names that port, as one end of a range if need be, or the
// firewall is etcd's by its name.
// A rule for nearly all ports of a machine is about the machine.
func (w wall) about(r topology.FirewallRule, port int) bool {
	const wide = 100
	if !r.Covers(port) {
		return false
	}
	return w.source.Format == "spec" || topology.NamesEtcd(w.Name.V) ||
		slices.ContainsFunc(r.Ports, func(p topology.PortRange) bool {
			return p.First == port || p.Last == port || p.First < port && port < p.Last && p.Last-p.First < wide
		})
}

// accepts reports whether a rule accepts new connections to a port.
func accepts(r topology.FirewallRule, port int) bool {
	return r.Verdict == topology.Accept && !r.Loopback && !r.Established && r.Covers(port)
}

// refusesAll is the index of the first rule that refuses a port to everybody whom no rule before it accepts, or -1. Where
// a rule before it may accept anybody, for a reason that is not read, there is none.
func (w wall) refusesAll(port int) int {
	for i, r := range w.Rules {
		switch {
		case r.Loopback || r.Established || !r.Covers(port):
		case r.Verdict == topology.Accept && anywhere(r):
			return -1
		case (r.Verdict == topology.Drop || r.Verdict == topology.Reject) && anywhere(r):
			return i
		}
	}
	return -1
}

// anywhere reports whether a rule certainly matches packets from any source.
func anywhere(r topology.FirewallRule) bool {
	return !r.Limited && r.From.Known() && r.From.V.Bits() == 0
}

// mystery reports whether a rule matches sources that cannot be read: a set, a variable, a group.
func mystery(r topology.FirewallRule) bool { return !r.From.Known() && !r.FromName.Known() }

// source is how a rule's source is called: a network as it is, one machine without the length of its prefix.
func sourceOf(r topology.FirewallRule) string {
	switch {
	case r.FromName.Known():
		return r.FromName.V
	case r.From.V.IsSingleIP():
		return r.From.V.Addr().String()
	}
	return r.From.V.String()
}

// whole reports whether all addresses of a network are among hosts.
func whole(network netip.Prefix, hosts map[string]bool) bool {
	const most = 16
	a := network.Masked().Addr()
	for range most {
		if !network.Contains(a) {
			return true
		}
		if !hosts[topology.Host(a.String())] {
			return false
		}
		a = a.Next()
	}
	return !network.Contains(a)
}

// place is where a rule says whom it admits, where that is a line of its own.
func (w wall) place(r topology.FirewallRule) diag.Span {
	from, written := r.From.Span, r.From.State == topology.Set
	if r.FromName.Known() {
		from, written = r.FromName.Span, true
	}
	if w.Cloud && written && from.File == r.Span.File && from.Line > r.Span.Line {
		return from
	}
	return r.Span
}

// finding is a diagnostic about one rule of the firewall.
func (w wall) finding(severity diag.Severity, at diag.Span, hint, format string, args ...any) diag.Diagnostic {
	return diag.Diagnostic{Span: at, Severity: severity, Message: fmt.Sprintf(format, args...), Hint: hint, Subject: w.Subject()}
}
