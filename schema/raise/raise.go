// Package raise is the reverse of lower: it makes a spec of what configurations mean.
package raise

import (
	"slices"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Draft is a spec that was made of configurations. It holds what they say, sensible or not, and need not be whole.
type Draft struct {
	Text    []byte // CUE
	Members int    // how many members of etcd the configurations name
	used    map[place]bool
	files   map[string]bool
}

// place is a line of a configuration.
type place struct {
	file string
	line int
}

// Uses reports whether something of the spec was taken from a line.
func (d *Draft) Uses(file string, line int) bool { return d.used[place{file, line}] }

// Draws reports whether anything was taken from a file.
func (d *Draft) Draws(file string) bool { return d.files[file] }

// Spec makes a spec of what the sources of a group say. Where several say a thing, the first one counts. An error is a
// fault of the program.
func Spec(g *topology.Group) (*Draft, error) {
	r := &raising{Group: g, used: map[place]bool{}}
	r.balancer()
	r.members()
	r.dialed()
	r.machines()
	spec := &object{}
	spec.put("cluster", r.cluster())
	if lb := r.loadBalancer(); len(lb.fields) > 0 {
		spec.put("loadBalancer", lb)
	} else {
		spec.empty("loadBalancer")
	}
	spec.put("clients", r.clients())
	targets, monitoring := r.targets(), &object{}
	monitoring.put("networks", r.monitoring)
	spec.put("monitoring", monitoring)
	spec.put("targets", targets)
	text, err := spec.text("// Imported by etcdlbgen: read it, and let etcdlbgen lint judge it, before you build from it.\n")
	if err != nil {
		return nil, err
	}
	d := &Draft{Text: text, Members: len(r.etcd), used: r.used, files: map[string]bool{}}
	for at := range r.used {
		d.files[at.file] = true
	}
	return d, nil
}

// raising is a spec in the making.
type raising struct {
	*topology.Group
	used map[place]bool

	pool     *topology.EtcdPool     // the one that the spec describes
	listener *topology.EtcdListener // clients of the pool come from here
	route    topology.Route
	etcd     []*member
	hosts    []string // that clients dial: names
	addrs    []string // and addresses
	nodes    []*node
	router   topology.Value[int]

	monitoring []string // networks that may reach the load balancer's metrics
}

// use notes where a fact stands.
func (r *raising) use(s diag.Span) {
	for line := s.Line; line > 0 && line <= max(s.Line, s.EndLine) && line < s.Line+100; line++ {
		r.used[place{s.File, line}] = true
	}
}

// take is a fact that was written down, for the spec; nil where none was.
func take[T any](r *raising, v topology.Value[T]) any {
	if v.State != topology.Set {
		return nil
	}
	r.use(v.Span)
	return any(v.V)
}

// duration is a fact about time likewise; without end is more than a spec can say.
func (r *raising) duration(v topology.Value[time.Duration]) any {
	if v.State != topology.Set || v.V <= 0 {
		return nil
	}
	r.use(v.Span)
	return topology.Short(v.V)
}

// path is a fact about a file likewise, as long as it says where the file is. A program's own default counts, too: a key
// lies where it is looked for.
func (r *raising) path(v topology.Value[string]) any {
	if !v.Known() || !strings.HasPrefix(v.V, "/") {
		return nil
	}
	r.use(v.Span)
	return v.V
}

// balancer finds the pool that serves clients, and how they come to it.
func (r *raising) balancer() {
	pools := r.EtcdPools()
	i := slices.IndexFunc(pools, func(p topology.EtcdPool) bool {
		return !slices.ContainsFunc(p.Servers, func(s topology.Server) bool { return s.Port.Known() && s.Port.V == r.PeerPort() })
	})
	if i < 0 {
		return
	}
	r.pool = &pools[i]
	r.use(r.pool.Span)
	for j := range r.pool.Proxy.Listeners {
		l := &r.pool.Proxy.Listeners[j]
		for _, to := range l.Routes {
			if to.Pool.Known() && to.Pool.V == r.pool.Name.V && !l.Metrics {
				r.listener, r.route = &topology.EtcdListener{Listener: l, Source: r.pool.Source, Proxy: r.pool.Proxy}, to
				r.use(l.Span)
				r.use(to.Pool.Span)
				return
			}
		}
	}
}

// first is what the first source says that says something. Others that say the same are used, too.
func first[T comparable](r *raising, of func(*topology.Topology) topology.Value[T]) topology.Value[T] {
	var said topology.Value[T]
	for _, t := range r.Sources {
		v := of(t)
		if v.Known() && !said.Known() {
			said = v
		}
		if v.Known() && v.V == said.V {
			r.use(v.Span)
		}
	}
	return said
}

func ofEtcd[T comparable](r *raising, of func(topology.Etcd) topology.Value[T]) topology.Value[T] {
	return first(r, func(t *topology.Topology) topology.Value[T] { return of(t.Etcd) })
}
