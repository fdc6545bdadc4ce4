//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// PKI is a certificate authority with its folder.
type PKI struct {
	t    testing.TB
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	next int64
}

// newPKI makes a folder with ca.crt.
func newPKI(t testing.TB, dir string) *PKI {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p := &PKI{t: t, dir: dir, next: 1}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "rig CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour),
	}
	p.cert, p.key = p.sign("ca", template)
	return p
}

// Path is a file in the folder, such as ca.crt.
func (p *PKI) Path(name string) string { return filepath.Join(p.dir, name) }

// Issue writes NAME.crt, NAME.crt.key and, for HAProxy, NAME.pem with both, for these host names and addresses, which
// serves servers and clients alike.
func (p *PKI) Issue(name string, subjects ...string) {
	p.t.Helper()
	p.IssueFor(name, time.Now().Add(-time.Hour), 365*24*time.Hour, subjects...)
}

// IssueFor is Issue for a certificate that is valid from some moment on, for some time.
func (p *PKI) IssueFor(name string, from time.Time, validity time.Duration, subjects ...string) {
	p.t.Helper()
	template := &x509.Certificate{
		NotBefore: from, NotAfter: from.Add(validity),
		Subject:     pkix.Name{CommonName: name},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, s := range subjects {
		if ip := net.ParseIP(s); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, s)
		}
	}
	p.sign(name, template)
}

func (p *PKI) sign(name string, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	p.t.Helper()
	template.SerialNumber = big.NewInt(p.next)
	p.next++
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	issuer, signer := p.cert, p.key
	if issuer == nil {
		issuer, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, signer)
	if err != nil {
		p.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		p.t.Fatal(err)
	}
	crt := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	for file, data := range map[string][]byte{name + ".crt": crt, name + ".crt.key": secret, name + ".pem": append(crt, secret...)} {
		if err := os.WriteFile(p.Path(file), data, 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		p.t.Fatal(err)
	}
	return cert, key
}

// Client is the TLS of a client with the certificate NAME.crt.
func (p *PKI) Client(name string) *tls.Config {
	p.t.Helper()
	pair, err := tls.LoadX509KeyPair(p.Path(name+".crt"), p.Path(name+".crt.key"))
	if err != nil {
		p.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(p.cert)
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, MinVersion: tls.VersionTLS12}
}
