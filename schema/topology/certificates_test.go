package topology_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func certificate(file, name string, addrs ...string) *topology.Topology {
	c := topology.Certificate{Role: topology.ServerCert, Name: set(name), Names: set([]string{}), Span: diag.At(file, 1, 1, 1)}
	c.Addrs = set([]netip.Addr{})
	for _, a := range addrs {
		c.Addrs.V = append(c.Addrs.V, netip.MustParseAddr(a))
	}
	return &topology.Topology{Format: "pem", Certificates: []topology.Certificate{c}}
}

// started is a manifest of a member.
func started(name, address string, f topology.Flags) *topology.Topology {
	f.Span = diag.At("manifests/"+name, 1, 1, 1)
	f.ListenClientURLs = []topology.Value[string]{set("https://" + address + ":2379")}
	return &topology.Topology{Format: "etcd", Etcd: topology.EtcdOf([]topology.Member{{Name: set(name), Flags: f}})}
}

func path(p string) topology.Value[string] {
	return topology.SetAt(p, diag.At("manifests/etcd.yaml", 1, 1, 1))
}

func TestOwners(t *testing.T) {
	a := started("a", "10.0.0.1", topology.Flags{Cert: path("/etc/etcd/pki/server-a.crt")})
	b := started("b", "10.0.0.2", topology.Flags{Cert: path("/etc/etcd/pki/server-b.crt")})
	same := started("b", "10.0.0.2", topology.Flags{Cert: path("/etc/etcd/pki/server-a.crt")})
	for name, tc := range map[string]struct {
		cert *topology.Topology
		b    *topology.Topology
		want []string
	}{
		"by the manifest":             {cert: certificate("x/pki/server-b.crt", "etcd", "10.0.0.1"), b: b, want: []string{"b"}},
		"a manifest's in another one": {cert: certificate("www/server-b.crt", "etcd"), b: b},
		"by the file's name":          {cert: certificate("x/B.crt", "etcd"), b: b, want: []string{"b"}},
		"by the common name":          {cert: certificate("x/cert.pem", "a"), b: b, want: []string{"a"}},
		"file and common name differ": {cert: certificate("x/b.crt", "a"), b: b},
		"by its address":              {cert: certificate("x/cert.pem", "etcd", "10.0.0.2", "10.0.0.9"), b: b, want: []string{"b"}},
		"one for all":                 {cert: certificate("x/etcd.pem", "etcd", "10.0.0.1", "10.0.0.2"), b: b, want: []string{"a", "b"}},
		"two manifests name it alike": {cert: certificate("x/pki/server-a.crt", "etcd", "10.0.0.2"), b: same, want: []string{"b"}},
		"nothing tells":               {cert: certificate("x/etcd.pem", "etcd"), b: b},
	} {
		t.Run(name, func(t *testing.T) {
			g := &topology.Group{Sources: []*topology.Topology{a, tc.b, tc.cert}}
			var got []string
			for _, m := range g.Owners(&tc.cert.Certificates[0], g.EtcdCertificates()) {
				got = append(got, m.Name.V)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestCertRole(t *testing.T) {
	m := started("a", "10.0.0.1", topology.Flags{Cert: path("/pki/etcd/peer.crt"), PeerCert: path("/pki/etcd/both.crt")})
	for file, want := range map[string]topology.CertRole{
		"etcd/peer.crt": topology.ServerCert, "etcd/both.crt": topology.PeerCert, "www/both.crt": topology.ServerCert,
	} {
		c := certificate(file, "x")
		g := &topology.Group{Sources: []*topology.Topology{m, c}}
		if got := g.CertRole(&c.Certificates[0]); got != want {
			t.Errorf("%s is a %s certificate, want %s", file, got, want)
		}
	}
}

func TestDeclaredCAIsTheClosest(t *testing.T) {
	m := started("a", "10.0.0.1", topology.Flags{TrustedCA: path("/etc/kubernetes/pki/etcd/ca.crt")})
	g := &topology.Group{Sources: []*topology.Topology{m, certificate("pki/ca.crt", "k8s"), certificate("pki/etcd/ca.crt", "etcd")}}
	cas := g.DeclaredCAs()
	if len(cas) != 1 || cas[0].File != "pki/etcd/ca.crt" || len(cas[0].Certificates) != 1 {
		t.Errorf("got %+v", cas)
	}
	g.Sources = g.Sources[:1]
	if cas := g.DeclaredCAs(); len(cas) != 1 || cas[0].File != "" {
		t.Errorf("without any: %+v", cas)
	}
}

// TestMemberHostsOfManifests holds that what a manifest advertises is a member's host unless a spec says otherwise.
func TestMemberHostsOfManifests(t *testing.T) {
	peers := func(url string) *topology.Topology {
		f := topology.Flags{AdvertisePeerURLs: []topology.Value[string]{set(url)}, Span: diag.At("etcd.env", 1, 1, 1)}
		return &topology.Topology{Format: "etcd", Etcd: topology.EtcdOf([]topology.Member{{Name: set("a"), Flags: f}})}
	}
	g := &topology.Group{Sources: []*topology.Topology{peers("https://10.0.0.100:2380")}}
	if !g.MemberHosts()["10.0.0.100"] {
		t.Error("the manifest alone names a member")
	}
	spec := &topology.Topology{Format: "spec", Dialed: []topology.Value[string]{set("10.0.0.100")}}
	g = &topology.Group{Sources: append([]*topology.Topology{spec}, g.Sources...)}
	if g.MemberHosts()["10.0.0.100"] || !g.Balancers()["10.0.0.100"] {
		t.Error("the spec says that it is the load balancer's")
	}
}

// TestOtherServers: a member's machine serves other things, too. Where it is known which certificate etcd presents, another
// one that holds the machine's address is not etcd's.
func TestOtherServers(t *testing.T) {
	known := started("a", "10.0.0.1", topology.Flags{Cert: path("/etc/kubernetes/pki/etcd/server.crt")})
	silent := started("b", "10.0.0.2", topology.Flags{})
	for name, tc := range map[string]struct {
		cert *topology.Topology
		want bool
	}{
		"kube-apiserver's":       {certificate("pki/apiserver.crt", "kube-apiserver", "10.0.0.1"), false},
		"the manifest's":         {certificate("pki/etcd/server.crt", "x", "10.0.0.1"), true},
		"called alike elsewhere": {certificate("old/server.crt", "x", "10.0.0.1"), true},
		"by the member's name":   {certificate("pki/tls.crt", "A", "10.0.0.1"), true},
		"of a file of its name":  {certificate("pki/a.pem", "x", "10.0.0.1"), true},
		"whose own is not known": {certificate("pki/tls.crt", "x", "10.0.0.2"), true},
		"of both":                {certificate("pki/tls.crt", "x", "10.0.0.1", "10.0.0.2"), true},
		"etcd's by its name":     {certificate("pki/tls.crt", "etcd", "10.0.0.1"), true},
		"of neither":             {certificate("pki/tls.crt", "x", "10.0.0.3"), false},
	} {
		t.Run(name, func(t *testing.T) {
			g := &topology.Group{Sources: []*topology.Topology{known, silent, tc.cert}}
			if got := g.IsEtcdCertificate(&tc.cert.Certificates[0]); got != tc.want {
				t.Errorf("etcd's: %v", got)
			}
		})
	}
}
