// Package pem reads certificates. It renders nothing, and of a private key it reads no more than the header.
package pem

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Target reads PEM files with certificates: single ones, chains, bundles, and such with a key beside them.
var Target = target.Target{
	Name:    "pem",
	Doc:     "certificates in PEM files (read only)",
	Detect:  detect,
	Parse:   parse,
	Binary:  true,
	Comment: "#",
}

var (
	begin      = pattern.New(`(?m)^-----BEGIN ([A-Z0-9 ]+)-----`)
	extensions = []string{".pem", ".crt", ".cer", ".cert", ".chain", ".bundle", ".ca-bundle"}
	preambles  = []string{"-----BEGIN ", "Certificate:", "Bag Attributes", "subject="}
)

// detect tells PEM files from texts that merely quote a certificate: by their name, or because they begin like one.
func detect(file string, head []byte) bool {
	if !bytes.Contains(head, []byte("CERTIFICATE-----")) {
		return false
	}
	if !slices.ContainsFunc(begin.FindAllSubmatch(head, -1), func(m [][]byte) bool { return isCertificate(string(m[1])) }) {
		return false
	}
	if slices.Contains(extensions, strings.ToLower(path.Ext(file))) {
		return true
	}
	text := string(bytes.TrimSpace(head))
	return slices.ContainsFunc(preambles, func(p string) bool { return strings.HasPrefix(text, p) })
}

func isCertificate(kind string) bool { return kind == "CERTIFICATE" || kind == "X509 CERTIFICATE" }

func parse(src target.Source) (*topology.Topology, diag.List) {
	t := &topology.Topology{Format: "pem", Span: diag.Span{File: src.Path}}
	var diags diag.List
	for _, f := range src.Files {
		line, counted := 1, 0
		for _, m := range begin.FindAllSubmatchIndex(f.Data, -1) {
			if !isCertificate(string(f.Data[m[2]:m[3]])) {
				continue
			}
			line += bytes.Count(f.Data[counted:m[0]], []byte("\n"))
			counted = m[0]
			at := diag.At(f.Path, line, 1, m[1]-m[0])
			cert, err := decode(f.Data[m[0]:])
			if err != nil {
				diags.Error(at, "syntax", fmt.Sprintf("certificate cannot be read (%v), so nothing is known of it; "+
					"need PEM of an X.509 certificate", err), "")
				continue
			}
			t.Certificates = append(t.Certificates, facts(cert, at))
		}
	}
	return t, diags
}

// decode reads the block at the beginning of data.
func decode(data []byte) (*x509.Certificate, error) {
	if next := bytes.Index(data, []byte("\n-----BEGIN ")); next >= 0 {
		data = data[:next+1]
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("the block is damaged or has no end")
	}
	return x509.ParseCertificate(block.Bytes)
}

func facts(c *x509.Certificate, at diag.Span) topology.Certificate {
	out := topology.Certificate{
		Role:  role(c, at.File),
		Name:  topology.SetAt(c.Subject.CommonName, at),
		Names: topology.SetAt([]string{}, at),
		Span:  at,

		NotBefore: c.NotBefore,
		NotAfter:  c.NotAfter,
		DER:       c.Raw,
	}
	if len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0 {
		out.ClientAuth = topology.SetAt(uses(c, x509.ExtKeyUsageClientAuth) || uses(c, x509.ExtKeyUsageAny), at)
	}
	for _, n := range c.DNSNames {
		out.Names.V = append(out.Names.V, topology.Host(n))
	}
	out.Addrs = topology.SetAt(addresses(c), at)
	return out
}

// peer matches file names of peer certificates.
var peer = pattern.New(`(?i)(^|[^a-z])peer([^a-z]|$)`)

// role is what a certificate is for; "" where its usages are none of TLS.
func role(c *x509.Certificate, file string) topology.CertRole {
	anything := len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 || uses(c, x509.ExtKeyUsageAny)
	switch {
	case c.BasicConstraintsValid && c.IsCA:
		return topology.CACert
	case peer.MatchString(path.Base(file)):
		return topology.PeerCert
	case anything || uses(c, x509.ExtKeyUsageServerAuth):
		return topology.ServerCert
	case uses(c, x509.ExtKeyUsageClientAuth):
		return topology.ClientCert
	}
	return ""
}

func uses(c *x509.Certificate, u x509.ExtKeyUsage) bool { return slices.Contains(c.ExtKeyUsage, u) }

// addresses are a certificate's IP entries, an IPv4 address in an IPv6 one as IPv4.
func addresses(c *x509.Certificate) []netip.Addr {
	out := []netip.Addr{}
	for _, ip := range c.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			out = append(out, a.Unmap())
		}
	}
	return out
}
