package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var nlbCrossZone = Rule{
	ID:       "nlb-cross-zone",
	Title:    "each zone of a load balancer reaches its own members only",
	Severity: "warning",
	Why: "A network load balancer has an address in each zone, and with cross-zone balancing off (the default) each address leads to " +
		"members of its zone alone. Clients that picked the address of a zone without a member, or whose only member is down, " +
		"fail until they pick another one; where a zone has two members each gets half as much as others do.",
	Fix: "Set `enable_cross_zone_load_balancing = true`, or run exactly one member in each zone of the load balancer.",
	References: []string{
		"https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#target-group-cross-zone",
		"https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html",
	},
	Check:    checkNLBCrossZone,
	Unjudged: nlbCrossZoneUnjudged,
}

func checkNLBCrossZone(g *topology.Group) diag.List {
	var out diag.List
	zones := memberZones(g)
	for _, b := range clientPools(g) {
		if cross := b.Proxy.CrossZone; !b.Proxy.Cloud() || !cross.Known() || cross.V {
			continue
		}
		why := ""
		switch spread := spreadOf(b, zones); {
		case spread != nil && !onePerZone(spread):
			why = "two of its members share a zone"
		case !b.Partial && b.Proxy.Zones.Known() && b.Proxy.Zones.V != len(b.Servers):
			why = fmt.Sprintf("%s stand behind addresses in %s", count(len(b.Servers), "member"), count(b.Proxy.Zones.V, "zone"))
		default:
			continue
		}
		out = append(out, diag.Diagnostic{
			Span:     b.Proxy.CrossZone.Span,
			Severity: diag.Warning,
			Message: fmt.Sprintf("the load balancer of %s keeps to the members of each zone, but %s, so clients of one zone get fewer "+
				"members than others, or none; need cross-zone balancing", b.Called(), why),
			Hint:    "set enable_cross_zone_load_balancing = true",
			Subject: b.Subject(),
		})
	}
	return out
}

// memberZones maps the addresses and names of members to their zones.
func memberZones(g *topology.Group) map[string]string {
	out := map[string]string{}
	for _, t := range g.Sources {
		for _, m := range t.Etcd.Members {
			if !m.Zone.Known() {
				continue
			}
			out["name:"+m.Name.V] = m.Zone.V
			for _, a := range m.Addresses() {
				out[topology.Host(a.V.String())] = m.Zone.V
			}
		}
	}
	return out
}

// spreadOf lists the zones of a pool's servers; nil where that of any is not known.
func spreadOf(b topology.EtcdPool, zones map[string]string) []string {
	var out []string
	for _, s := range b.Servers {
		zone, ok := zones[topology.Host(s.Host.V)]
		if !ok {
			zone, ok = zones["name:"+s.Name.V]
		}
		switch {
		case s.Drain.V:
		case !ok:
			return nil
		default:
			out = append(out, zone)
		}
	}
	return out
}

func onePerZone(zones []string) bool {
	seen := map[string]bool{}
	for _, z := range zones {
		if seen[z] {
			return false
		}
		seen[z] = true
	}
	return true
}

// count writes "1 member", "2 members".
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func nlbCrossZoneUnjudged(g *topology.Group) string {
	zones := memberZones(g)
	for _, b := range g.EtcdPools() {
		cross := b.Proxy.CrossZone
		switch {
		case unread(cross):
			return variable("enable_cross_zone_load_balancing")
		case b.Proxy.Cloud() && cross.Known() && !cross.V && spreadOf(b, zones) == nil && (b.Partial || !b.Proxy.Zones.Known()):
			return "the zones of the members are not in the files"
		}
	}
	return ""
}
