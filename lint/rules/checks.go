package rules

import (
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// saneHealth is the endpoint that tells the truth on every version of etcd.
const saneHealth = "/health?exclude=NOSPACE"

// checkedPools are the pools that are etcd's and lead to its client port, as far as one can see. One that leads to the
// peer port must not exist, so no check of it can be right.
func checkedPools(g *topology.Group) []topology.EtcdPool {
	var out []topology.EtcdPool
	for _, b := range g.EtcdPools() {
		if !onPeerPort(g, b) {
			out = append(out, b)
		}
	}
	return out
}

// servedPools are the pools that are etcd's, without those of peers alone, which must not exist.
func servedPools(g *topology.Group) []topology.EtcdPool {
	return slices.DeleteFunc(slices.Clone(g.EtcdPools()), func(b topology.EtcdPool) bool {
		return len(b.Servers) > 0 && !slices.ContainsFunc(b.Servers, func(s topology.Server) bool { return s.Port.V != g.PeerPort() })
	})
}

// clientPools are those of etcd's clients: what matters to these does not matter to a pool of metrics alone.
func clientPools(g *topology.Group) []topology.EtcdPool {
	return slices.DeleteFunc(servedPools(g), func(b topology.EtcdPool) bool { return forMetrics(g, b.Pool) })
}

// clientListeners are the listeners that are etcd's, without those for its peers or its metrics alone.
func clientListeners(g *topology.Group) []topology.EtcdListener {
	other := func(b topology.Bind) bool { return !b.Port.Known() || b.Port.V != g.PeerPort() }
	clients := func(b *topology.Pool) bool { return !forMetrics(g, b) }
	return slices.DeleteFunc(slices.Clone(g.EtcdListeners()), func(l topology.EtcdListener) bool {
		to := leadsTo(g, l)
		return len(l.Binds) > 0 && !slices.ContainsFunc(l.Binds, other) ||
			len(to) > 0 && len(to) == len(l.Routes) && !slices.ContainsFunc(to, clients)
	})
}

// forMetrics reports whether a pool leads to nothing but the members' metrics, whose clients ask and go, and no listener
// on the client port leads to it.
func forMetrics(g *topology.Group, b *topology.Pool) bool {
	port := g.MetricsPort()
	if len(b.Servers) == 0 || port == g.ClientPort() ||
		slices.ContainsFunc(b.Servers, func(s topology.Server) bool { return !s.Port.Known() || s.Port.V != port }) {
		return false
	}
	return !slices.ContainsFunc(g.EtcdListeners(), func(l topology.EtcdListener) bool {
		return slices.ContainsFunc(l.Binds, func(a topology.Bind) bool { return a.Port.Known() && a.Port.V == g.ClientPort() }) &&
			slices.Contains(leadsTo(g, l), b)
	})
}

// asksHTTP reports whether a check is an HTTP request, encrypted or not, of some server.
func asksHTTP(b topology.EtcdPool) bool {
	return (b.Check.Kind.V == topology.CheckHTTP || b.Check.Kind.V == topology.CheckHTTPS) && anyChecked(b)
}

// active reports whether a pool's servers are asked at intervals, by whatever means.
func active(b topology.EtcdPool) bool {
	return b.Check.Kind.V != topology.CheckPassive && b.Check.Kind.V != topology.CheckNone && anyChecked(b)
}

// asksClientPort reports whether a check goes to a port on which etcd demands what it demands of clients.
func asksClientPort(g *topology.Group, b topology.EtcdPool) bool {
	port := b.Check.Port
	return port.Known() && (port.V == g.ClientPort() || port.V == g.ClientHTTPPort())
}

// asksEtcd reports whether a check is known to ask etcd itself, not a helper beside it on a port of its own.
func asksEtcd(g *topology.Group, b topology.EtcdPool) bool {
	if asksClientPort(g, b) {
		return true
	}
	port := b.Check.Port
	if !port.Known() {
		return false
	}
	for _, s := range b.Servers {
		if s.Port.Known() && s.Port.V == port.V {
			return true
		}
	}
	return port.V == g.MetricsPort()
}

// split parts a path from its query.
func split(target string) (path, query string) {
	path, query, _ = strings.Cut(target, "?")
	return path, query
}
