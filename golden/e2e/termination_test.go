//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// termination lets the load balancer end the clients' TLS with the certificate "lb" and speak to members with "proxy".
func termination(pki *PKI) string {
	pair := func(name string) string {
		return fmt.Sprintf("{cert: %q, key: %q}", pki.Path(name+".crt"), pki.Path(name+".crt.key"))
	}
	return fmt.Sprintf(`loadBalancer: {mode: "termination", termination: {certificate: %s, clientCA: %q, backendCertificate: %s}}`+"\n",
		pair("lb"), pki.Path("ca.crt"), pair("proxy"))
}

// etcdctl and a Go client work through proxies that end their TLS; who shows no certificate gets nothing.
func TestTermination(t *testing.T) {
	r := NewRig(t)
	r.PKI.Issue("lb", lbHost, vip)
	r.PKI.Issue("proxy")
	v := Current(t)
	b := r.Build(Spec{Version: v.Version, Members: 3, Nodes: 2, More: []string{termination(r.PKI)}})
	c := r.Cluster(v, b, 3)
	client := r.Host("client", clientAddr, clientAddr6)
	for _, p := range []*Proxy{
		r.HAProxy(r.Host("lb-1", nodeAddr(0), nodeAddr6(0)), b.Path("haproxy/haproxy.cfg")),
		r.NGINX(r.Host("lb-2", nodeAddr(1), nodeAddr6(1)), b.Path("nginx/nginx.conf")),
	} {
		c.Move(vip, p.Host)
		c.eventually(30*time.Second, p.Host.Name+" serves clients", func() error {
			_, err := c.Ctl(client, "https://"+lbHost+":2379", "endpoint", "health", "--command-timeout=2s")
			return err
		})
		worksThrough(t, c, client, p)
		seesEvents(t, c, client, p)
		endsTLS(t, c, client, p)
	}
}

// seesEvents holds that a watch gets what is written after it began.
func seesEvents(t *testing.T, c *Cluster, from *Host, p *Proxy) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cli := c.Client(from, p.Addr())
	defer cli.Close()
	seen := cli.Watch(ctx, "event", clientv3.WithCreatedNotify())
	if first := <-seen; !first.Created {
		t.Fatalf("%s: no watch: %v", p.Host.Name, first.Err())
	}
	for i := range 3 {
		want := fmt.Sprintf("%s %d", p.Host.Name, i)
		if _, err := cli.Put(ctx, "event", want); err != nil {
			t.Fatalf("%s: %v", p.Host.Name, err)
		}
		got := <-seen
		if got.Err() != nil || len(got.Events) != 1 || string(got.Events[0].Kv.Value) != want {
			t.Fatalf("%s: the watch saw %v (%v), want %q", p.Host.Name, got.Events, got.Err(), want)
		}
	}
}

// endsTLS holds that clients speak with the proxy itself, over HTTP/2, and only those with a certificate.
func endsTLS(t *testing.T, c *Cluster, from *Host, p *Proxy) {
	t.Helper()
	cfg := c.PKI.Client("client")
	cfg.ServerName, cfg.NextProtos = lbHost, []string{"h2"}
	conn := dialTLS(t, from, p, cfg)
	state := conn.ConnectionState()
	if name := state.PeerCertificates[0].Subject.CommonName; name != "lb" || state.NegotiatedProtocol != "h2" {
		t.Errorf("%s presents the certificate %q and speaks %q", p.Host.Name, name, state.NegotiatedProtocol)
	}

	cfg.Certificates, cfg.NextProtos = nil, []string{"http/1.1"}
	anonymous := dialTLS(t, from, p, cfg)
	_, _ = fmt.Fprintf(anonymous, "GET /version HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", lbHost)
	answer, _ := io.ReadAll(anonymous) // or the connection is cut
	if text := string(answer); strings.Contains(text, " 200 ") || strings.Contains(text, "etcdserver") {
		t.Errorf("%s answers a client without a certificate: %s", p.Host.Name, text)
	}
}

func dialTLS(t *testing.T, from *Host, p *Proxy, cfg *tls.Config) *tls.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	raw, err := from.Dial(ctx, "tcp", net.JoinHostPort(p.Addr(), "2379"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	if err := raw.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(raw, cfg.Clone())
	if err := conn.HandshakeContext(ctx); err != nil {
		t.Fatalf("%s: %v", p.Host.Name, err)
	}
	return conn
}
