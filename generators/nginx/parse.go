package nginx

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nginxinc/nginx-go-crossplane"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// parse reads the stream and http blocks of a source. Each of the two has upstreams of its own, so each is a proxy.
func parse(src target.Source) (*topology.Topology, diag.List) {
	whole := diag.Span{File: src.Path}
	t := &topology.Topology{Format: name, Span: whole}
	if len(src.Files) == 0 {
		return t, nil
	}
	files, diags := load(src.Files)
	proxy := topology.Proxy{Target: name, Platform: openSource, Span: whole}
	stream := &reader{proxy: proxy, matches: map[string]*node{}}
	web := &reader{proxy: proxy}
	for i := range files.files {
		if i > 0 && files.used[i] {
			continue
		}
		s := scope{nodes: files.file(i), span: whole, open: true}
		if files.blocks > maxBlocks {
			diags.Error(whole, "syntax", fmt.Sprintf(
				"the files have more than %d blocks, more than any NGINX, so nothing in them is judged; need fewer", maxBlocks), "")
			return &topology.Topology{Format: name, Span: whole}, diags
		}
		switch partOf(s.nodes) {
		case "stream":
			stream.stream(s)
		case "http":
			web.http(s)
		default:
			stream.main(s, web)
		}
	}
	if stream.found {
		stream.finish()
		t.Proxies = append(t.Proxies, stream.proxy)
	}
	if web.found {
		web.finishHTTP()
		t.Proxies = append(t.Proxies, web.proxy)
	}
	return t, diags
}

// reader collects the facts of one NGINX.
type reader struct {
	proxy   topology.Proxy
	matches map[string]*node // match blocks, by name
	pools   map[string]int   // indexes of the first so many pools, by name
	indexed int
	routes  []way
	passes  []pass // of an http block
	found   bool   // there is a stream block, a part of one, or a server of an http block that passes requests on
	partial bool   // there are more blocks than those at hand
	// elsewhere says that upstreams may stand in what is not at hand.
	elsewhere bool
}

// way is a server block with what it forwards to.
type way struct {
	server scope
	to     word
	route  *topology.Route
}

// scope is a block and those around it, whose settings it inherits.
type scope struct {
	nodes []*node
	span  diag.Span
	open  bool // there is more than nodes: the file is a part, or includes what is not at hand
	outer *scope
	first map[string]*node // the first directive of each name, once asked for
}

// inside is the scope of a block in s.
func (s *scope) inside(n *node) scope {
	return scope{nodes: n.block, span: n.name.span, outer: s}
}

// own returns the directive of that name in the block itself. Complete is false where an unseen part may hold one.
func (s *scope) own(directive string) (n *node, complete bool) {
	if s.first == nil {
		s.first = make(map[string]*node, min(len(s.nodes), 8))
		for _, n := range s.nodes {
			switch first := s.first[n.name.text]; {
			case first == nil:
				s.first[n.name.text] = n
			case first.arg() != n.arg():
				first.repeated = true
			}
		}
	}
	if n := s.first[directive]; n != nil {
		return n, true
	}
	return nil, !s.open && s.first["include"] == nil
}

// effective returns the directive that holds in the block, its own or an inherited one.
func (s *scope) effective(directive string) (n *node, complete bool) {
	complete = true
	for ; s != nil; s = s.outer {
		n, all := s.own(directive)
		if n != nil && complete {
			return n, true
		}
		complete = complete && all
	}
	return nil, complete
}

// setting is the fact that a directive with one argument states, or NGINX's default. NGINX refuses a second one in a
// block: where there is one, branches of a template hold the two.
func setting[T any](s *scope, directive string, read func(word, string) topology.Value[T], preset T) topology.Value[T] {
	n, complete := s.effective(directive)
	switch {
	case n != nil && n.repeated:
		return topology.UnknownAt[T](n.span())
	case n != nil && len(n.args) == 1:
		return read(n.args[0], n.args[0].text)
	case n != nil:
		return topology.UnknownAt[T](n.span())
	case !complete:
		return topology.UnknownAt[T](s.span)
	}
	return topology.DefaultAt(preset, s.span)
}

const defaultConnections = 512

