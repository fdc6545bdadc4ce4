package iptables

import (
	"net/netip"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// maxSources is how many sources of one rule are looked at: longer lists are unknown.
const maxSources = 4096

// source reads the value of -s: addresses, prefixes and host names, with commas between them.
func (o *options) source(value word, negated bool) {
	if negated {
		limit(&o.match)
		o.sources = append(o.sources, source{from: topology.UnknownAt[netip.Prefix](value.span)})
		return
	}
	if strings.Count(value.text, ",") >= maxSources {
		o.sources = append(o.sources, source{from: topology.UnknownAt[netip.Prefix](value.span)})
		return
	}
	for _, text := range strings.Split(value.text, ",") {
		s := source{from: topology.UnknownAt[netip.Prefix](value.span)}
		switch p, ok := prefix(text); {
		case value.dynamic:
		case ok:
			s.from = topology.SetAt(p, value.span)
		case hostName.MatchString(text):
			s.name = topology.SetAt(strings.ToLower(text), value.span)
		}
		o.sources = append(o.sources, s)
	}
}

// hostName is a name that may be one of DNS. A bare word in capitals is a placeholder.
var hostName = pattern.New(`^[A-Za-z0-9-]*[a-z0-9][A-Za-z0-9.-]*$`)

// prefix reads an address, or one with a mask in either notation, without the host part. Iptables fills up short ones: 10/8.
func prefix(text string) (netip.Prefix, bool) {
	address, mask, masked := strings.Cut(text, "/")
	if masked && !strings.Contains(address, ":") {
		for strings.Count(address, ".") < 3 {
			address += ".0"
		}
	}
	a, err := netip.ParseAddr(address)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	if !masked {
		return host(a), true
	}
	if m, err := netip.ParseAddr(mask); err == nil && m.Is4() && a.Is4() {
		return dotted(a, m.As4())
	}
	p, err := netip.ParsePrefix(address + "/" + mask)
	return p.Masked(), err == nil
}

// dotted is an address with a mask such as 255.255.255.0, whose ones must be at the front.
func dotted(a netip.Addr, mask [4]byte) (netip.Prefix, bool) {
	bits := 0
	gap := false
	for i := range 32 {
		switch one := mask[i/8]>>(7-i%8)&1 == 1; {
		case one && gap:
			return netip.Prefix{}, false
		case one:
			bits++
		default:
			gap = true
		}
	}
	return netip.PrefixFrom(a, bits).Masked(), true
}
