package verify

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// watched is how a quiet watch fared.
type watched struct {
	idle   time.Duration // how long it was kept
	err    error         // it did not come about, or did not answer at the end
	denied bool
	cut    time.Duration // after which the connection was closed; 0: never
	events int           // came meanwhile: it was not quiet
	began  bool
}

// connections counts what a client dials, and keeps when the first of its connections ended.
type connections struct {
	v       *verifier
	mu      sync.Mutex
	began   time.Time
	ended   time.Time
	closing bool
	cut     chan struct{}
}

func (c *connections) dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := c.v.connect(ctx, address)
	if err != nil {
		return nil, err
	}
	return tracked{conn, c.end}, nil
}

func (c *connections) end(at time.Time, _ error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended.IsZero() && !c.closing {
		c.ended = at
		close(c.cut)
	}
}

// after is how long the connection held since the watch began; 0 where it still does.
func (c *connections) after() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended.IsZero() {
		return 0
	}
	return c.ended.Sub(c.began)
}

// watch keeps a watch quiet for a time: the client sends no pings, as some do not. At the end etcd is asked for its
// progress on the same stream, since a load balancer may forget a connection without telling.
func (v *verifier) watch(ctx context.Context, e Endpoint, idle time.Duration, tick func(time.Duration)) watched {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conns := &connections{v: v, cut: make(chan struct{})}
	c, err := v.client(ctx, e, conns.dial)
	if err != nil {
		return watched{err: err}
	}
	defer c.Close()
	defer func() {
		conns.mu.Lock()
		conns.closing = true
		conns.mu.Unlock()
	}()
	responses := c.Watch(ctx, v.WatchKey, clientv3.WithCreatedNotify())
	w := watched{idle: idle}
	if err := v.next(ctx, responses); err != nil {
		return watched{err: plain(err), denied: denied(err)}
	}
	w.began = true
	conns.mu.Lock()
	conns.began = time.Now()
	conns.mu.Unlock()
	if w.events, err = quiet(ctx, responses, conns.cut, idle, tick); err != nil {
		w.err = plain(err)
		return w
	}
	if w.cut = conns.after(); w.cut > 0 {
		return w
	}
	if err := c.RequestProgress(ctx); err != nil {
		w.err = plain(err)
		return w
	}
	w.err = v.next(ctx, responses)
	w.cut = conns.after()
	return w
}

// next waits for one response of a watch.
func (v *verifier) next(ctx context.Context, responses clientv3.WatchChan) error {
	timeout := time.NewTimer(v.CommandTimeout)
	defer timeout.Stop()
	select {
	case r, ok := <-responses:
		switch {
		case !ok:
			return errors.New("etcd ended the watch")
		case r.Err() != nil:
			return r.Err()
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return context.DeadlineExceeded
	}
}

// quiet waits until the time is over or the connection is cut, and counts the events that come.
func quiet(ctx context.Context, responses clientv3.WatchChan, cut <-chan struct{}, idle time.Duration, tick func(time.Duration)) (int, error) {
	over := time.NewTimer(idle)
	defer over.Stop()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	begin, events := time.Now(), 0
	for {
		select {
		case r, ok := <-responses:
			switch {
			case !ok:
				return events, errors.New("etcd ended the watch")
			case r.Err() != nil:
				return events, r.Err()
			}
			events += len(r.Events)
		case <-second.C:
			tick(time.Since(begin))
		case <-cut:
			return events, nil
		case <-over.C:
			return events, nil
		case <-ctx.Done():
			return events, ctx.Err()
		}
	}
}