// main reads the main context, which is whole where it has the events block that NGINX demands.
func (r *reader) main(s scope, web *reader) {
	if events, _ := s.own("events"); events != nil {
		s.open = false
		s.span = events.name.span
		in := scope{nodes: events.block, span: events.name.span} // which inherits nothing
		r.proxy.MaxConns = setting(&in, "worker_connections", numberOf, defaultConnections)
		if r.proxy.MaxConns.Known() {
			r.proxy.FilesSuffice = filesSuffice(&s, r.proxy.MaxConns.V)
			r.proxy.MaxConns.V = clients(r.proxy.MaxConns.V)
		}
		r.proxy.Workers = setting(&s, "worker_processes", numberOf, 1)
	}
	r.proxy.HardStop = setting(&s, "worker_shutdown_timeout", timeOf, topology.Never)
	process := r.proxy
	web.proxy.MaxConns, web.proxy.FilesSuffice = process.MaxConns, process.FilesSuffice
	web.proxy.Workers, web.proxy.HardStop = process.Workers, process.HardStop
	for _, n := range s.nodes {
		in := scope{nodes: n.block, span: n.name.span}
		switch {
		case !n.hasBlock:
		case n.name.text == "stream":
			r.stream(in)
		case n.name.text == "http":
			web.http(in)
		}
	}
}

// stream reads a stream block.
func (r *reader) stream(s scope) {
	r.found = true
	if _, complete := s.own("server"); s.open || !complete {
		r.partial = true
	}
	if s.open || s.first["include"] != nil {
		r.elsewhere = true
	}
	if !slices.ContainsFunc(s.nodes, servesUDP) {
		r.ineffective(s.nodes)
	}
	for _, n := range s.nodes {
		r.platform(n)
		if !n.hasBlock {
			continue
		}
		in := s.inside(n)
		switch n.name.text {
		case "upstream":
			r.upstream(n, in)
		case "server":
			r.server(n, in)
		case "match":
			r.matches[n.arg()] = n
		}
	}
}

// platform notes what only NGINX Plus knows.
func (r *reader) platform(n *node) {
	_, known := crossplane.MatchOssLatest(n.name.text)
	if _, paid := crossplane.MatchNginxPlusLatest(n.name.text); paid && !known {
		r.proxy.Platform = plus
	}
}

// server reads a server block: a listener, and where it forwards to. One for datagrams alone is no TCP proxy.
func (r *reader) server(n *node, s scope) {
	l := topology.Listener{
		Name: topology.UnknownAt[string](s.span),
		Mode: topology.DefaultAt(topology.TCP, s.span),
		Span: n.name.span,
	}
	var to []*node
	udp := false
	if !servesUDP(n) {
		r.ineffective(s.nodes)
	}
	for _, c := range s.nodes {
		r.platform(c)
		switch {
		case c.name.text == "listen" && len(c.args) > 0 && isUDP(c):
			udp = true
		case c.name.text == "listen" && len(c.args) > 0:
			l.Binds = append(l.Binds, binds(c)...)
		case c.name.text == "proxy_pass" && len(c.args) > 0:
			to = append(to, c)
		case c.name.text == "return":
			l.Metrics = true // answers for itself
		}
	}
	if udp && len(l.Binds) == 0 {
		return
	}
	offers(&l, &s)
	shares(&l, &s)
	l.Routes = make([]topology.Route, len(to))
	for i, c := range to {
		r.route(&l.Routes[i], c, s)
	}
	r.proxy.Listeners = append(r.proxy.Listeners, l)
}

// idlePreset is how long NGINX lets a connection be quiet.
const idlePreset = 10 * time.Minute

// route reads a proxy_pass.
func (r *reader) route(route *topology.Route, n *node, s scope) {
	*route = topology.Route{Idle: setting(&s, "proxy_timeout", timeOf, idlePreset)}
	if route.Idle.Known() && route.Idle.V == 0 {
		// Zero cuts at once, which the fact cannot say: there it means never.
		route.Idle = topology.UnknownAt[time.Duration](route.Idle.Span)
	}
	to := n.args[0]
	route.Pool = poolName(to)
	r.routes = append(r.routes, way{s, to, route})
}

// poolName is the name of an upstream, or the address that stands for one.
func poolName(w word) topology.Value[string] {
	if topology.IsHole(w.text) || strings.Contains(w.text, "$") {
		return topology.UnknownAt[string](w.span)
	}
	return topology.SetAt(w.text, w.span)
}

