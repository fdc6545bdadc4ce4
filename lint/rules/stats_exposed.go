package rules

import (
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var statsExposed = Rule{
	ID:       "stats-exposed",
	Title:    "statistics or metrics for everybody",
	Severity: "warning",
	Why: "The page names every member, its address and its state, and when it fails: the map that an attacker needs. With administration " +
		"turned on it takes members out of the pool.",
	Fix: "Listen on 127.0.0.1, or on an address that only monitoring reaches; or admit its network only " +
		"(`http-request deny unless { src 10.0.9.0/24 }`); or ask for a password of its own.",
	References: []string{
		"https://docs.haproxy.org/2.6/configuration.html#4.2-stats%20enable",
		"https://www.haproxy.com/documentation/haproxy-configuration-tutorials/alerts-and-monitoring/statistics/",
	},
	Check: checkStatsExposed,
}

func checkStatsExposed(g *topology.Group) diag.List {
	var out diag.List
	for _, t := range g.Sources {
		for _, p := range t.Proxies {
			for _, l := range p.Listeners {
				if l.Metrics && len(l.Sources) == 0 {
					out = append(out, exposed(t, p, l)...)
				}
			}
		}
	}
	return out
}

// closed spells how a listener serves some alone.
var closed = remedies{
	"nginx": "listen on 127.0.0.1, or add: allow 10.0.9.0/24; deny all;",
	"":      "bind it to 127.0.0.1, or add: http-request deny unless { src 10.0.9.0/24 }",
}

// exposed finds the address at which a listener serves everybody.
func exposed(t *topology.Topology, p topology.Proxy, l topology.Listener) diag.List {
	how := ""
	switch {
	case !l.Authenticated.Known():
		return nil
	case !l.Authenticated.V:
		how = "without a password"
	case slices.ContainsFunc(l.Credentials, knownToAll):
		how = "with a password that everybody tries first"
	default:
		return nil
	}
	i := slices.IndexFunc(l.Binds, func(b topology.Bind) bool { return b.Addr.Known() && b.Addr.V.IsUnspecified() })
	if i < 0 {
		return nil
	}
	d := diag.Diagnostic{
		Span: l.Binds[i].Addr.Span, Severity: diag.Warning,
		Message: fmt.Sprintf("%s serves statistics on all addresses %s, so anybody in the network sees every member and its state; "+
			"need loopback, the network of monitoring or a password of its own", called("listener", l.Name), how),
		Hint:    closed.of(t, &p),
		Subject: p.Platform + " metrics " + l.Name.V,
	}
	if l.Commands {
		d.Message = fmt.Sprintf("%s takes commands on all addresses %s, so anybody in the network may take members out of their pool; "+
			"need loopback or a path", l.Name.V, how)
		d.Hint = "write stats socket /run/haproxy/admin.sock mode 600 level admin"
	}
	return diag.List{d}
}
