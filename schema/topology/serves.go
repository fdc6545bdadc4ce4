package topology

import (
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// readyFrom are the first patch versions that serve /readyz, by minor version of etcd 3. Later minors all do.
var readyFrom = map[int]int{4: 29, 5: 11}

// ServesReady reports whether a version of etcd ("3.5.9", "v3.6") serves /readyz. It is not sure where that depends on a
// patch level that the version does not say.
func ServesReady(version string) (serves, sure bool) {
	parts := strings.Split(strings.TrimPrefix(version, "v"), ".")
	if len(parts) < 2 || parts[0] != "3" {
		return false, false
	}
	minor, err := strconv.Atoi(parts[1])
	if err != nil {
		return false, false
	}
	first, depends := readyFrom[minor]
	if !depends {
		return minor > 4, true
	}
	if len(parts) < 3 {
		return false, false
	}
	digits := parts[2]
	if i := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits = digits[:i] // "3.5.9-0", "3.5.9+k3s1"
	}
	patch, err := strconv.Atoi(digits)
	return patch >= first, err == nil
}

// Versions are the versions of etcd that sources of the group state, else what the command line says.
func (g *Group) Versions() []Value[string] {
	var out []Value[string]
	for _, t := range g.Sources {
		if v := t.Etcd.Version; v.Known() {
			out = append(out, v)
		}
	}
	if out == nil && g.EtcdVersion != "" {
		out = append(out, SetAt(g.EtcdVersion, diag.Span{}))
	}
	return out
}

// ClientScheme is what members speak on their client port, http or https, with what shows it: a spec, a manifest, a URL
// that clients dial, a server certificate. Unknown where nothing does.
func (g *Group) ClientScheme() Value[string] {
	for _, t := range g.Sources {
		if v := t.Etcd.Scheme; v.Known() {
			return v
		}
	}
	for _, t := range g.Sources {
		for _, d := range t.Dialers {
			if v := schemeOf(d.Endpoints); v.Known() {
				return v
			}
		}
		if v := schemeOf(t.Endpoints); v.Known() {
			return v
		}
	}
	if g.EndpointScheme != "" {
		return SetAt(g.EndpointScheme, diag.Span{})
	}
	for _, t := range g.Sources {
		for i := range t.Certificates {
			if c := &t.Certificates[i]; c.Role == ServerCert && !c.Declared && g.IsEtcdCertificate(c) {
				return SetAt("https", c.Span)
			}
		}
	}
	return Value[string]{}
}

// DemandsClientCert says whether members admit clients with a certificate only.
func (g *Group) DemandsClientCert() Value[bool] {
	for _, t := range g.Sources {
		if v := t.Etcd.ClientCertAuth; v.Known() && t.Etcd.Scheme.V != "http" {
			return v
		}
	}
	return Value[bool]{}
}
