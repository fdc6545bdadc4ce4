package haproxy

import (
	"net/netip"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// offers reads whether a listener ends TLS, and whether it then offers HTTP/2. Without TLS HAProxy finds out by itself
// what clients speak.
func (r *reader) offers(s *section, l *topology.Listener) {
	for _, x := range s.by["bind"] {
		if !x.flag("ssl") {
			continue
		}
		if h2 := offered(x); !l.TLS.Known() || h2.Known() && !h2.V && (l.HTTP2.V || !l.HTTP2.Known()) {
			l.HTTP2 = h2
		}
		if !l.TLS.Known() {
			l.TLS = topology.SetAt(true, x.at)
			l.Certificate = shown(x)
		}
	}
}

// shown is the certificate of a bind line with TLS, and who must have signed those of clients.
func shown(bind line) topology.KeyPair {
	var out topology.KeyPair
	demanded := false
	for i, w := range bind.words {
		switch w.text {
		case "crt":
			if !out.Cert.Known() {
				out.Cert = textOf(bind.word(i + 1))
			}
		case "ca-file":
			out.CA = textOf(bind.word(i + 1))
		case "verify":
			demanded = bind.word(i+1).text == "required"
		}
	}
	if !demanded {
		out.CA = topology.Value[string]{}
	}
	out.Key = beside(out.Cert)
	return out
}

// beside is the key of a certificate, which is in its file or beside it.
func beside(cert topology.Value[string]) topology.Value[string] {
	if cert.V == "" {
		return cert
	}
	return topology.DefaultAt(cert.V+keySuffix, cert.Span)
}

// offered says whether a bind line with TLS offers HTTP/2.
func offered(bind line) topology.Value[bool] {
	out := topology.DefaultAt(false, bind.at)
	for i, w := range bind.words {
		switch {
		case w.text == "alpn" || w.text == "proto":
			v := bind.word(i + 1)
			if v.unknown {
				return topology.UnknownAt[bool](v.at)
			}
			out = topology.SetAt(out.V || hasH2(v.text), v.at)
		case w.unknown && i > 1, w.text == "crt-list": // may say it
			out.State = topology.Unknown
		}
	}
	return out
}

func hasH2(alpn string) bool {
	for protocol := range strings.SplitSeq(alpn, ",") {
		if strings.TrimSpace(protocol) == "h2" {
			return true
		}
	}
	return false
}

// headers of the PROXY protocol, as parameters of a server.
var proxyHeaders = []string{"send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn"}

// encrypt reads what the proxy speaks to the servers of a pool. Where they differ the one that falls short counts.
func (r *reader) encrypt(p *topology.Pool, members []member) {
	for _, m := range members {
		for _, keyword := range proxyHeaders {
			if m.params.has(keyword) && !p.ProxyHeader.Known() {
				p.ProxyHeader = flagOf(m.params, keyword, m.Span)
			}
		}
		secure := m.params.has("ssl")
		if secure || p.Mode.V == topology.HTTP {
			worse(&p.HTTP2, m.speaks())
		}
		if !secure {
			continue
		}
		worse(&p.Verify, r.verifies(m))
		if cert := paramOf(m.params, "crt", readText, "", m.Span); !p.TLS.Known() || p.Cert.V == "" && cert.V != "" {
			p.Cert, p.Key = cert, beside(cert)
			p.CA = paramOf(m.params, "ca-file", readText, "", m.Span)
		}
		if !p.TLS.Known() {
			p.TLS = flagOf(m.params, "ssl", m.Span)
		}
	}
}

// worse keeps the first false, else the first that is known.
func worse(v *topology.Value[bool], next topology.Value[bool]) {
	if next.Known() && (!v.Known() || v.V && !next.V) {
		*v = next
	}
}

// speaks says whether HTTP/2 is spoken or offered to a server.
func (m member) speaks() topology.Value[bool] {
	for _, keyword := range []string{"proto", "alpn"} {
		if m.params.has(keyword) {
			return paramOf(m.params, keyword, func(text string) (bool, bool) { return hasH2(text), true }, false, m.Span)
		}
	}
	return paramOf(m.params, "alpn", func(text string) (bool, bool) { return hasH2(text), true }, false, m.Span)
}

// verifies says whether a server's certificate is verified.
func (r *reader) verifies(m member) topology.Value[bool] {
	how := paramOf(m.params, "verify", readText, r.verify.V, m.Span)
	if how.State == topology.Defaulted && !r.verify.Known() {
		return topology.UnknownAt[bool](m.Span)
	}
	return topology.Value[bool]{V: how.Known() && how.V != "none", State: how.State, Span: how.Span}
}

// resolves says whether HAProxy starts without an address for a server's name, or looks it up again. It is unknown of an
// address.
func resolves(p paramSet, host topology.Value[string]) topology.Value[bool] {
	if _, err := netip.ParseAddr(host.V); err == nil || !host.Known() {
		return topology.Value[bool]{}
	}
	if p.has("resolvers") {
		return flagOf(p, "resolvers", host.Span)
	}
	return paramOf(p, "init-addr", func(text string) (bool, bool) {
		return text == "none" || strings.HasSuffix(text, ",none"), true
	}, false, host.Span)
}
