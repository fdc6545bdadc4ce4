package verify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"time"
)

// served is what a TLS server shows.
type served struct {
	err      error // no handshake
	chain    []*x509.Certificate
	version  uint16
	protocol string // that both speak: "h2" for gRPC
	// refused is what the server said after it saw the client's certificate.
	refused error
}

// tlsConfig is that of one endpoint. It accepts any certificate: what the server shows is judged on lines of its own,
// and a wrong name must not hide whether etcd answers. Nothing secret is sent, and nothing that is read is trusted.
func (v *verifier) tlsConfig(e Endpoint) *tls.Config {
	if !e.TLS {
		return nil
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: e.host(), InsecureSkipVerify: true, Certificates: v.pairs,
	}
}

// connect opens one TCP connection. Proxies of the environment are not for etcd.
func (v *verifier) connect(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: v.DialTimeout}
	return d.DialContext(ctx, "tcp", address)
}

// greeting begins HTTP/2, as a client of etcd does: the preface and empty settings. The server answers with its own,
// or, where it does not like the client's certificate, with an alert.
const greeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// handshake speaks TLS on a connection, and waits for the first byte that follows it: in TLS 1.3 the server looks at the
// client's certificate only then.
func (v *verifier) handshake(ctx context.Context, raw net.Conn, e Endpoint) served {
	var s served
	config := v.tlsConfig(e)
	config.NextProtos = []string{"h2"}
	config.VerifyConnection = func(state tls.ConnectionState) error {
		s.chain = state.PeerCertificates
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, v.CommandTimeout)
	defer cancel()
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		if len(s.chain) > 0 { // the handshake went as far as to the client's certificate
			s.refused = err
		} else {
			s.err = err
		}
		return s
	}
	state := conn.ConnectionState()
	s.version, s.protocol = state.Version, state.NegotiatedProtocol
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := io.WriteString(conn, greeting); err != nil {
		s.refused = err
	} else if _, err := conn.Read(make([]byte, 1)); err != nil {
		s.refused = err
	}
	return s
}

// checked is what a health check got.
type checked struct {
	status int
	body   string
	err    error
}

// askHealth asks as the load balancer does.
func (v *verifier) askHealth(ctx context.Context, h Health) checked {
	timeout := h.Timeout
	if timeout == 0 {
		timeout = v.CommandTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: v.roots, Certificates: v.pairs},
		DisableKeepAlives: true,
	}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL, nil)
	if err != nil {
		return checked{err: err}
	}
	response, err := client.Do(request)
	if err != nil {
		return checked{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 200))
	return checked{status: response.StatusCode, body: string(body), err: err}
}

// open reports whether something accepts connections at an address.
func (v *verifier) open(ctx context.Context, address string) bool {
	conn, err := v.connect(ctx, address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// tracked is a connection that remembers when it ended.
type tracked struct {
	net.Conn
	ended func(time.Time, error)
}

// Read reports the first error.
func (t tracked) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	if err != nil {
		t.ended(time.Now(), err)
	}
	return n, err
}