// pool returns the pool of that name, or nil.
func (r *reader) pool(name string) *topology.Pool {
	if r.pools == nil {
		r.pools = map[string]int{}
	}
	for ; r.indexed < len(r.proxy.Pools); r.indexed++ {
		if _, taken := r.pools[r.proxy.Pools[r.indexed].Name.V]; !taken {
			r.pools[r.proxy.Pools[r.indexed].Name.V] = r.indexed
		}
	}
	if i, ok := r.pools[name]; ok {
		return &r.proxy.Pools[i]
	}
	return nil
}

// finish adds to the pools what their servers' blocks say, when all upstreams are known wherever they stand.
func (r *reader) finish() {
	routed := map[string]bool{}
	for _, w := range r.routes {
		p := r.pool(w.to.text)
		if p == nil {
			if p = r.direct(w); p == nil {
				w.route.Missing = !r.elsewhere && w.route.Pool.Known() && !strings.Contains(w.to.text, ":")
				continue
			}
		}
		r.toPool(p, w.server, !routed[w.to.text])
		routed[w.to.text] = true
	}
	for i := range r.proxy.Pools {
		p := &r.proxy.Pools[i]
		if p.Name.Known() && !routed[p.Name.V] && (r.partial || r.proxy.Platform == plus) {
			// The server block that may check the pool is not at hand, or forwards by a variable.
			p.Check = topology.Check{Span: p.Span}
		}
	}
}

// direct is the pool of one that a proxy_pass to an address makes; nil where the name of an upstream is not at hand.
func (r *reader) direct(w way) *topology.Pool {
	host, port := serverOf(w.to)
	if !port.Known() && !isSocket(w.to.text) {
		return nil
	}
	span := w.to.span
	r.proxy.Pools = append(r.proxy.Pools, topology.Pool{
		Name:    poolName(w.to),
		Mode:    topology.DefaultAt(topology.TCP, span),
		Balance: topology.DefaultAt("roundrobin", span),
		Check:   passive(nil, span),
		Servers: []topology.Server{{
			Host: host, Port: port, Span: span,
			Drain:    topology.DefaultAt(false, span),
			Checked:  topology.DefaultAt(true, span),
			Resolves: resolves(host, nil),
		}},
		Span: span,
	})
	return &r.proxy.Pools[len(r.proxy.Pools)-1]
}

const connectPreset = time.Minute

// toPool gives a pool the facts that NGINX keeps in the server block.
func (r *reader) toPool(p *topology.Pool, s scope, first bool) {
	connect := setting(&s, "proxy_connect_timeout", timeOf, connectPreset)
	again := retries(&s, p, connect)
	if first {
		p.Connect, p.Retries = connect, again
	}
	// Several servers may forward to one pool; what they do not agree on is unknown.
	agree(&p.Connect, connect)
	agree(&p.Retries, again)
	encrypt(p, &s)
	switch n, complete := s.own("health_check"); {
	case n != nil:
		r.active(p, s, n)
	case !complete:
		p.Check = topology.Check{Span: p.Span}
	}
}

func agree[T comparable](v *topology.Value[T], other topology.Value[T]) {
	if v.V != other.V || v.Known() != other.Known() {
		*v = topology.UnknownAt[T](other.Span)
	}
}

// retries is how many servers a connection tries after the first: all of them, unless told otherwise. When the time for
// all of them is over no further one is tried.
func retries(s *scope, p *topology.Pool, connect topology.Value[time.Duration]) topology.Value[int] {
	servers := usable(p)
	if n, _ := s.effective("proxy_next_upstream"); n != nil && n.arg() == "off" {
		return topology.SetAt(0, n.span())
	}
	tries := setting(s, "proxy_next_upstream_tries", numberOf, 0)
	if !tries.Known() {
		return topology.UnknownAt[int](tries.Span)
	}
	if tries.V == 0 || servers > 0 && tries.V > servers {
		tries.V = servers // zero is no limit
	}
	all := setting(s, "proxy_next_upstream_timeout", timeOf, 0)
	switch {
	case !all.Known():
		return topology.UnknownAt[int](all.Span)
	case all.V > 0 && connect.Known() && connect.V > 0:
		tries.V = min(tries.V, int((all.V+connect.V-1)/connect.V))
	}
	tries.V = max(0, tries.V-1)
	return tries
}
