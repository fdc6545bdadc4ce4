package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcdlbgen/etcdlbgen/generators"
	"github.com/etcdlbgen/etcdlbgen/schema"
)

// liveCluster is three real members of etcd on loopback addresses of their own, with mutual TLS.
type liveCluster struct {
	net     string // the first three bytes of all addresses
	ca      *authority
	dir     string
	client  keyPair // who asks
	root    keyPair // who may do all
	members map[string]*exec.Cmd
}

// valid is when certificates of tests expire.
func valid() time.Time { return time.Now().Add(24 * time.Hour) }

func startCluster(t *testing.T) *liveCluster {
	t.Helper()
	need(t, "etcd")
	need(t, "haproxy")
	c := &liveCluster{net: freeNet(t), ca: newAuthority(t, "etcd-ca"), dir: t.TempDir(), members: map[string]*exec.Cmd{}}
	c.client = c.ca.issue(t, "app", valid())
	c.root = c.ca.issue(t, "root", valid())
	for _, name := range []string{"a", "b", "c"} {
		c.start(t, name)
	}
	for _, name := range []string{"a", "b", "c"} {
		c.wait(t, name)
	}
	return c
}

// freeNet is a /24 of loopback on which nobody has etcd's ports.
func freeNet(t *testing.T) string {
	t.Helper()
	for i := range 200 {
		prefix := fmt.Sprintf("127.83.%d", (os.Getpid()+i)%250+1)
		l, err := net.Listen("tcp", prefix+".1:2380")
		if err != nil {
			continue
		}
		l.Close()
		return prefix
	}
	t.Fatal("no free loopback network")
	return ""
}

// addr is one of the cluster's addresses: members have 1 to 3, load balancers 100 and more.
func (c *liveCluster) addr(host int) string { return fmt.Sprintf("%s.%d", c.net, host) }

func (c *liveCluster) memberAddr(name string) string { return c.addr(int(name[0]-'a') + 1) }

// certify gives a member its server certificate. etcd reads it anew for each connection.
func (c *liveCluster) certify(t *testing.T, name string, until time.Time, hosts ...string) keyPair {
	t.Helper()
	return c.ca.issue(t, "etcd-"+name, until, append(hosts, "127.0.0.1")...)
}

// hosts are what a member's certificate should hold: its own address, and those of the load balancers.
func (c *liveCluster) hosts(name string) []string {
	hosts := []string{c.memberAddr(name)}
	for i := range 10 {
		hosts = append(hosts, c.addr(100+i))
	}
	return hosts
}

func (c *liveCluster) start(t *testing.T, name string) {
	t.Helper()
	own := c.certify(t, name, valid(), c.hosts(name)...)
	peer := c.ca.issue(t, "peer-"+name, valid(), c.memberAddr(name), "127.0.0.1")
	var initial []string
	for _, m := range []string{"a", "b", "c"} {
		initial = append(initial, fmt.Sprintf("%s=https://%s:2380", m, c.memberAddr(m)))
	}
	client, peers := "https://"+c.memberAddr(name)+":2379", "https://"+c.memberAddr(name)+":2380"
	c.members[name] = serve(t, "etcd", "--name", name, "--data-dir", filepath.Join(c.dir, name),
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
		"--listen-metrics-urls", "http://"+c.memberAddr(name)+":2381",
		"--initial-cluster", strings.Join(initial, ","),
		"--client-cert-auth", "--trusted-ca-file", c.ca.file(), "--cert-file", own.cert, "--key-file", own.key,
		"--peer-client-cert-auth", "--peer-trusted-ca-file", c.ca.file(), "--peer-cert-file", peer.cert, "--peer-key-file", peer.key)
}

// wait returns when a member is healthy.
func (c *liveCluster) wait(t *testing.T, name string) {
	t.Helper()
	client := http.Client{Timeout: 5 * time.Second}
	eventually(t, "member "+name, func() bool {
		resp, err := client.Get("http://" + c.memberAddr(name) + ":2381/health")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// kill ends a member at once.
func (c *liveCluster) kill(t *testing.T, name string) {
	t.Helper()
	if err := c.members[name].Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.members[name].Wait()
}

// spec describes the cluster behind a load balancer, with further fields.
func (c *liveCluster) spec(t *testing.T, balancer int, more string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "spec.cue")
	text := fmt.Sprintf(`
cluster: {
	name: "live"
	members: {a: address: %q, b: address: %q, c: address: %q}
	metrics: port: 2381
}
loadBalancer: {vip: %q, listen: [%q], maxConnections: 500}
targets: haproxy: {container: true, metricsPort: %d}
`, c.addr(1), c.addr(2), c.addr(3), c.addr(balancer), c.addr(balancer), freePort(t)) + more
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// balance runs the HAProxy that a spec compiles to, with further lines at its end.
func (c *liveCluster) balance(t *testing.T, spec, more string) {
	t.Helper()
	res, diags, err := schema.Load(schema.Input{Paths: []string{spec}})
	if err != nil || len(diags) > 0 {
		t.Fatal(err, diags)
	}
	_, files, _ := generators.Compile(res.Clusters[0], "spec.cue", []string{"haproxy"})
	config := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(config, append(files[0].Data, more...), 0o644); err != nil {
		t.Fatal(err)
	}
	serve(t, "haproxy", "-db", "-f", config)
	address := net.JoinHostPort(res.Clusters[0].LoadBalancer.VIP.V.String(), "2379")
	eventually(t, "haproxy", func() bool {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	})
}

// etcd is a client of a member.
func (c *liveCluster) etcd(t *testing.T, who keyPair) *clientv3.Client {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(who.cert, who.key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(c.ca.cert)
	client, err := clientv3.New(clientv3.Config{
		Endpoints: []string{"https://" + c.addr(1) + ":2379"}, Logger: zap.NewNop(),
		TLS: &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// follower is a member beside the first that is not the leader.
func (c *liveCluster) follower(t *testing.T) string {
	t.Helper()
	state, err := c.etcd(t, c.root).Status(t.Context(), "https://"+c.memberAddr("b")+":2379")
	if err != nil {
		t.Fatal(err)
	}
	if state.Leader == state.Header.MemberId {
		return "c"
	}
	return "b"
}

// closesAtOnce reports whether a load balancer has nobody to send a client to.
func closesAtOnce(t *testing.T, address string) bool {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	_, err = conn.Read(make([]byte, 1))
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// serve runs a server until the test ends, and shows what it said where the test failed.
func serve(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	log := &bytes.Buffer{}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s: …%s", program, log.Bytes()[max(0, log.Len()-600):])
		}
	})
	return cmd
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 600 {
		if ok() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s is not there after a minute", what)
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
