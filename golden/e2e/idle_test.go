//go:build e2e

package e2e

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"google.golang.org/grpc"
)

const quiet = 10 * time.Second // longer than the shortened timeouts

// A watch, a lease and a lock that are idle for longer than the load balancer's timeouts: with what is built they are
// not even cut, and where the spec shortens the timeouts to less than a client's pings, they come back whole.
func TestIdleClients(t *testing.T) {
	t.Parallel()
	short := `// etcdlbgen:ignore watch-timeout cut on purpose
loadBalancer: timeouts: idle: "3s" // etcdlbgen:ignore watch-timeout cut on purpose
`
	r := NewRig(t)
	spec := Spec{Version: Current(t).Version, Members: 3, Nodes: 4}
	b := r.Build(spec)
	spec.More = []string{short}
	cut := r.Build(spec)
	c := r.Cluster(Current(t), b, 3)
	client := r.Host("client", clientAddr, clientAddr6)
	var waiting []*idler
	for i, built := range []*Built{b, b, cut, cut} {
		p := c.Contend(Contenders[i%2], i, built)
		waiting = append(waiting, c.idler(client, p, built == cut))
	}
	time.Sleep(quiet)
	for _, w := range waiting {
		w.judge(t)
	}
}

// idler is a client that holds things and says nothing.
type idler struct {
	c       *Cluster
	proxy   *Proxy
	cut     bool // whether the proxy cuts it
	dials   atomic.Int32
	client  *clientv3.Client
	from    *Host
	watch   clientv3.WatchChan
	session *concurrency.Session
	mutex   *concurrency.Mutex
}

func (c *Cluster) idler(from *Host, p *Proxy, cut bool) *idler {
	c.Helper()
	i := &idler{c: c, proxy: p, cut: cut, from: from}
	// It never pings.
	i.client = c.client("client", clientv3.Config{
		Endpoints: []string{"https://" + lbHost + ":2379"},
		DialOptions: []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			i.dials.Add(1)
			return from.Dial(ctx, "tcp", net.JoinHostPort(p.Addr(), "2379"))
		})},
	})
	ctx, stop := context.WithCancel(context.Background())
	c.Cleanup(func() {
		stop()
		i.client.Close()
	})
	i.watch = i.client.Watch(ctx, p.Name, clientv3.WithCreatedNotify())
	<-i.watch
	session, err := concurrency.NewSession(i.client, concurrency.WithTTL(60)) // renewed each 20 s
	if err != nil {
		c.Fatal(err)
	}
	i.session = session
	i.mutex = concurrency.NewMutex(session, "lock-"+p.Name)
	if err := i.mutex.Lock(ctx); err != nil {
		c.Fatal(err)
	}
	return i
}

// judge lets the world move on, and looks what the client still has.
func (i *idler) judge(t *testing.T) {
	t.Helper()
	name := i.proxy.Name
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	other := i.c.Direct(i.from, i.c.Members...)
	defer other.Close()
	if _, err := other.Put(ctx, name, "late"); err != nil {
		t.Fatal(err)
	}
	select {
	case resp := <-i.watch:
		if len(resp.Events) != 1 || string(resp.Events[0].Kv.Value) != "late" {
			t.Errorf("%s: the watch says %+v", name, resp)
		}
	case <-ctx.Done():
		t.Errorf("%s: the event is lost", name)
	}
	if cut := i.dials.Load() > 1; cut != i.cut {
		t.Errorf("%s: dialed %d times; cut: want %v", name, i.dials.Load(), i.cut)
	}
	session, err := concurrency.NewSession(other)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if err := concurrency.NewMutex(session, "lock-"+name).TryLock(ctx); !errors.Is(err, concurrency.ErrLocked) {
		t.Errorf("%s: the lock is free: %v", name, err)
	}
	alive, err := i.client.TimeToLive(ctx, i.session.Lease())
	if err != nil || alive.TTL <= 0 {
		t.Errorf("%s: the lease is gone: %+v %v", name, alive, err)
	}
	if err := i.mutex.Unlock(ctx); err != nil {
		t.Errorf("%s: unlock: %v", name, err)
	}
}
