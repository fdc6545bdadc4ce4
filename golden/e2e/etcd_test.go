//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
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
	"google.golang.org/grpc"
)

// Etcd is a version of etcd: its programs.
type Etcd struct {
	Version, server, ctl string
}

// Current is the etcd that golden/e2e/etcd pins, built where it is not yet.
func Current(t testing.TB) Etcd {
	t.Helper()
	return etcdAt(t, built(t, "go.etcd.io/etcd/server/v3"), built(t, "go.etcd.io/etcd/etcdctl/v3"))
}

// built is a program of golden/e2e/etcd out of Go's cache.
func built(t testing.TB, tool string) string {
	t.Helper()
	cmd := exec.Command("go", "tool", "-n", tool)
	cmd.Dir, cmd.Env = "etcd", append(os.Environ(), "CGO_ENABLED=0")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		missing(t, fmt.Sprintf("%s (%v: %s)", tool, err, tail(said.String(), 3)))
	}
	return strings.TrimSpace(string(out))
}

// Debian is the etcd of the Debian package, years older.
func Debian(t testing.TB) Etcd {
	t.Helper()
	return etcdAt(t, need(t, "etcd"), need(t, "etcdctl"))
}

func etcdAt(t testing.TB, server, ctl string) Etcd {
	t.Helper()
	out, err := exec.Command(server, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	version, ok := strings.CutPrefix(first, "etcd Version: ")
	if !ok {
		t.Fatalf("%s is %q", server, first)
	}
	return Etcd{version, server, ctl}
}

// Cluster is an etcd cluster, a machine a member.
type Cluster struct {
	*Rig
	Etcd    Etcd
	Members []*Member
}

// Member is a machine with an etcd.
type Member struct {
	*Host
	*Process
	id uint64
}

// Cluster starts the members of a spec, with what was built for them in etcd/<member>.env. More are variables of etcd
// in each member's environment.
func (r *Rig) Cluster(v Etcd, b *Built, members int, more ...string) *Cluster {
	r.Helper()
	c := &Cluster{Rig: r, Etcd: v}
	var peers []string
	for i := range members {
		peers = append(peers, memberName(i)+"=https://"+memberAddr(i)+":2380")
	}
	r.Resolve(lbHost, vip)
	r.PKI.Issue("client")
	for i := range members {
		c.add(b, i, append([]string{"ETCD_INITIAL_CLUSTER=" + strings.Join(peers, ",")}, more...))
	}
	for _, m := range c.Members {
		c.ready(m)
	}
	return c
}

// add starts a member.
func (c *Cluster) add(b *Built, i int, more []string) *Member {
	c.Helper()
	name := memberName(i)
	host := c.Host(name, memberAddr(i), memberAddr6(i))
	c.Resolve(name+".rig.test", memberAddr(i))
	c.PKI.Issue(name, memberAddr(i), memberAddr6(i), "127.0.0.1", "::1", "localhost", name+".rig.test", lbHost, vip)
	c.PKI.Issue("peer-"+name, memberAddr(i))
	crt, peer := c.PKI.Path(name+".crt"), c.PKI.Path("peer-"+name+".crt")
	env := append(b.Env("etcd/"+name+".env"),
		"ETCD_DATA_DIR="+filepath.Join(host.dir, "data"),
		"ETCD_CERT_FILE="+crt, "ETCD_KEY_FILE="+crt+".key",
		"ETCD_PEER_CERT_FILE="+peer, "ETCD_PEER_KEY_FILE="+peer+".key",
		"ETCD_PEER_CLIENT_CERT_AUTH=true", "ETCD_PEER_TRUSTED_CA_FILE="+c.PKI.Path("ca.crt"))
	m := &Member{Host: host, Process: host.Start(append(env, more...), c.Etcd.server)}
	c.Members = append(c.Members, m)
	return m
}

// ready waits until a member serves clients.
func (c *Cluster) ready(m *Member) {
	c.Helper()
	c.eventually(60*time.Second, m.Name+" is ready", func() error {
		if !m.Running() {
			c.Fatalf("%s ended:\n%s", m.Name, tail(m.output.String(), 20))
		}
		_, err := m.get("http://" + m.Addr() + ":2381/health?exclude=NOSPACE")
		return err
	})
	if m.id == 0 {
		cli := c.Direct(m.Host, m)
		defer cli.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		status, err := cli.Status(ctx, cli.Endpoints()[0])
		if err != nil {
			c.Fatal(err)
		}
		m.id = status.Header.MemberId
	}
}

// get reads a URL from the machine, whose host is an address. Any answer but 200 is an error.
func (h *Host) get(url string) (string, error) {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: h.Dial, DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return string(body), err
}

// Client is a client on a machine that dials the load balancer by its name, at an address. It pings as Kubernetes
// does.
func (c *Cluster) Client(from *Host, address string) *clientv3.Client {
	c.Helper()
	return c.client("client", clientv3.Config{
		Endpoints: []string{"https://" + lbHost + ":2379"},
		DialOptions: []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return from.Dial(ctx, "tcp", net.JoinHostPort(address, "2379"))
		})},
		DialKeepAliveTime: 30 * time.Second, DialKeepAliveTimeout: 10 * time.Second,
	})
}

// Direct is a client that dials members.
func (c *Cluster) Direct(from *Host, members ...*Member) *clientv3.Client {
	c.Helper()
	return c.directAs("client", from, members...)
}

// directAs is Direct for a client with another certificate.
func (c *Cluster) directAs(name string, from *Host, members ...*Member) *clientv3.Client {
	c.Helper()
	cfg := clientv3.Config{DialOptions: []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
		return from.Dial(ctx, "tcp", strings.TrimPrefix(address, "https://"))
	})}}
	for _, m := range members {
		cfg.Endpoints = append(cfg.Endpoints, "https://"+m.Addr()+":2379")
	}
	return c.client(name, cfg)
}

func (c *Cluster) client(name string, cfg clientv3.Config) *clientv3.Client {
	c.Helper()
	cfg.TLS, cfg.Logger, cfg.DialTimeout = c.PKI.Client(name), zap.NewNop(), 5*time.Second
	cli, err := clientv3.New(cfg)
	if err != nil {
		c.Fatal(err)
	}
	return cli
}

// Ctl is the etcdctl of the cluster's version, with a client's certificate.
func (c *Cluster) Ctl(from *Host, endpoint string, args ...string) (string, error) {
	ctl := []string{
		c.Etcd.ctl, "--endpoints=" + endpoint,
		"--cacert=" + c.PKI.Path("ca.crt"), "--cert=" + c.PKI.Path("client.crt"), "--key=" + c.PKI.Path("client.crt.key"),
	}
	return from.Try(append(ctl, args...)...)
}

// Leader is the member that leads, Followers are the others that run.
func (c *Cluster) Leader() *Member {
	c.Helper()
	var leader *Member
	c.eventually(30*time.Second, "a leader", func() error {
		for _, m := range c.Members {
			body, err := m.get("http://" + m.Addr() + ":2381/metrics")
			if err == nil && strings.Contains(body, "\netcd_server_is_leader 1\n") {
				leader = m
				return nil
			}
		}
		return fmt.Errorf("nobody leads")
	})
	return leader
}

// Follower is a member that does not lead.
func (c *Cluster) Follower() *Member {
	c.Helper()
	leader := c.Leader()
	for _, m := range c.Members {
		if m != leader && m.Running() {
			return m
		}
	}
	c.Fatal("there is no follower")
	return nil
}
