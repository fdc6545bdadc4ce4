package nginx

import (
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// NGINX's defaults: of the server parameters that decide passively, and of the active check of Plus.
const (
	failsPreset        = 1
	failTimeoutPreset  = 10 * time.Second
	checkPreset        = 5 * time.Second // interval and timeout
	checkCountPreset   = 1               // fails and passes
	startOfHTTPRequest = `^([A-Z]+) (\S+) HTTP/`
)

// passive is the check by failed connections that the servers of an upstream are under; at spans the upstream. What
// the servers do not agree on is unknown.
func passive(servers []*node, at diag.Span) topology.Check {
	c := topology.Check{
		Kind:     topology.DefaultAt(topology.CheckPassive, at),
		Fall:     topology.DefaultAt(failsPreset, at),
		Interval: topology.DefaultAt(failTimeoutPreset, at),
		Span:     at,
	}
	off := 0
	for i, n := range servers {
		fails := topology.DefaultAt(failsPreset, n.span())
		if w, text, ok := param(n, "max_fails"); ok {
			fails = numberOf(w, text)
		}
		pause := topology.DefaultAt(failTimeoutPreset, n.span())
		if w, text, ok := param(n, "fail_timeout"); ok {
			pause = timeOf(w, text)
		}
		if i == 0 {
			c.Fall, c.Interval = fails, pause
		}
		agree(&c.Fall, fails)
		agree(&c.Interval, pause)
		if fails.Known() && fails.V == 0 {
			off++
		}
	}
	if off > 0 && off == len(servers) {
		return topology.Check{Kind: topology.SetAt(topology.CheckNone, c.Fall.Span), Span: at}
	}
	if c.Fall.State == topology.Set {
		c.Kind.State = topology.Set
	}
	return c
}

// active reads a health_check directive of NGINX Plus, which replaces the passive check as the fact about a pool.
func (r *reader) active(p *topology.Pool, s scope, n *node) {
	at := n.span()
	c := topology.Check{
		Interval: argument(n, "interval", timeOf, checkPreset),
		Fall:     argument(n, "fails", numberOf, checkCountPreset),
		Rise:     argument(n, "passes", numberOf, checkCountPreset),
		Timeout:  setting(&s, "health_check_timeout", timeOf, checkPreset),
		Port:     topology.UnknownAt[int](at),
		Span:     at,
	}
	if w, text, ok := param(n, "port"); ok {
		c.Port = portOf(w, text)
	} else if port, ok := commonPort(p.Servers); ok {
		c.Port = topology.DefaultAt(port, at)
	}
	r.kind(&c, &s, n)
	p.Check = c
	for i := range p.Servers {
		p.Servers[i].Checked = topology.SetAt(true, at)
	}
}

// kind reads what the check does: it connects, or sends the request of a match block, over TLS where the proxy does.
func (r *reader) kind(c *topology.Check, s *scope, n *node) {
	plain, encrypted := topology.CheckTCP, topology.CheckTLS
	kindSpan := n.span()
	c.Kind = topology.UnknownAt[topology.CheckKind](kindSpan)
	if w, match, ok := param(n, "match"); ok {
		m := r.matches[match]
		if m == nil {
			return
		}
		method, path, ok := request(m)
		if !ok {
			return
		}
		plain, encrypted, kindSpan = topology.CheckHTTP, topology.CheckHTTPS, w.span
		c.Method, c.Path = method, path
	}
	tls, complete := s.effective("proxy_ssl")
	switch {
	case has(n, "udp") || tls == nil && !complete || tls != nil && isOpen(tls.arg()):
	case tls != nil && tls.arg() == "on":
		c.Kind = topology.SetAt(encrypted, kindSpan)
		c.Cert = setting(s, "proxy_ssl_certificate", textOf, "")
	case tls != nil && plain == topology.CheckHTTP:
		c.Plain = topology.SetAt(tls.arg() == "off", tls.span())
		fallthrough
	default:
		c.Kind = topology.SetAt(plain, kindSpan)
	}
}

var httpRequest = pattern.New(startOfHTTPRequest)

// request is the HTTP request that a match block sends.
func request(m *node) (method, path topology.Value[string], ok bool) {
	for _, n := range m.block {
		if n.name.text != "send" || len(n.args) != 1 {
			continue
		}
		if found := httpRequest.FindStringSubmatchIndex(n.arg()); found != nil && !isOpen(n.arg()) {
			return n.args[0].part(found[2], found[3]), n.args[0].part(found[4], found[5]), true
		}
	}
	return method, path, false
}

// part is a stretch of a word's beginning, in which nothing is escaped.
func (w word) part(from, to int) topology.Value[string] {
	at := w.span
	if at.EndLine > at.Line || at.EndCol-at.Col > len(w.text) {
		at.Col++ // the quote
	}
	at.EndLine, at.EndCol = at.Line, at.Col+to
	at.Col += from
	return topology.SetAt(w.text[from:to], at)
}

func argument[T any](n *node, key string, read func(word, string) topology.Value[T], preset T) topology.Value[T] {
	if w, text, ok := param(n, key); ok {
		return read(w, text)
	}
	if n.filledIn(0) {
		return topology.UnknownAt[T](n.span())
	}
	return topology.DefaultAt(preset, n.span())
}

// commonPort is the port that all servers share.
func commonPort(servers []topology.Server) (int, bool) {
	for _, v := range servers {
		if !v.Port.Known() || v.Port.V != servers[0].Port.V {
			return 0, false
		}
	}
	if len(servers) == 0 {
		return 0, false
	}
	return servers[0].Port.V, true
}
