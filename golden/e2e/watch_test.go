//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// events is the prefix of the keys that are watched.
const events = "events/"

// watch is what a watcher saw: the revisions of its events, in their order.
type watch struct {
	sync.Mutex
	revisions []int64
	err       error
}

// watch watches from a revision on. A watch that ends goes on where it was, as its users do: clients take some of what
// an old etcd says when it stops for its last word.
func (c *Cluster) watch(ctx context.Context, running *sync.WaitGroup, cli *clientv3.Client, from int64) *watch {
	c.Helper()
	w := new(watch)
	running.Go(func() {
		defer cli.Close()
		for next := from; ctx.Err() == nil && w.err == nil; time.Sleep(100 * time.Millisecond) {
			for resp := range cli.Watch(ctx, events, clientv3.WithPrefix(), clientv3.WithRev(next)) {
				w.Lock()
				for _, e := range resp.Events {
					w.revisions = append(w.revisions, e.Kv.ModRevision)
					next = e.Kv.ModRevision + 1
				}
				if resp.CompactRevision > 0 {
					w.err = resp.Err()
				}
				w.Unlock()
			}
		}
	})
	return w
}

// upTo are the revisions that were seen, not those after one, which must have come or come soon.
func (w *watch) upTo(c *Cluster, revision int64) []int64 {
	c.Helper()
	var seen []int64
	c.eventually(60*time.Second, fmt.Sprintf("a watch sees revision %d", revision), func() error {
		w.Lock()
		defer w.Unlock()
		n := len(w.revisions)
		if w.err != nil {
			c.Fatalf("a watch lost its place after %d events: %v", n, w.err)
		}
		if n == 0 || w.revisions[n-1] < revision {
			return fmt.Errorf("it saw %d events", n)
		}
		for _, r := range w.revisions {
			if r <= revision {
				seen = append(seen, r)
			}
		}
		return nil
	})
	return seen
}

// Writer makes events, and dials members for it.
type Writer struct {
	c    *Cluster
	load *Load

	sync.Mutex
	written []int64 // the revisions that etcd acknowledged
}

// Writer starts making events.
func (c *Cluster) Writer(from *Host) *Writer {
	c.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w := &Writer{c: c, load: &Load{c: c, stop: stop}}
	c.Cleanup(w.load.Stop)
	cli := c.Direct(from, c.Members...)
	n := 0
	w.load.client(ctx, 100*time.Millisecond, func(ctx context.Context) error {
		n++
		resp, err := cli.Put(ctx, fmt.Sprintf("%s%d", events, n%100), fmt.Sprint(n))
		if err == nil {
			w.Lock()
			w.written = append(w.written, resp.Header.Revision)
			w.Unlock()
		}
		return err
	}, func() { cli.Close() })
	return w
}

// Next waits for one more event and returns its revision.
func (w *Writer) Next() int64 {
	w.c.Helper()
	w.Lock()
	before := len(w.written)
	w.Unlock()
	var next int64
	w.c.eventually(30*time.Second, "one more event", func() error {
		w.Lock()
		defer w.Unlock()
		if len(w.written) == before {
			return fmt.Errorf("after %d", before)
		}
		next = w.written[len(w.written)-1]
		return nil
	})
	return next
}

// Lost counts for each load the events since a revision that its watches did not see, or not in order, or twice. What
// anybody saw counts as an event: etcd may have stored what it did not acknowledge.
func (w *Writer) Lost(after int64, loads ...*Load) []int {
	w.c.Helper()
	newest := w.Next()
	all := map[int64]bool{}
	w.Lock()
	for _, r := range w.written {
		if after < r && r <= newest {
			all[r] = true
		}
	}
	w.Unlock()
	seen := make([][][]int64, len(loads))
	for i, l := range loads {
		for _, one := range l.watches {
			revisions := one.upTo(w.c, newest)
			seen[i] = append(seen[i], revisions)
			for _, r := range revisions {
				all[r] = true
			}
		}
	}
	lost := make([]int, len(loads))
	for i := range loads {
		for _, revisions := range seen[i] {
			lost[i] += len(all) - len(revisions) // less than none where some came twice
			for j := 1; j < len(revisions); j++ {
				if revisions[j] <= revisions[j-1] {
					lost[i] += 2
				}
			}
		}
	}
	return lost
}
