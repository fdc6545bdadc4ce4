package haproxy

import (
	"slices"
	"time"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// reader turns the sections of one source into facts.
type reader struct {
	*scanner
	backends map[string]*section // what routes lead to, by name
	arities  map[string]arity
	// defaultServers are the parameters that each defaults section gives to servers.
	defaultServers map[*section]paramSet
	budget         int                    // how many more servers and ports templates and ranges may unfold to
	verify         topology.Value[string] // what servers without `verify` do about certificates
	listens        map[string]bool        // names of listen sections that are no pool
	elsewhere      bool                   // there may be sections in further files
	whole          bool                   // no section can be elsewhere
	branches       bool                   // a template decides which sections there are
}

// unfolding bounds what `server-template x 1000000` and `bind :1-65535` may add to a source.
const unfolding = 4096

func parse(source target.Source) (*topology.Topology, diag.List) {
	r := reader{
		scanner: scan(source.Files), backends: map[string]*section{},
		arities: map[string]arity{}, defaultServers: map[*section]paramSet{}, budget: unfolding, listens: map[string]bool{},
	}
	r.elsewhere = source.Beside || unit(source.Path) != source.Path
	r.whole = !r.fragment && !source.Beside && !slices.ContainsFunc(r.sections, func(s *section) bool { return s.name.unknown })
	r.branches = slices.ContainsFunc(source.Files, target.File.Branches)
	t := &topology.Topology{Format: name, Span: diag.Span{File: source.Files[0].Path}}
	if proxy, ok := r.proxy(t.Span); ok {
		proxy.Leaks = r.leaks(source.Files)
		t.Proxies = []topology.Proxy{proxy}
	}
	return t, r.problems
}

// proxy reads the whole process. It reports false where the source has nothing of one.
func (r *reader) proxy(at diag.Span) (topology.Proxy, bool) {
	p := topology.Proxy{Target: name, Platform: name, Span: at}
	if len(r.sections) == 0 {
		return p, false
	}
	global := r.global()
	p.MaxConns = setting(global, readCount, 0, "maxconn") // 0: as many as ulimit -n happens to allow
	p.HardStop = setting(global, readTime, topology.Never, "hard-stop-after")
	p.Listeners = r.sockets(global)
	r.verify = setting(global, readText, "required", "ssl-server-verify")
	for _, s := range r.sections {
		if s.kind == "backend" || s.kind == "listen" && !status(s) {
			p.Pools = append(p.Pools, r.pool(s))
			if _, ok := r.backends[s.name.text]; !ok && !s.name.unknown {
				r.backends[s.name.text] = s
			}
		}
		if s.kind == "listen" && status(s) {
			r.listens[s.name.text] = true
		}
	}
	for _, s := range r.sections {
		p.Ineffective = append(p.Ineffective, ineffective(s)...)
		p.Overridden = append(p.Overridden, overridden(s)...)
		p.Credentials = append(p.Credentials, credentials(s)...)
		if s.kind == "frontend" || s.kind == "listen" {
			p.Listeners = append(p.Listeners, r.listener(s))
		}
	}
	return p, true
}

// global is all global sections as one: they add up. Without any it is empty, and is
// taken to stand where the first section does.
func (r *reader) global() *section {
	all := &section{kind: "global", head: r.sections[0].head, by: map[string][]line{}, loose: r.fragment || r.elsewhere}
	found := false
	for _, s := range r.sections {
		if s.kind != "global" {
			continue
		}
		if !found {
			all.head, all.loose, found = s.head, false, true
		}
		for _, l := range s.lines {
			all.take(l)
		}
		all.opaque = all.opaque || s.opaque
	}
	return all
}

// idle is how long a connection from a listener to a pool may stay quiet. In TCP mode a tunnel timeout replaces the
// others; it counts only where HAProxy reads it, on the pool's side. Else the smaller of client and server governs.
func idle(from, to *section) topology.Value[time.Duration] {
	mode, tunnel := modeOf(to), timeout(to, "tunnel")
	if mode.V != topology.HTTP && tunnel.V != topology.Never {
		if !mode.Known() {
			return topology.UnknownAt[time.Duration](tunnel.Span)
		}
		return tunnel
	}
	client, server := timeout(from, "client"), timeout(to, "server")
	switch {
	case !mode.Known() || mode.V != topology.HTTP && !tunnel.Known() || !client.Known() || !server.Known():
		return topology.Value[time.Duration]{}
	case server.V == topology.Never, client.V != topology.Never && client.V <= server.V:
		return client
	}
	return server
}
