//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// How each Load is made up: held clients keep their connection, watches are open and locks are held all the time, as
// many of each on every member; new clients come one after the other, each with a connection and one operation.
const (
	heldClients, watches, locks = 6, 3, 3
	voters                      = 3

	heldPause, freshPause = 200 * time.Millisecond, 150 * time.Millisecond
)

// Load is clients that work through one address until the test ends.
type Load struct {
	c       *Cluster
	from    *Host
	address string
	held    []*tally
	fresh   arrivals
	watches []*watch
	locks   []*lock
	stop    context.CancelFunc
	running sync.WaitGroup
}

// Load starts clients on a machine that dial the load balancer at an address, and watch for what comes after a revision.
func (c *Cluster) Load(from *Host, address string, after int64) *Load {
	c.Helper()
	ctx, stop := context.WithCancel(context.Background())
	l := &Load{c: c, from: from, address: address, stop: stop}
	c.Cleanup(l.Stop)
	clients := l.spread(heldClients + watches + locks)
	for _, cli := range clients[:heldClients] {
		l.held = append(l.held, l.client(ctx, heldPause, get(cli), func() { cli.Close() }))
	}
	for _, cli := range clients[heldClients : heldClients+watches] {
		l.watches = append(l.watches, c.watch(ctx, &l.running, cli, after+1))
	}
	for i, cli := range clients[heldClients+watches:] {
		l.locks = append(l.locks, c.lock(cli, fmt.Sprintf("lock-%s-%d-%d", address, after, i)))
	}
	l.running.Go(func() { l.arrive(ctx) })
	return l
}

// spread returns clients that are connected, as many to each member, in turn: how many of them a member's fault hits is
// not for chance to say.
func (l *Load) spread(n int) []*clientv3.Client {
	l.c.Helper()
	on, surplus := map[uint64][]*clientv3.Client{}, []*clientv3.Client{}
	placed := 0
	l.c.eventually(30*time.Second, "clients on all members", func() error {
		for placed < n {
			cli := l.c.Client(l.from, l.address)
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			resp, err := cli.Get(ctx, "greeting")
			cancel()
			if err != nil {
				cli.Close()
				return err
			}
			member := resp.Header.MemberId
			if len(on[member]) == n/voters {
				surplus = append(surplus, cli)
				return fmt.Errorf("%d of %d are placed", placed, n)
			}
			on[member] = append(on[member], cli)
			placed++
		}
		return nil
	})
	for _, cli := range surplus {
		cli.Close()
	}
	var out []*clientv3.Client
	for i := range n / voters {
		for _, clients := range on {
			out = append(out, clients[i])
		}
	}
	return out
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

// arrive lets new clients come, until it is told to stop.
func (l *Load) arrive(ctx context.Context) {
	tick := time.NewTicker(freshPause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.running.Go(func() { l.fresh.do(l.once) })
		}
	}
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
	Failing     time.Duration // for how long operations of new clients in haste failed
	Locks       int           // that were lost since the start
}

// Take reports on the time since the last report.
func (l *Load) Take() Report {
	fresh := l.fresh.take()
	r := Report{Fresh: count(fresh), Failing: failing(fresh, haste)}
	for _, t := range l.held {
		r.Held.add(t.take())
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
