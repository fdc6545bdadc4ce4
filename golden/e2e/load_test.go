//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// How each Load is made up: held clients keep their connection, fresh ones make one for each operation, watches are
// open and locks are held all the time.
const (
	heldClients, freshClients, watches, locks = 6, 3, 3, 3

	heldPause, freshPause = 200 * time.Millisecond, 300 * time.Millisecond

	patience = 5 * time.Second // how long an operation may take before its client gives up
	slowness = time.Second     // from when on it counts as slow
)

// Count is what became of the operations of some clients.
type Count struct {
	Ops, Failed, Slow int
	// Longest is the longest time that a client had to wait for a success: from the start of its first attempt to the
	// end of the one that succeeded.
	Longest time.Duration

	firstFailed, lastFailed time.Time // when they started
}

// Failing is for how long operations that clients started failed: from the first to the last of them.
func (c *Count) Failing() time.Duration { return c.lastFailed.Sub(c.firstFailed) }

func (c *Count) add(other Count) {
	c.Ops += other.Ops
	c.Failed += other.Failed
	c.Slow += other.Slow
	c.Longest = max(c.Longest, other.Longest)
	c.failed(other.firstFailed)
	c.failed(other.lastFailed)
}

// failed remembers when an operation started that failed.
func (c *Count) failed(start time.Time) {
	if start.IsZero() {
		return
	}
	if c.firstFailed.IsZero() || start.Before(c.firstFailed) {
		c.firstFailed = start
	}
	if start.After(c.lastFailed) {
		c.lastFailed = start
	}
}

// tally counts for one client.
type tally struct {
	sync.Mutex
	count   Count
	waiting time.Time // since when the client has had no success, zero when it waits for nothing
}

func (t *tally) do(operation func(context.Context) error) {
	start := time.Now()
	t.Lock()
	if t.waiting.IsZero() {
		t.waiting = start
	}
	t.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := operation(ctx)
	end := time.Now()

	t.Lock()
	defer t.Unlock()
	t.count.Ops++
	if end.Sub(start) > slowness {
		t.count.Slow++
	}
	if err != nil {
		t.count.Failed++
		t.count.failed(start)
		return
	}
	t.count.Longest = max(t.count.Longest, end.Sub(t.waiting))
	t.waiting = time.Time{}
}

// take returns what was counted since the last time.
func (t *tally) take() Count {
	t.Lock()
	defer t.Unlock()
	c := t.count
	if now := time.Now(); !t.waiting.IsZero() {
		c.Longest = max(c.Longest, now.Sub(t.waiting))
		t.waiting = now // the rest belongs to the next time
	}
	t.count = Count{}
	return c
}

// Load is clients that work through one address until the test ends.
type Load struct {
	c           *Cluster
	from        *Host
	address     string
	held, fresh []*tally
	watches     []*watch
	locks       []*lock
	stop        context.CancelFunc
	running     sync.WaitGroup
}

// Load starts clients on a machine that dial the load balancer at an address, and watch for what comes after a revision.
func (c *Cluster) Load(from *Host, address string, after int64) *Load {
	c.Helper()
	ctx, stop := context.WithCancel(context.Background())
	l := &Load{c: c, from: from, address: address, stop: stop}
	c.Cleanup(l.Stop)
	for range watches {
		l.watches = append(l.watches, c.watch(ctx, &l.running, c.Client(from, address), after+1))
	}
	for i := range locks {
		l.locks = append(l.locks, c.lock(c.Client(from, address), fmt.Sprintf("lock-%s-%d-%d", address, after, i)))
	}
	for range heldClients {
		cli := c.Client(from, address)
		l.held = append(l.held, l.client(ctx, heldPause, get(cli), func() { cli.Close() }))
	}
	for range freshClients {
		l.fresh = append(l.fresh, l.client(ctx, freshPause, l.once, func() {}))
	}
	return l
}

// get is the operation that all do: a read that needs the quorum.
func get(cli *clientv3.Client) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := cli.Get(ctx, "greeting")
		return err
	}
}

// once is an operation on a connection of its own.
func (l *Load) once(ctx context.Context) error {
	cli := l.c.Client(l.from, l.address)
	defer cli.Close()
	return get(cli)(ctx)
}

// client repeats an operation.
func (l *Load) client(ctx context.Context, pause time.Duration, operation func(context.Context) error, end func()) *tally {
	t := new(tally)
	l.running.Go(func() {
		defer end()
		for ctx.Err() == nil {
			t.do(operation)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	})
	return t
}

// Stop ends the clients.
func (l *Load) Stop() {
	l.stop()
	l.running.Wait()
	for _, held := range l.locks {
		held.release()
	}
	l.locks = nil
}

// Report is what happened to the clients of a Load in some time.
type Report struct {
	Held, Fresh Count
	Locks       int // that were lost since the start
}

// Take reports on the time since the last report.
func (l *Load) Take() Report {
	var r Report
	for _, t := range l.held {
		r.Held.add(t.take())
	}
	for _, t := range l.fresh {
		r.Fresh.add(t.take())
	}
	for _, held := range l.locks {
		if held.lost() {
			r.Locks++
		}
	}
	return r
}

// Control is held clients that dial one member each, without a load balancer: what they have to wait for is the
// cluster's doing, or the machine's that runs the test.
type Control struct {
	load  *Load
	tally map[*Member]*tally
}

// Control starts such clients.
func (c *Cluster) Control(from *Host) *Control {
	c.Helper()
	ctx, stop := context.WithCancel(context.Background())
	k := &Control{&Load{c: c, stop: stop}, map[*Member]*tally{}}
	c.Cleanup(k.load.Stop)
	for _, m := range c.Members {
		cli := c.Direct(from, m)
		k.tally[m] = k.load.client(ctx, heldPause, get(cli), func() { cli.Close() })
	}
	return k
}

// Take reports on the time since the last report, without the clients of one member.
func (k *Control) Take(without *Member) Count {
	var sum Count
	for m, t := range k.tally {
		if c := t.take(); m != without {
			sum.add(c)
		}
	}
	return sum
}
