package rules

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var probeSource = Rule{
	ID:       "probe-source",
	Title:    "the firewall keeps the cloud's health probes out",
	Severity: "error",
	Why: "A cloud's probes come from addresses of its own, not from the clients' network. Members that do not let them in, on the very " +
		"port that is probed, are all unhealthy: then nobody, or everybody at random, gets the requests.",
	Fix: "Admit the probes to the port of the health check: on Google 35.191.0.0/16 and 130.211.0.0/22, both; on Azure the service " +
		"tag AzureLoadBalancer (168.63.129.16), with a priority before the rule that denies.",
	References: []string{
		"https://cloud.google.com/load-balancing/docs/health-check-concepts#ip-ranges",
		"https://learn.microsoft.com/azure/load-balancer/load-balancer-custom-probe-overview#probe-source-ip-address",
		"https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16",
	},
	Check:    checkProbeSource,
	Unjudged: probeSourceUnjudged,
}

func checkProbeSource(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range probed(g) {
		p := probes{b, g}
		out = append(out, p.keptOut()...)
	}
	return out
}

// probed are the pools of which it is known whence and on which port they are probed.
func probed(g *topology.Group) []topology.EtcdPool {
	var out []topology.EtcdPool
	for _, b := range g.EtcdPools() {
		if len(b.Check.Sources) > 0 && b.Check.Port.Known() && !onPeerPort(g, b) {
			out = append(out, b)
		}
	}
	return out
}

// probes are what a cloud sends to the members of a pool.
type probes struct {
	pool topology.EtcdPool
	g    *topology.Group
}

// keptOut finds firewalls of the members that refuse probes: where what no rule admits is dropped, all firewalls of one
// source together, else each one by itself.
func (p probes) keptOut() diag.List {
	var out diag.List
	for _, t := range p.g.Sources {
		var closed []topology.Firewall
		for _, f := range t.Firewalls {
			switch {
			case f.Role == topology.Nodes || f.Role == topology.Balancer || f.Family != topology.IPv4:
			case f.Rest == topology.Drop:
				closed = append(closed, f)
			case p.guards(f):
				out = append(out, p.denied(f)...)
			}
		}
		if slices.ContainsFunc(closed, p.guards) {
			out = append(out, p.missing(closed)...)
		}
	}
	return out
}

// guards reports whether a firewall is shown to be the members': a rule admits somebody to their very port, or to the
// one that is probed.
func (p probes) guards(f topology.Firewall) bool {
	for _, r := range f.Rules {
		if r.Verdict != topology.Accept || len(r.Ports) == 0 {
			continue
		}
		if p.reaches(r) {
			return true
		}
		for _, s := range p.pool.Servers {
			if s.Port.Known() && r.Covers(s.Port.V) {
				return true
			}
		}
	}
	return false
}

// reaches reports whether a rule is about the port that is probed.
func (p probes) reaches(r topology.FirewallRule) bool { return r.Covers(p.pool.Check.Port.V) }

// The outcomes of a packet's way through a firewall.
const (
	passes = iota // no rule is about it
	admits        // or perhaps: a variable decides
	refuses
)

// way follows packets from a source through rules, and returns the rule that decides.
func (p probes) way(f topology.Firewall, source netip.Prefix) (int, topology.FirewallRule) {
	for _, r := range f.Rules {
		if r.Loopback || r.Established || r.Verdict == topology.Log || !p.reaches(r) || !p.from(r, source) {
			continue
		}
		if r.Verdict == topology.Accept || r.Limited || !r.From.Known() && !r.FromName.Known() {
			return admits, r
		}
		return refuses, r
	}
	return passes, topology.FirewallRule{}
}

// from reports whether a rule is about packets of a source, or may be.
func (p probes) from(r topology.FirewallRule, source netip.Prefix) bool {
	switch {
	case r.From.Known():
		return r.From.V.Bits() <= source.Bits() && r.From.V.Contains(source.Addr())
	case r.FromName.Known():
		return r.FromName.V == p.pool.Check.SourceTag
	}
	return true
}

// denied finds the rule by which a firewall refuses probes.
func (p probes) denied(f topology.Firewall) diag.List {
	for _, source := range p.pool.Check.Sources {
		if how, r := p.way(f, source); how == refuses {
			return diag.List{p.finding(r.Span, fmt.Sprintf("this rule denies the probes of %s", p.source(source)))}
		}
	}
	return nil
}

// missing finds sources of probes that no firewall admits.
func (p probes) missing(closed []topology.Firewall) diag.List {
	var lacks []string
	at := p.pool.Check.Span
	for _, source := range p.pool.Check.Sources {
		open := slices.ContainsFunc(closed, func(f topology.Firewall) bool {
			how, _ := p.way(f, source)
			return how == admits
		})
		if !open {
			lacks = append(lacks, p.source(source))
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	if r, ok := p.closest(closed); ok {
		at = r.Span
	}
	return diag.List{p.finding(at, "no firewall rule admits the probes of "+list(lacks))}
}

// closest is the rule that admits some of the probes, or all of them to another port.
func (p probes) closest(closed []topology.Firewall) (topology.FirewallRule, bool) {
	for _, f := range closed {
		for _, r := range f.Rules {
			if r.Verdict == topology.Accept && r.From.Known() && slices.Contains(p.pool.Check.Sources, r.From.V) {
				return r, true
			}
		}
	}
	return topology.FirewallRule{}, false
}

// source is how a firewall of the cloud calls a source of probes.
func (p probes) source(prefix netip.Prefix) string {
	if tag := p.pool.Check.SourceTag; tag != "" {
		return fmt.Sprintf("%s (%s)", tag, prefix.Addr())
	}
	return prefix.String()
}

func (p probes) finding(at diag.Span, what string) diag.Diagnostic {
	d := diag.Diagnostic{
		Span:     at,
		Severity: diag.Error,
		Message: fmt.Sprintf("%s to port %d, so every member of %s is unhealthy; need them let in to that port",
			what, p.pool.Check.Port.V, p.pool.Called()),
		Hint:    fmt.Sprintf("admit them to port %d, before any rule that denies", p.pool.Check.Port.V),
		Subject: p.pool.Subject(),
	}
	if p.pool.Check.Span != at {
		d.Related = []diag.Related{{Span: p.pool.Check.Span, Message: "the health check"}}
	}
	return d
}

func probeSourceUnjudged(g *topology.Group) string {
	for _, b := range probed(g) {
		guarded := false
		for _, t := range g.Sources {
			guarded = guarded || slices.ContainsFunc(t.Firewalls, probes{b, g}.guards)
		}
		if !guarded {
			return "no firewall of the members is in the files"
		}
	}
	return ""
}
