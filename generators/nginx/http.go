package nginx

import (
	"slices"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// pass is a grpc_pass or proxy_pass of an http block, with what it says.
type pass struct {
	node   *node
	in     scope
	prefix string // of the directives that tell how: "grpc" or "proxy"
	scheme string
	to     word // the upstream's name, or an address
	// calls says that etcd's gRPC requests come this way; others, of its JSON gateway or its health, may speak HTTP/1.1.
	calls bool
}

// http reads an http block: its upstreams, and the servers that pass requests on.
func (r *reader) http(s scope) {
	if _, complete := s.own("server"); s.open || !complete {
		r.partial = true
	}
	if loose := locations(s.nodes); len(loose) > 0 { // the inside of a server that another file has
		in := scope{nodes: loose, span: loose[0].name.span, outer: &s, open: true}
		r.webServer(loose[0], in)
	}
	for _, n := range s.nodes {
		if !n.hasBlock {
			continue
		}
		in := s.inside(n)
		switch n.name.text {
		case "upstream":
			r.upstream(n, in)
			p := &r.proxy.Pools[len(r.proxy.Pools)-1]
			p.Mode.V = topology.HTTP
		case "server":
			r.webServer(n, in)
		}
	}
}

// locations are the locations of a block.
func locations(nodes []*node) []*node {
	return slices.DeleteFunc(slices.Clone(nodes), func(n *node) bool { return n.name.text != "location" })
}

// webServer reads a server of an http block. One that passes nothing on is none of our business, unless it answers for
// itself on its own machine.
func (r *reader) webServer(n *node, s scope) {
	bound := webBinds(s)
	if open := status(&s); open.Known() {
		r.found = true
		r.proxy.Listeners = append(r.proxy.Listeners, topology.Listener{
			Mode: topology.DefaultAt(topology.HTTP, s.span), Metrics: true, Authenticated: open, Binds: bound, Span: n.name.span,
		})
	}
	var ways []pass
	collect(&ways, s, true)
	l := topology.Listener{
		Name: topology.UnknownAt[string](s.span),
		Mode: topology.DefaultAt(topology.HTTP, s.span),
		Span: n.name.span,
	}
	l.Binds = bound
	if len(ways) == 0 {
		answer, _ := s.own("return")
		l.Metrics = answer != nil && !slices.ContainsFunc(l.Binds, func(b topology.Bind) bool { return !b.Addr.V.IsLoopback() })
		if !l.Metrics {
			return
		}
	}
	r.found = r.found || len(ways) > 0
	for _, w := range ways {
		if w.calls {
			l.Routes = append(l.Routes, w.route())
		}
	}
	if len(l.Routes) > 0 {
		speaks(&l, &s)
	}
	r.passes = append(r.passes, ways...)
	r.proxy.Listeners = append(r.proxy.Listeners, l)
}

// webBinds are the addresses of a server, which are shared: servers of one address are told apart by the name that clients
// ask for.
func webBinds(s scope) []topology.Bind {
	var out []topology.Bind
	for _, c := range s.nodes {
		if c.name.text == "listen" && len(c.args) > 0 && !has(c, "quic") {
			out = append(out, binds(c)...)
		}
	}
	for i := range out {
		out[i].Shared = true
	}
	return out
}

// guards are directives that decide who may see a location, and statuses those that show what NGINX does.
var (
	guards   = []string{"allow", "deny", "auth_basic", "auth_request", "auth_jwt", "internal", "ssl_verify_client"}
	statuses = []string{"stub_status", "vhost_traffic_status_display", "api"}
)

// status says whether a location that shows what NGINX does asks who wants to know; unknown where there is none, or where
// it may.
func status(s *scope) topology.Value[bool] {
	for _, n := range s.nodes {
		in := s.inside(n)
		switch {
		case n.name.text == "location" || n.name.text == "if":
			if v := status(&in); v.Known() {
				return v
			}
		case slices.Contains(statuses, n.name.text):
			for _, g := range guards {
				if d, complete := s.effective(g); d != nil || !complete {
					return topology.UnknownAt[bool](n.span())
				}
			}
			return topology.DefaultAt(false, n.span())
		}
	}
	return topology.Value[bool]{}
}

// collect finds what a block and the blocks in it pass on.
func collect(out *[]pass, s scope, calls bool) {
	for _, n := range s.nodes {
		switch n.name.text {
		case "grpc_pass", "proxy_pass":
			if len(n.args) > 0 {
				*out = append(*out, passOf(n, s, calls))
			}
		case "location":
			collect(out, s.inside(n), calls && takesCalls(n))
		case "if", "limit_except":
			collect(out, s.inside(n), calls)
		}
	}
}

func passOf(n *node, s scope, calls bool) pass {
	p := pass{node: n, in: s, prefix: "proxy", to: n.args[0], calls: calls}
	scheme, rest, ok := strings.Cut(p.to.text, "://")
	if !ok {
		scheme, rest = "", p.to.text
	}
	if n.name.text == "grpc_pass" {
		p.prefix = "grpc"
	}
	p.scheme = strings.ToLower(scheme)
	if !isSocket(rest) {
		rest, _, _ = strings.Cut(rest, "/")
	}
	p.to.text = rest
	return p
}

// route is the way as the listener has it.
func (w *pass) route() topology.Route {
	idle := setting(&w.in, w.prefix+"_read_timeout", timeOf, connectPreset)
	if idle.Known() && idle.V == 0 {
		idle = topology.UnknownAt[time.Duration](idle.Span) // cuts at once: there zero means never
	}
	return topology.Route{Pool: poolName(w.to), Idle: idle}
}

// takesCalls reports whether etcd's gRPC requests, whose paths begin with the name of a service, may fall to a location.
func takesCalls(n *node) bool {
	const service = "/etcdserverpb."
	path := n.arg()
	if len(n.args) == 2 && path == "^~" {
		path = n.args[1].text
	} else if len(n.args) != 1 {
		return false
	}
	return path != "" && (strings.HasPrefix(service, path) || strings.HasPrefix(path, service))
}

// speaks reads whether a server of an http block ends TLS, and whether it speaks HTTP/2.
func speaks(l *topology.Listener, s *scope) {
	var first, encrypted, second *node
	sure := true
	for _, n := range s.nodes {
		if n.name.text != "listen" {
			continue
		}
		sure = sure && !n.filledIn(1)
		if first == nil {
			first = n
		}
		if encrypted == nil && has(n, "ssl") {
			encrypted = n
		}
		if second == nil && has(n, "http2") {
			second = n
		}
	}
	at := first
	if encrypted != nil {
		at = encrypted
		l.TLS = topology.SetAt(true, encrypted.span())
		l.Certificate = shown(s)
	}
	switch on, complete := s.effective("http2"); {
	case second != nil:
		l.HTTP2 = topology.SetAt(true, second.span())
	case on != nil && !isOpen(on.arg()):
		l.HTTP2 = topology.SetAt(on.arg() == "on", on.span())
	case on == nil && complete && at != nil && sure:
		l.HTTP2 = topology.SetAt(false, at.span()) // the line says all that is spoken there
	}
}

// shown is the certificate of a server that ends TLS, and who must have signed those of clients.
func shown(s *scope) topology.KeyPair {
	pair := topology.KeyPair{Cert: setting(s, "ssl_certificate", textOf, ""), Key: setting(s, "ssl_certificate_key", textOf, "")}
	if demand, _ := s.effective("ssl_verify_client"); demand != nil && demand.arg() == "on" {
		pair.CA = setting(s, "ssl_client_certificate", textOf, "")
	}
	return pair
}

// finishHTTP adds to the pools what the ways to them say, those of gRPC first.
func (r *reader) finishHTTP() {
	routed := map[string]bool{}
	slices.SortStableFunc(r.passes, func(a, b pass) int {
		switch {
		case a.calls == b.calls:
			return 0
		case a.calls:
			return -1
		}
		return 1
	})
	for i := range r.passes {
		w := &r.passes[i]
		p := r.pool(w.to.text)
		if p == nil {
			if p = r.direct(way{to: w.to}); p == nil {
				continue // a name that is looked up when NGINX starts
			}
			p.Mode.V = topology.HTTP
		}
		w.toPool(p, !routed[w.to.text])
		routed[w.to.text] = true
	}
	for i := range r.proxy.Pools {
		if p := &r.proxy.Pools[i]; !routed[p.Name.V] && r.partial {
			p.Check = topology.Check{Span: p.Span}
		}
	}
}

// toPool gives a pool what a way to it says of TLS, HTTP/2 and time. Where several ways differ it is unknown; ways that
// are not gRPC's add nothing to those that are.
func (w *pass) toPool(p *topology.Pool, first bool) {
	s := &w.in
	if !first && !w.calls {
		return
	}
	var said topology.Pool
	said.Connect = setting(s, w.prefix+"_connect_timeout", timeOf, connectPreset)
	at := w.node.span()
	switch w.scheme {
	case "https", "grpcs":
		said.TLS = topology.SetAt(true, at)
		said.Cert = setting(s, w.prefix+"_ssl_certificate", textOf, "")
		said.Key = setting(s, w.prefix+"_ssl_certificate_key", textOf, "")
		said.CA = setting(s, w.prefix+"_ssl_trusted_certificate", textOf, "")
		said.Verify = w.verifies(at)
	}
	if w.calls {
		said.HTTP2 = w.speaks(at)
	}
	if first {
		p.Connect, p.TLS, p.Cert, p.Verify, p.HTTP2 = said.Connect, said.TLS, said.Cert, said.Verify, said.HTTP2
		p.Key, p.CA = said.Key, said.CA
		if name, _ := s.effective(w.prefix + "_ssl_name"); name != nil && said.Verify.V {
			for i := range p.Servers {
				p.Servers[i].VerifyHost = textOf(name.args[0], name.arg())
			}
		}
		p.Retries = topology.UnknownAt[int](diag.Span{}) // requests, not connections, are tried again
		return
	}
	agree(&p.Connect, said.Connect)
	agree(&p.TLS, said.TLS)
	agree(&p.Cert, said.Cert)
	agree(&p.Key, said.Key)
	agree(&p.CA, said.CA)
	agree(&p.Verify, said.Verify)
	agree(&p.HTTP2, said.HTTP2)
}

// verifies says whether the certificates of servers are verified, which is off unless asked for.
func (w *pass) verifies(at diag.Span) topology.Value[bool] {
	switch n, complete := w.in.effective(w.prefix + "_ssl_verify"); {
	case n != nil && !isOpen(n.arg()):
		return topology.SetAt(n.arg() == "on", n.span())
	case n == nil && complete:
		return topology.DefaultAt(false, at)
	}
	return topology.Value[bool]{}
}

// speaks says whether servers are spoken to in HTTP/2: by grpc_pass always, by proxy_pass where a newer version is told
// to. That it is told so outside a file of server blocks is not to be expected.
func (w *pass) speaks(at diag.Span) topology.Value[bool] {
	if w.prefix == "grpc" {
		return topology.SetAt(true, at)
	}
	for s := &w.in; s != nil && !s.open; s = s.outer {
		switch n, complete := s.own("proxy_http_version"); {
		case n != nil && isOpen(n.arg()), n == nil && !complete:
			return topology.Value[bool]{}
		case n != nil:
			return topology.SetAt(n.arg() == "2", at)
		}
	}
	return topology.SetAt(false, at)
}
