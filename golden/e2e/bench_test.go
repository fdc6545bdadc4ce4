//go:build e2e

package e2e

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// How much is measured: so many operations of each kind, and then, for throughput, so many clients at once for so long
// in each of some turns.
const (
	samples    = 3000
	handshakes = 300
	crowd      = 32
	turn       = time.Second
	turns      = 10
)

// way is one way to a member.
type way struct {
	name string // of its metrics
	dial func() *clientv3.Client
	cli  *clientv3.Client
}

// BenchmarkProxies states what the proxies cost, as differences from and ratios of what dialing a member costs. The
// ways take turns, operation by operation, so that what else the machine does meets all of them. There is one member:
// which one it is would cost more than the way there.
func BenchmarkProxies(b *testing.B) {
	r := NewRig(b)
	built := r.Build(Spec{Version: Current(b).Version, Members: 1, Nodes: 2})
	c := r.Cluster(Current(b), built, 1)
	client := r.Host("client", clientAddr)
	ways := []*way{{name: "direct", dial: func() *clientv3.Client { return c.Direct(client, c.Members...) }}}
	for i, name := range []string{"haproxy", "nginx"} {
		p := c.Contend(Contenders[i], i, built)
		ways = append(ways, &way{name: name, dial: func() *clientv3.Client { return c.Client(client, p.Addr()) }})
	}
	for _, w := range ways {
		w.cli = w.dial()
		defer w.cli.Close()
	}
	b.Run("get", func(b *testing.B) {
		latency(b, ways, samples, func(ctx context.Context, w *way) error { return get(w.cli)(ctx) })
	})
	b.Run("put", func(b *testing.B) {
		latency(b, ways, samples, func(ctx context.Context, w *way) error {
			_, err := w.cli.Put(ctx, "greeting", "hello")
			return err
		})
	})
	b.Run("connect", func(b *testing.B) {
		latency(b, ways, handshakes, func(ctx context.Context, w *way) error {
			cli := w.dial()
			defer cli.Close()
			return get(cli)(ctx)
		})
	})
	b.Run("throughput", func(b *testing.B) { throughput(b, ways) })
}

// latency measures operations of one client, one after the other.
func latency(b *testing.B, ways []*way, n int, operation func(context.Context, *way) error) {
	took := map[*way][]time.Duration{}
	for b.Loop() {
		for i := range n {
			for j := range ways {
				w := ways[(i+j)%len(ways)]
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				start := time.Now()
				err := operation(ctx, w)
				took[w] = append(took[w], time.Since(start))
				cancel()
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.ReportMetric(0, "ns/op") // of all together: says nothing
	direct := ways[0]
	for _, w := range ways {
		slices.Sort(took[w])
	}
	for _, w := range ways {
		for name, share := range map[string]int{"p50": 50, "p99": 99} {
			own, base := at(took[w], share), at(took[direct], share)
			b.ReportMetric(own.Seconds()*1e3, w.name+"-"+name+"-ms")
			if w != direct {
				b.ReportMetric(own.Seconds()/base.Seconds(), w.name+"/direct-"+name)
			}
		}
	}
}

// at is the value below which a share of a hundred lies.
func at(sorted []time.Duration, share int) time.Duration { return sorted[(len(sorted)-1)*share/100] }

// throughput measures reads of a crowd of clients, each with a connection of its own.
func throughput(b *testing.B, ways []*way) {
	crowds := map[*way][]*clientv3.Client{}
	for _, w := range ways {
		for range crowd {
			cli := w.dial()
			defer cli.Close()
			crowds[w] = append(crowds[w], cli)
		}
	}
	done := map[*way][]float64{}
	for b.Loop() {
		for i := range turns {
			for j := range ways {
				w := ways[(i+j)%len(ways)]
				done[w] = append(done[w], reads(b, crowds[w]))
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	var base float64
	for _, w := range ways {
		slices.Sort(done[w])
		median := done[w][len(done[w])/2]
		b.ReportMetric(median, w.name+"-reads/s")
		if w == ways[0] {
			base = median
		} else {
			b.ReportMetric(median/base, w.name+"/direct")
		}
	}
}

// reads is how many reads clients do in a second.
func reads(b *testing.B, clients []*clientv3.Client) float64 {
	ctx, cancel := context.WithTimeout(context.Background(), turn)
	defer cancel()
	var running sync.WaitGroup
	var n atomic.Int64
	for _, cli := range clients {
		running.Go(func() {
			for ctx.Err() == nil {
				if err := get(cli)(ctx); err == nil {
					n.Add(1)
				} else if ctx.Err() == nil {
					b.Error(err)
				}
			}
		})
	}
	running.Wait()
	return float64(n.Load()) / turn.Seconds()
}
