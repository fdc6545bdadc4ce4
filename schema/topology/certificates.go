package topology

import (
	"net/netip"
	"path"
	"slices"
	"strings"
)

// GroupMember is a member as all sources of a group have it: by a spec where there is one.
type GroupMember struct {
	Member
	Started []Flags // what sources beside the spec say of how it is started
}

// Members are etcd's members in a group, each once.
func (g *Group) Members() []GroupMember {
	var out []GroupMember
	spec := g.Spec()
	if spec != nil {
		for _, m := range spec.Etcd.Members {
			out = append(out, GroupMember{Member: m})
		}
	}
	for _, t := range g.Sources {
		if t == spec {
			continue
		}
		for _, m := range t.Etcd.Members {
			i := slices.IndexFunc(out, func(o GroupMember) bool { return o.is(m) })
			switch {
			case i < 0 && spec == nil:
				out = append(out, GroupMember{Member: m})
				i = len(out) - 1
			case i < 0:
				continue
			}
			if m.Flags.Known() {
				out[i].Started = append(out[i].Started, m.Flags)
			}
		}
	}
	return out
}

// is reports whether two members are one: they share an address or host name, or the name where both have one.
func (m GroupMember) is(o Member) bool {
	if m.Name.Known() && o.Name.Known() {
		return m.Name.V == o.Name.V
	}
	hosts := m.hosts()
	return slices.ContainsFunc(o.hosts(), func(h string) bool { return slices.Contains(hosts, h) })
}

// naming is a file that a configuration names.
type naming struct {
	path Value[string]
	what CertRole
}

// namings are the certificates that a source names.
func (t *Topology) namings() []naming {
	var out []naming
	add := func(what CertRole, paths ...Value[string]) {
		for _, p := range paths {
			if p.Known() && p.V != "" {
				out = append(out, naming{p, what})
			}
		}
	}
	add(CACert, t.Etcd.TrustedCA)
	for _, m := range t.Etcd.Members {
		add(CACert, m.Flags.TrustedCA)
		add(ServerCert, m.Flags.Cert)
		add(ClientCert, m.Flags.ClientCert)
		add(PeerCert, m.Flags.PeerCert)
	}
	add(ClientCert, t.Clients.Certificate.Cert)
	for _, d := range t.Dialers {
		if d.Program == "kube-apiserver" {
			add(ClientCert, d.Certificate.Cert)
		}
	}
	return out
}

// NamesFiles reports whether the source names any certificate.
func (t *Topology) NamesFiles() bool { return len(t.namings()) > 0 }

// Names reports whether the source names a file of certificates: as the CA by its base name alone, as another one by
// more of its path, since many things have a server.crt.
func (t *Topology) Names(file string) bool {
	return slices.ContainsFunc(t.namings(), func(n naming) bool {
		return n.what == CACert && path.Base(n.path.V) == path.Base(file) || n.what != CACert && n.is(file)
	})
}

// is reports whether a linted file is the one that is named: its folder is called alike, too, or the name is etcd's.
func (n naming) is(file string) bool {
	base := path.Base(file)
	if path.Base(n.path.V) != base {
		return false
	}
	return NamesEtcd(base) || path.Dir(file) == path.Dir(n.path.Span.File) ||
		path.Base(path.Dir(n.path.V)) == path.Base(path.Dir(file))
}

// CertRole is what a certificate is for, as manifests say where they name its file.
func (g *Group) CertRole(c *Certificate) CertRole {
	if c.Role != ServerCert && c.Role != PeerCert {
		return c.Role
	}
	role := c.Role
	for _, t := range g.Sources {
		for _, n := range t.namings() {
			switch {
			case n.what != ServerCert && n.what != PeerCert || !n.is(c.Span.File):
			case n.what == ServerCert:
				return ServerCert
			default:
				role = PeerCert
			}
		}
	}
	return role
}

// DeclaredCA is a CA that a spec or manifest trusts, and what was linted in its place.
type DeclaredCA struct {
	Path         Value[string]
	File         string // "" where none was linted
	Certificates []*Certificate
}

// DeclaredCAs are the declared CAs, each with the linted file of that base name. Of several such files, those whose path
// has most in common with the declared one are taken.
func (g *Group) DeclaredCAs() []DeclaredCA {
	var out []DeclaredCA
	seen := map[[2]string]bool{}
	for _, t := range g.Sources {
		for _, n := range t.namings() {
			if n.what != CACert {
				continue
			}
			files := g.closest(n.path.V)
			if len(files) == 0 {
				files = []string{""}
			}
			for _, file := range files {
				if key := [2]string{n.path.V, file}; !seen[key] {
					seen[key] = true
					out = append(out, DeclaredCA{n.path, file, g.inFile(file)})
				}
			}
		}
	}
	return out
}

