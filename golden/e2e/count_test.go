//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

const (
	patience = 5 * time.Second // how long an operation may take before its client gives up, as etcdctl does by default
	haste    = 3 * time.Second // how long clients wait that have less patience
	slowness = time.Second     // from when on an operation counts as slow
)

// Count is what became of the operations of some clients.
type Count struct {
	Ops, Failed, Slow int
	// Longest is the longest time that a client had to wait for a success: from the start of its first attempt to the
	// end of the one that succeeded.
	Longest time.Duration
	// Lost is all the time that clients spent in waits that were slow.
	Lost time.Duration
}

// share is the part of the operations that failed.
func (c Count) share() float64 { return float64(c.Failed) / float64(c.Ops) }

func (c *Count) add(other Count) {
	c.Ops += other.Ops
	c.Failed += other.Failed
	c.Slow += other.Slow
	c.Longest = max(c.Longest, other.Longest)
	c.Lost += other.Lost
}

// waited counts a wait for a success.
func (c *Count) waited(d time.Duration) {
	c.Longest = max(c.Longest, d)
	if d > slowness {
		c.Lost += d
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
	took := time.Since(start)

	t.Lock()
	defer t.Unlock()
	t.count.Ops++
	if took > slowness {
		t.count.Slow++
	}
	if err != nil {
		t.count.Failed++
		return
	}
	t.count.waited(time.Since(t.waiting))
	t.waiting = time.Time{}
}

// take returns what was counted since the last time.
func (t *tally) take() Count {
	t.Lock()
	defer t.Unlock()
	c := t.count
	if now := time.Now(); !t.waiting.IsZero() {
		c.waited(now.Sub(t.waiting))
		t.waiting = now // the rest belongs to the next time
	}
	t.count = Count{}
	return c
}

// arrival is an operation of a client that came for it alone.
type arrival struct {
	start  time.Time
	took   time.Duration
	failed bool
}

// arrivals are operations that start at fixed times, whatever became of those before: a client that waits for its last
// one to fail before it starts the next would see little of an outage.
type arrivals struct {
	sync.Mutex
	all []arrival
}

func (a *arrivals) do(operation func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	start := time.Now()
	err := operation(ctx)
	took := time.Since(start)
	a.Lock()
	defer a.Unlock()
	a.all = append(a.all, arrival{start, took, err != nil})
}

// take returns what ended since the last time, in the order of its start.
func (a *arrivals) take() []arrival {
	a.Lock()
	defer a.Unlock()
	all := a.all
	a.all = nil
	slices.SortFunc(all, func(a, b arrival) int { return cmp.Compare(a.start.UnixNano(), b.start.UnixNano()) })
	return all
}

// count is what became of operations.
func count(all []arrival) Count {
	var c Count
	for _, a := range all {
		c.Ops++
		if a.failed {
			c.Failed++
		}
		if a.took > slowness {
			c.Slow++
		}
		c.waited(a.took)
	}
	return c
}

// failing is for how long operations fail that have so much time: from the start of the first of them to the start of
// the first after all of them.
func failing(all []arrival, within time.Duration) time.Duration {
	fails := func(a arrival) bool { return a.failed || a.took > within }
	first := slices.IndexFunc(all, fails)
	if first < 0 {
		return 0
	}
	next := len(all)
	for next > 0 && !fails(all[next-1]) {
		next--
	}
	return all[min(next, len(all)-1)].start.Sub(all[first].start)
}
