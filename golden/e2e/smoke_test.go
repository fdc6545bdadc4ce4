//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// etcdctl and a Go client work through each proxy, by the load balancer's name and by its VIP, on a current and on an
// old etcd.
func TestClientsWorkThroughProxies(t *testing.T) {
	for _, v := range []Etcd{Current(t), Debian(t)} {
		t.Run(v.Version, func(t *testing.T) {
			r := NewRig(t)
			built := r.Build(Spec{Version: v.Version, Members: 3, Nodes: 2})
			c := r.Cluster(v, built, 3)
			haproxy := r.HAProxy(r.Host("lb-1", nodeAddr(0), nodeAddr6(0)), built.Path("haproxy/haproxy.cfg"))
			nginx := r.NGINX(r.Host("lb-2", nodeAddr(1), nodeAddr6(1)), built.Path("nginx/nginx.conf"))
			client := r.Host("client", clientAddr, clientAddr6)
			for _, p := range []*Proxy{haproxy, nginx} {
				worksThrough(t, c, client, p)
			}
		})
	}
}

func worksThrough(t *testing.T, c *Cluster, from *Host, p *Proxy) {
	t.Helper()
	c.Move(vip, p.Host)
	for _, endpoint := range []string{"https://" + lbHost + ":2379", "https://" + vip + ":2379"} {
		if out, err := c.Ctl(from, endpoint, "endpoint", "health"); err != nil || !strings.Contains(out, "is healthy: successfully committed proposal") {
			t.Errorf("%s, etcdctl at %s: %v %s", p.Name, endpoint, err, out)
		}
	}
	for _, address := range []string{vip, p.Addresses[1]} {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		cli := c.Client(from, address)
		defer cli.Close()
		put, err := cli.Put(ctx, "greeting", address)
		if err != nil {
			t.Fatalf("put through %s at %s: %v", p.Name, address, err)
		}
		got, err := cli.Get(ctx, "greeting", clientv3.WithRev(put.Header.Revision))
		if err != nil || len(got.Kvs) != 1 || string(got.Kvs[0].Value) != address {
			t.Errorf("get through %s at %s: %v %v", p.Name, address, got, err)
		}
	}
}
