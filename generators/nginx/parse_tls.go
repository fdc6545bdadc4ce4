package nginx

import (
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// filesSuffice says whether a worker may open a file for each of its connections because the configuration says so.
func filesSuffice(s *scope, connections int) topology.Value[bool] {
	limit := setting(s, "worker_rlimit_nofile", numberOf, 0)
	return topology.Value[bool]{V: limit.Known() && limit.V >= connections, State: limit.State, Span: limit.Span}
}

// offers reads whether a server block ends TLS, and whether it then offers HTTP/2.
func offers(l *topology.Listener, s *scope) {
	for _, n := range s.nodes {
		if n.name.text != "listen" || !has(n, "ssl") {
			continue
		}
		l.TLS = topology.SetAt(true, n.span())
		switch alpn, complete := s.effective("ssl_alpn"); {
		case alpn != nil:
			l.HTTP2 = topology.SetAt(has(alpn, "h2"), alpn.span())
			if !l.HTTP2.V && slices.ContainsFunc(alpn.args, func(w word) bool { return isOpen(w.text) }) {
				l.HTTP2.State = topology.Unknown
			}
		case complete:
			l.HTTP2 = topology.DefaultAt(false, n.span())
		}
		return
	}
}

// shares marks the addresses of a server block that is one of several by the name that clients ask for.
func shares(l *topology.Listener, s *scope) {
	if n, _ := s.own("server_name"); n == nil {
		return
	}
	for i := range l.Binds {
		l.Binds[i].Shared = true
	}
}

// encrypt reads how a server block speaks to the servers of its pool. Of several blocks the one that falls short counts.
func encrypt(p *topology.Pool, s *scope) {
	if n, _ := s.effective("proxy_protocol"); n != nil && n.arg() == "on" {
		p.ProxyHeader = topology.SetAt(true, n.span())
	}
	if n, _ := s.effective("proxy_bind"); n != nil && n.arg() != "off" {
		p.KeepsSource = topology.UnknownAt[bool](n.span()) // members see an address that is chosen there
	}
	n, _ := s.effective("proxy_ssl")
	if n == nil || n.arg() != "on" {
		return
	}
	if cert := setting(s, "proxy_ssl_certificate", textOf, ""); !p.TLS.Known() || p.Cert.V == "" && cert.V != "" {
		p.Cert = cert
	}
	p.TLS = topology.SetAt(true, n.span())
	verify, complete := s.effective("proxy_ssl_verify")
	switch {
	case verify != nil && !isOpen(verify.arg()):
		worse(&p.Verify, topology.SetAt(verify.arg() == "on", verify.span()))
	case verify == nil && complete:
		worse(&p.Verify, topology.DefaultAt(false, n.span()))
	}
	switch alpn, complete := s.effective("proxy_ssl_alpn"); {
	case alpn != nil:
		worse(&p.HTTP2, topology.SetAt(has(alpn, "h2"), alpn.span()))
	case complete:
		worse(&p.HTTP2, topology.DefaultAt(false, n.span()))
	}
}

// worse keeps the first false, else the first that is known.
func worse(v *topology.Value[bool], next topology.Value[bool]) {
	if !v.Known() || v.V && !next.V {
		*v = next
	}
}

// resolves says whether a server's name is looked up again while NGINX runs: that of an upstream's server (n) with
// "resolve". It is unknown of an address.
func resolves(host topology.Value[string], n *node) topology.Value[bool] {
	if _, err := netip.ParseAddr(host.V); err == nil || !host.Known() {
		return topology.Value[bool]{}
	}
	if n != nil && has(n, "resolve") {
		return topology.SetAt(true, n.span())
	}
	return topology.DefaultAt(false, host.Span)
}
