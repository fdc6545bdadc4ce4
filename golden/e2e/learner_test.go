//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"
)

// A learner gets no client's connection: the spec's word keeps it out of both proxies, and where the spec does not know
// yet, the health check keeps it out of HAProxy.
func TestLearnerGetsNoTraffic(t *testing.T) {
	t.Parallel()
	r := NewRig(t)
	spec := Spec{Version: Current(t).Version, Members: 4, Nodes: 3}
	forgotten := r.Build(spec)
	spec.More = []string{`cluster: members: "etcd-4": learner: true`}
	b := r.Build(spec)
	c := r.Cluster(Current(t), b, 3)
	var peers []string
	for i := range 4 {
		peers = append(peers, memberName(i)+"=https://"+memberAddr(i)+":2380")
	}
	c.eventually(30*time.Second, "members that know each other for long enough", func() error {
		_, err := c.Ctl(c.Members[0].Host, "https://127.0.0.1:2379", "member", "add", memberName(3), "--learner",
			"--peer-urls=https://"+memberAddr(3)+":2380")
		return err
	})
	learner := c.add(b, 3, []string{"ETCD_INITIAL_CLUSTER=" + strings.Join(peers, ","), "ETCD_INITIAL_CLUSTER_STATE=existing"})
	c.eventually(30*time.Second, "the learner is there", func() error {
		_, err := learner.get("http://" + learner.Addr() + ":2381/livez")
		return err
	})
	client, monitor := r.Host("client", clientAddr), r.Host("monitor", monitorAddr)
	var proxies []*Proxy
	for i, what := range []Contender{Contenders[0], Contenders[1], Contenders[0]} {
		built := b
		if i == 2 {
			built = forgotten
		}
		proxies = append(proxies, c.Contend(what, i, built))
	}
	// Until its first check HAProxy takes a server to be up.
	r.eventually(20*time.Second, "the forgotten learner is down", func() error {
		return proxies[2].thinks(monitor, "etcd-4", "DOWN")
	})
	learner.filter("input", "tcp dport 2379 counter")
	var loads []*Load
	for _, p := range proxies {
		loads = append(loads, c.Load(client, p.Addr(), 0))
	}
	time.Sleep(10 * time.Second)
	for i, l := range loads {
		if got := l.Take(); got.Fresh.Ops == 0 || got.Fresh.Failed+got.Held.Failed > 0 {
			t.Errorf("proxy %d: %+v", i, got)
		}
	}
	if out := learner.Host.Run("nft", "list", "table", "inet", "input"); !strings.Contains(out, "counter packets 0 bytes 0") {
		t.Errorf("the learner was dialed:\n%s", out)
	}
}
