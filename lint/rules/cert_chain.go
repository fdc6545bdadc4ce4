package rules

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var certChain = Rule{
	ID:       "cert-chain",
	Title:    "a certificate was not issued by the declared CA",
	Severity: "error",
	Why: "etcd trusts the CAs in --trusted-ca-file and no others. A client whose certificate another one issued is refused, and a server certificate of another one is refused by clients that have the CA's file, and by etcd's own gateway. A CA file " +
		"without a CA refuses everybody.",
	Fix: "Issue the certificate from the declared CA, with the intermediate CAs in the same file, or declare the right CA.",
	References: []string{
		"kubernetes-sigs/kubespray#2139",
		"https://etcd.io/docs/v3.6/op-guide/security/",
		"https://kubernetes.io/docs/setup/best-practices/certificates/",
	},
	Check:    checkCertChain,
	Unjudged: certChainUnjudged,
}

func checkCertChain(g *topology.Group) diag.List {
	var out diag.List
	cas := g.DeclaredCAs()
	v := verifier{checks: maxSignatures}
	trusted, unread := map[string]bool{}, false // files
	for _, ca := range cas {
		if ca.File == "" {
			unread = true
			continue
		}
		trusted[ca.File] = true
		if n := v.trust(ca.Certificates); n == 0 {
			out = append(out, diag.Diagnostic{
				Span:     ca.Certificates[0].Span,
				Severity: diag.Error,
				Message: "the declared CA file " + ca.Path.V + " holds no CA, so etcd refuses every client; need the certificate of the CA " +
					"(basic constraints CA:TRUE)",
				Hint:    "put the CA's own certificate into the file",
				Related: []diag.Related{{Span: ca.Path.Span, Message: "declared here"}},
			})
		}
	}
	if len(v.roots) == 0 || unread {
		return out
	}
	files := map[string]bySubject{}
	all := g.EtcdCertificates()
	for _, c := range all {
		if x := parsed(c); x != nil && c.Role == topology.CACert {
			if files[c.Span.File] == nil {
				files[c.Span.File] = bySubject{}
			}
			files[c.Span.File][string(x.RawSubject)] = append(files[c.Span.File][string(x.RawSubject)], x)
		}
	}
	for _, c := range all {
		role := g.CertRole(c)
		x := parsed(c)
		if role != topology.ServerCert && role != topology.ClientCert || x == nil || trusted[c.Span.File] ||
			v.chains(x, files[c.Span.File], 0) {
			continue
		}
		out = append(out, diag.Diagnostic{
			Span:     c.Span,
			Severity: diag.Error,
			Message: fmt.Sprintf("%s is not signed by the declared CA %s, so its handshakes fail; need one of that CA",
				called(string(role)+" certificate", c.Name), cas[0].Path.V),
			Hint: "issue it from the declared CA, or declare its own",
			Related: []diag.Related{
				{Span: cas[0].Certificates[0].Span, Message: "taken to be the declared CA"},
				{Span: cas[0].Path.Span, Message: "declared here"},
			},
		})
	}
	return out
}

func parsed(c *topology.Certificate) *x509.Certificate {
	x, err := x509.ParseCertificate(c.DER)
	if err != nil {
		return nil
	}
	return x
}

// The bounds of what is verified: beyond them a certificate counts as signed.
const (
	maxSignatures = 500
	maxDepth      = 8
)

// bySubject are the CAs of one file.
type bySubject map[string][]*x509.Certificate

// verifier follows signatures up to the certificates that are trusted. It does not look at dates.
type verifier struct {
	roots  []*x509.Certificate
	checks int // that are left
}

// trust adds the CAs among certificates and returns their number.
func (v *verifier) trust(certs []*topology.Certificate) int {
	n := 0
	for _, c := range certs {
		if c.Role != topology.CACert {
			continue
		}
		n++
		if x := parsed(c); x != nil {
			v.roots = append(v.roots, x)
		}
	}
	return n
}

// chains reports whether a certificate leads to a trusted one, by way of others. What cannot be verified does.
func (v *verifier) chains(c *x509.Certificate, between bySubject, depth int) bool {
	if depth > maxDepth {
		return true
	}
	for _, r := range v.roots {
		if bytes.Equal(r.Raw, c.Raw) || v.signed(c, r) {
			return true
		}
	}
	for _, b := range between[string(c.RawIssuer)] {
		if !bytes.Equal(b.Raw, c.Raw) && v.signed(c, b) && v.chains(b, between, depth+1) {
			return true
		}
	}
	return false
}

func (v *verifier) signed(c, by *x509.Certificate) bool {
	if !bytes.Equal(c.RawIssuer, by.RawSubject) {
		return false
	}
	if v.checks--; v.checks < 0 {
		return true
	}
	err := c.CheckSignatureFrom(by)
	var insecure x509.InsecureAlgorithmError
	return err == nil || errors.As(err, &insecure) || errors.Is(err, x509.ErrUnsupportedAlgorithm)
}

func certChainUnjudged(g *topology.Group) string {
	if len(g.DeclaredCAs()) > 0 {
		return ""
	}
	for _, c := range g.EtcdCertificates() {
		if g.CertRole(c) == topology.ServerCert {
			return "no CA is declared: lint the spec or etcd's configuration, too"
		}
	}
	return ""
}
