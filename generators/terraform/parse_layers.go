package terraform

import (
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// readProtocols reads what an AWS target group speaks to its targets beside TCP: a PROXY protocol header, HTTP/2.
func readProtocols(group node, p *topology.Pool) {
	if header := read(group, "proxy_protocol_v2", value.truth); header.V {
		p.ProxyHeader = header
	}
	if p.Mode.V == topology.HTTP {
		p.HTTP2 = readOr(group, "protocol_version", func(v value) (bool, bool) {
			version, ok := v.text()
			return !strings.EqualFold(version, "HTTP1"), ok
		}, false)
	}
}

// readOffer reads what an AWS listener offers clients. An application load balancer speaks HTTP/2 over TLS alone, a
// network one what its policy says.
func readOffer(listener node, l *topology.Listener) {
	protocol := read(listener, "protocol", value.text)
	switch strings.ToUpper(protocol.V) {
	case "HTTP":
		l.HTTP2 = topology.SetAt(false, protocol.Span)
	case "HTTPS":
		l.TLS = topology.SetAt(true, protocol.Span)
		l.HTTP2 = topology.DefaultAt(true, protocol.Span)
	case "TLS":
		l.TLS = topology.SetAt(true, protocol.Span)
		l.HTTP2 = readOr(listener, "alpn_policy", func(v value) (bool, bool) {
			policy, ok := v.text()
			return strings.HasPrefix(policy, "HTTP2"), ok
		}, false)
		if l.HTTP2.State == topology.Defaulted {
			l.HTTP2.Span = protocol.Span
		}
	}
}

// readClassicOffer is what a classic load balancer's listener offers: it knows no HTTP/2.
func readClassicOffer(listener node, l *topology.Listener, p *topology.Pool) {
	protocol := read(listener, "lb_protocol", value.text)
	switch strings.ToLower(protocol.V) {
	case "https", "ssl":
		l.TLS = topology.SetAt(true, protocol.Span)
		fallthrough
	case "http":
		l.HTTP2 = topology.SetAt(false, protocol.Span)
	}
	if p.Mode.V == topology.HTTP {
		p.HTTP2 = topology.SetAt(false, p.Mode.Span)
	}
}

// readClassicHeaders reads to which ports a classic load balancer sends a PROXY protocol header.
func readClassicHeaders(lb node, p *topology.Proxy) {
	for _, n := range lb.scope.folder.of("aws_proxy_protocol_policy") {
		if n.target("load_balancer", "aws_elb") != lb.address() {
			continue
		}
		for _, port := range n.ports("instance_ports", "") {
			for i := range p.Pools {
				if b := &p.Pools[i]; port.Known() && len(b.Servers) > 0 && b.Servers[0].Port.V == port.V {
					b.ProxyHeader = topology.SetAt(true, port.Span)
				}
			}
		}
	}
}

// readProtocols reads what a Google proxy speaks to its backends.
func (r *googleReader) readProtocols(service node, p *topology.Pool) {
	if p.Mode.V == topology.HTTP {
		p.HTTP2 = readOr(service, "protocol", func(v value) (bool, bool) {
			switch protocol, _ := v.text(); strings.ToUpper(protocol) {
			case "HTTP2", "GRPC", "H2C":
				return true, true
			case "HTTP", "HTTPS":
				return false, true
			}
			return false, false
		}, false)
	}
	for _, rule := range r.rules[service.address()] {
		proxy, ok := r.folder.first(rule.targetOf("target", targetProxies))
		if !ok {
			continue
		}
		if header := read(proxy, "proxy_header", value.text); header.V == "PROXY_V1" {
			p.ProxyHeader = topology.SetAt(true, header.Span)
		}
	}
}