// closest are the linted files of certificates that share the longest end with a path, its base name at least.
func (g *Group) closest(declared string) []string {
	var out []string
	most := 1
	for _, t := range g.Sources {
		for i := range t.Certificates {
			file := t.Certificates[i].Span.File
			n := commonEnd(declared, file)
			if t.Certificates[i].Declared || n < most || slices.Contains(out, file) {
				continue
			}
			if n > most {
				out = nil
			}
			most = n
			out = append(out, file)
		}
	}
	return out
}

// commonEnd is the number of last elements that two paths have in common.
func commonEnd(a, b string) int {
	as, bs := strings.Split(path.Clean(a), "/"), strings.Split(path.Clean(b), "/")
	n := 0
	for n < len(as) && n < len(bs) && as[len(as)-1-n] == bs[len(bs)-1-n] {
		n++
	}
	return n
}

func (g *Group) inFile(file string) []*Certificate {
	var out []*Certificate
	for _, t := range g.Sources {
		for i := range t.Certificates {
			if c := &t.Certificates[i]; !c.Declared && c.Span.File == file {
				out = append(out, c)
			}
		}
	}
	return out
}

// EtcdCertificates are the linted certificates that are etcd's, those that stand in one file with one of these included.
func (g *Group) EtcdCertificates() []*Certificate {
	files := map[string]bool{}
	var all []*Certificate
	for _, t := range g.Sources {
		for i := range t.Certificates {
			if c := &t.Certificates[i]; !c.Declared {
				all = append(all, c)
				files[c.Span.File] = files[c.Span.File] || g.IsEtcdCertificate(c)
			}
		}
	}
	for _, ca := range g.DeclaredCAs() {
		files[ca.File] = true // that of none is no file
	}
	return slices.DeleteFunc(all, func(c *Certificate) bool { return !files[c.Span.File] })
}

// Owners are the members that present a server certificate: by manifests, by the name of its file or its common name, or
// by the addresses it holds. None where that is not certain. All are the certificates of etcd.
func (g *Group) Owners(c *Certificate, all []*Certificate) []GroupMember {
	members := g.Members()
	pick := func(is func(m GroupMember) bool) []GroupMember {
		var out []GroupMember
		for _, m := range members {
			if is(m) {
				out = append(out, m)
			}
		}
		return out
	}
	if by := pick(func(m GroupMember) bool { return m.presents(c) }); len(by) == 1 {
		return by
	}
	base := path.Base(c.Span.File)
	file := strings.TrimSuffix(base, path.Ext(base))
	if by := pick(func(m GroupMember) bool {
		return m.Name.Known() && (strings.EqualFold(m.Name.V, file) || strings.EqualFold(m.Name.V, c.Name.V))
	}); len(by) > 0 {
		if len(by) > 1 {
			return nil
		}
		return by
	}
	by := pick(func(m GroupMember) bool {
		return slices.ContainsFunc(c.Addrs.V, func(a netip.Addr) bool { return slices.Contains(m.hosts(), Host(a.String())) })
	})
	if len(by) > 1 && g.onlyServer(c, all) {
		return members // one certificate for all
	}
	return by
}

// presents reports whether what a member is started with names the certificate's file.
func (m GroupMember) presents(c *Certificate) bool {
	return slices.ContainsFunc(m.Started, func(f Flags) bool {
		return f.Cert.Known() && naming{f.Cert, ServerCert}.is(c.Span.File)
	})
}

// presentsAnother reports whether a member is known to present another certificate than one that holds its address: its
// machine serves other things, too, kube-apiserver above all.
func (m GroupMember) presentsAnother(c *Certificate) bool {
	base := path.Base(c.Span.File)
	if m.Name.Known() && (strings.EqualFold(m.Name.V, strings.TrimSuffix(base, path.Ext(base))) || strings.EqualFold(m.Name.V, c.Name.V)) {
		return false
	}
	another := false
	for _, f := range m.Started {
		if f.Cert.Known() && path.Base(f.Cert.V) == base {
			return false
		}
		another = another || f.Cert.Known()
	}
	return another
}

// onlyServer reports whether no other of the certificates is a server's.
func (g *Group) onlyServer(c *Certificate, all []*Certificate) bool {
	return !slices.ContainsFunc(all, func(o *Certificate) bool { return o != c && g.CertRole(o) == ServerCert })
}
