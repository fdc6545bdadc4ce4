package verify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"
)

// soon is when an expiry is worth a hint.
const soon = 30 * 24 * time.Hour

// client judges the certificate that this client presents.
func (j *judge) client() []Line {
	if j.certificate == nil {
		return nil
	}
	leaf, err := x509.ParseCertificate(j.certificate.Certificate[0])
	e := Endpoint{Role: "this client"}
	if err != nil {
		return []Line{e.line("expiry", Fail, "its certificate cannot be read: "+err.Error(), "")}
	}
	return []Line{j.expiry(e, leaf)}
}

// encryption judges a handshake and what the server showed in it.
func (j *judge) encryption(e Endpoint, s served) []Line {
	if s.err != nil {
		return []Line{noHandshake(e, s.err)}
	}
	lines := []Line{spoken(e, s)}
	if len(s.chain) > 0 {
		leaf := s.chain[0]
		for _, l := range []Line{names(e, leaf), j.chain(e, s.chain), j.expiry(e, leaf)} {
			if owner := j.shown[string(leaf.Raw)]; e.Role == Balancer && l.Result == Fail && j.failed[owner+l.Check] {
				l = e.line(l.Check, Skip, "the served certificate is that of "+owner+", which fails", "")
			}
			lines = append(lines, l)
		}
	}
	if s.refused != nil {
		return append(lines, j.refused(e, s.refused))
	}
	if j.certificate != nil {
		lines = append(lines, e.line("client-cert", Pass, "the client's certificate is accepted", ""))
	}
	return lines
}

func noHandshake(e Endpoint, err error) Line {
	why, hint := err.Error(), ""
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &record):
		why, hint = "what listens there does not speak TLS", "is this etcd's client port, and its scheme https?"
	case errors.Is(err, context.DeadlineExceeded):
		why, hint = "it accepts connections and says nothing", "the process hangs, or that to which a load balancer leads: see its log and the members"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		why, hint = "the connection is closed in the middle of it", "a load balancer without a healthy member does so: see the health of the members"
	}
	return e.line("tls", Fail, fmt.Sprintf("no TLS handshake: %s, so every client fails; need etcd's TLS", why), hint)
}

func spoken(e Endpoint, s served) Line {
	switch {
	case s.version == 0: // ended by the client's certificate
		return e.line("tls", Pass, "speaks TLS", "")
	case s.protocol != "h2":
		return e.line("tls", Fail, tls.VersionName(s.version)+", but not HTTP/2, so clients of etcd time out; need the protocol h2 agreed on",
			"where the load balancer ends TLS, add alpn h2 to its listener")
	}
	return e.line("tls", Pass, "speaks "+tls.VersionName(s.version)+" and HTTP/2", "")
}

// names compares a served certificate with what it must hold.
func names(e Endpoint, leaf *x509.Certificate) Line {
	var lacks []string
	for _, host := range e.Holds {
		if leaf.VerifyHostname(host) != nil {
			lacks = append(lacks, host)
		}
	}
	if len(lacks) == 0 {
		return e.line("names", Pass, "the served certificate holds "+strings.Join(e.Holds, ", "), "")
	}
	missing := strings.Join(lacks, ", ")
	return e.line("names", Fail, fmt.Sprintf("the served certificate%s lacks %s, so the TLS handshakes of clients that dial it fail; "+
		"need %s", subject(leaf), missing, strings.Join(e.Holds, ", ")),
		"issue the certificate anew with "+missing+" among its subject alternative names")
}

// subject tells a certificate from others, where it has a name.
func subject(c *x509.Certificate) string {
	if c.Subject.CommonName == "" {
		return ""
	}
	return fmt.Sprintf(" %q", c.Subject.CommonName)
}

// chain judges who signed the served certificate. Its expiry has a line of its own, so a moment at which it is valid is
// taken.
func (j *judge) chain(e Endpoint, chain []*x509.Certificate) Line {
	leaf := chain[0]
	at := j.now
	switch {
	case at.After(leaf.NotAfter):
		at = leaf.NotAfter.Add(-time.Second)
	case at.Before(leaf.NotBefore):
		at = leaf.NotBefore.Add(time.Second)
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: j.roots, Intermediates: between, CurrentTime: at})
	if err != nil {
		return e.line("chain", Fail, fmt.Sprintf("the served certificate%s is not to be trusted (%s), so clients refuse it; need one "+
			"that the CA of --cacert signed", subject(leaf), strings.TrimPrefix(err.Error(), "x509: ")),
			"give the CA that signed the members' certificates as --cacert; with an intermediate CA, etcd must serve it")
	}
	return e.line("chain", Pass, "signed by a trusted CA", "")
}

func (j *judge) expiry(e Endpoint, leaf *x509.Certificate) Line {
	day := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	left := leaf.NotAfter.Sub(j.now)
	switch {
	case left < 0:
		return e.line("expiry", Fail, fmt.Sprintf("the certificate%s expired on %s, so every new connection fails; need a valid one",
			subject(leaf), day(leaf.NotAfter)), "issue it anew")
	case j.now.Before(leaf.NotBefore):
		return e.line("expiry", Fail, fmt.Sprintf("the certificate%s is not valid before %s, so every new connection fails; need a valid one",
			subject(leaf), day(leaf.NotBefore)), "see the clocks of this machine and of the one that issued it")
	}
	hint := ""
	if left < soon && left < leaf.NotAfter.Sub(leaf.NotBefore)/3 {
		hint = "issue it anew soon"
	}
	return e.line("expiry", Pass, fmt.Sprintf("valid until %s, %d days from now", day(leaf.NotAfter), int(left.Hours())/24), hint)
}

// refused judges what a server said to the client's certificate.
func (j *judge) refused(e Endpoint, err error) Line {
	if cut, ok := silence(err); ok {
		hint := "see etcd's log there"
		if e.Role == Balancer {
			hint = "a load balancer without a healthy member does so: see the health of the members"
		}
		return e.line("etcd", Fail, cut+" after the TLS handshake, so clients fail; need etcd to answer", hint)
	}
	need := "one that etcd's --trusted-ca-file signed"
	if e.Role == Balancer {
		need = "one of the CA that etcd trusts, or the load balancer where it ends TLS"
	}
	if j.certificate == nil {
		return e.line("client-cert", Fail, fmt.Sprintf("a client without certificate is refused (%v); need %s", err, need), "give --cert and --key")
	}
	return e.line("client-cert", Fail, fmt.Sprintf("the client's certificate is refused (%v); need %s, valid and for client authentication", err, need),
		"give --cert and --key of a client of this cluster")
}

// silence tells how a server said nothing.
func silence(err error) (string, bool) {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection is closed", true
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "nothing comes", true
	}
	return "", false
}
