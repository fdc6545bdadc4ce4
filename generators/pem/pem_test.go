package pem_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	etcdpem "github.com/etcdlbgen/etcdlbgen/generators/pem"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// issue makes a self-signed certificate and its key in PEM.
func issue(t *testing.T, c x509.Certificate) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(1)
	c.NotAfter = time.Unix(1<<32, 0)
	der, err := x509.CreateCertificate(rand.Reader, &c, &c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

func read(t *testing.T, path string, data []byte) ([]topology.Certificate, diag.List) {
	t.Helper()
	got, diags := etcdpem.Target.Parse(target.Source{Path: path, Files: []target.File{{Path: path, Data: data}}})
	if got == nil {
		t.Fatal("no topology")
	}
	return got.Certificates, diags
}

func TestRoles(t *testing.T) {
	usage := func(u ...x509.ExtKeyUsage) x509.Certificate { return x509.Certificate{ExtKeyUsage: u} }
	for name, tc := range map[string]struct {
		file string
		cert x509.Certificate
		want topology.CertRole
	}{
		"server":         {"etcd-1.crt", usage(x509.ExtKeyUsageServerAuth), topology.ServerCert},
		"both":           {"etcd-1.crt", usage(x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth), topology.ServerCert},
		"no usage":       {"etcd-1.crt", usage(), topology.ServerCert},
		"any usage":      {"etcd-1.crt", usage(x509.ExtKeyUsageAny), topology.ServerCert},
		"client":         {"etcd-1.crt", usage(x509.ExtKeyUsageClientAuth), topology.ClientCert},
		"code signing":   {"etcd-1.crt", usage(x509.ExtKeyUsageCodeSigning), ""},
		"peer file":      {"pki/etcd-1-peer.crt", usage(x509.ExtKeyUsageServerAuth), topology.PeerCert},
		"peer as a part": {"pki/speers.crt", usage(x509.ExtKeyUsageServerAuth), topology.ServerCert},
		"peer folder":    {"peer/etcd-1.crt", usage(x509.ExtKeyUsageServerAuth), topology.ServerCert},
		"ca":             {"peer-ca.crt", x509.Certificate{IsCA: true, BasicConstraintsValid: true}, topology.CACert},
	} {
		t.Run(name, func(t *testing.T) {
			cert, _ := issue(t, tc.cert)
			got, diags := read(t, tc.file, cert)
			if len(diags) > 0 || len(got) != 1 || got[0].Role != tc.want {
				t.Errorf("got %+v, %v, want role %q", got, diags, tc.want)
			}
		})
	}
}

func TestNamesAreCanonical(t *testing.T) {
	cert, _ := issue(t, x509.Certificate{
		Subject:     pkix.Name{CommonName: "etcd-1"},
		DNSNames:    []string{"ETCD-LB.Example.com", "*.etcd.example.com"},
		IPAddresses: []net.IP{net.ParseIP("10.0.1.10"), net.ParseIP("fd00:0::1")},
	})
	got, _ := read(t, "a.crt", cert)
	at := diag.At("a.crt", 1, 1, len("-----BEGIN CERTIFICATE-----"))
	want := topology.Certificate{
		Role:  topology.ServerCert,
		Name:  topology.SetAt("etcd-1", at),
		Names: topology.SetAt([]string{"etcd-lb.example.com", "*.etcd.example.com"}, at),
		Addrs: topology.SetAt([]netip.Addr{netip.MustParseAddr("10.0.1.10"), netip.MustParseAddr("fd00::1")}, at),
		Span:  at,
	}
	got[0].DER, got[0].NotBefore, got[0].NotAfter = nil, time.Time{}, time.Time{}
	if diff := cmp.Diff(want, got[0], cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestChainWithKey(t *testing.T) {
	leaf, key := issue(t, x509.Certificate{DNSNames: []string{"a"}})
	ca, _ := issue(t, x509.Certificate{IsCA: true, BasicConstraintsValid: true})
	file := bytes.Join([][]byte{key, leaf, ca}, []byte("some text\n"))
	if !etcdpem.Target.Detect("haproxy.pem", file) {
		t.Fatal("not detected")
	}
	got, diags := read(t, "haproxy.pem", file)
	if len(diags) > 0 || len(got) != 2 || got[0].Role != topology.ServerCert || got[1].Role != topology.CACert {
		t.Fatalf("got %+v, %v", got, diags)
	}
	if want := 2 + bytes.Count(key, []byte("\n")); got[0].Span.Line != want {
		t.Errorf("leaf at line %d, want %d", got[0].Span.Line, want)
	}
}

func TestDamaged(t *testing.T) {
	good, _ := issue(t, x509.Certificate{})
	for name, data := range map[string]string{
		"no end":       "-----BEGIN CERTIFICATE-----\nMIIB\n",
		"no base64":    "-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----\n",
		"no X.509":     "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"header alone": "-----BEGIN CERTIFICATE-----",
	} {
		t.Run(name, func(t *testing.T) {
			got, diags := read(t, "a.crt", append([]byte(data), "\n"+string(good)...))
			if len(got) != 1 || len(diags) != 1 || diags[0].Rule != "syntax" || diags[0].Span.Line != 1 {
				t.Errorf("got %d certificates, %v", len(got), diags)
			}
		})
	}
}

func TestDetect(t *testing.T) {
	cert, key := issue(t, x509.Certificate{})
	for name, tc := range map[string]struct {
		file, head string
		want       bool
	}{
		"certificate":   {"a.crt", string(cert), true},
		"any name":      {"server", string(cert), true},
		"text before":   {"a.pem", "subject=/CN=x\n" + string(cert), true},
		"key alone":     {"a.pem", string(key), false},
		"empty":         {"a.pem", "", false},
		"in YAML":       {"a.yaml", "ca: |\n  " + strings.ReplaceAll(string(cert), "\n", "\n  "), false},
		"in a document": {"a.md", "see\n" + string(cert), false},
	} {
		if got := etcdpem.Target.Detect(tc.file, []byte(tc.head)); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, diags := etcdpem.Target.Parse(target.Source{Path: "a", Files: []target.File{{Path: "a", Data: data}}})
		if n := bytes.Count(data, []byte("-----BEGIN ")); len(got.Certificates)+len(diags) > n {
			t.Errorf("%d certificates and %d diagnostics of %d blocks", len(got.Certificates), len(diags), n)
		}
	})
}
