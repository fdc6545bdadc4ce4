package verify

import (
	"context"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// reads is how often latency is measured each way.
const reads = 31

// latencies are what reads took through the load balancer and at the member that it led to.
type latencies struct {
	through, direct []time.Duration
	member          string // label of the endpoint
	err             error
}

// compare reads through a load balancer and directly in turns, from the same member: what differs is the way. A read is
// answered from the member's own store, so that the members' network has no part in it.
func (v *verifier) compare(ctx context.Context, balancer Endpoint, byID map[uint64]Endpoint) latencies {
	ctx, cancel := context.WithTimeout(ctx, 4*v.CommandTimeout)
	defer cancel()
	through, err := v.client(ctx, balancer, v.connect)
	if err != nil {
		return latencies{err: err}
	}
	defer through.Close()
	_, id, err := v.read(ctx, through)
	if err != nil {
		return latencies{err: err}
	}
	e, ok := byID[id]
	if !ok {
		return latencies{err: errNoMember}
	}
	direct, err := v.client(ctx, e, v.connect)
	if err != nil {
		return latencies{err: err}
	}
	defer direct.Close()
	out := latencies{member: e.Label()}
	if _, _, err := v.read(ctx, direct); err != nil { // opens the connection
		return latencies{err: err}
	}
	for range reads {
		t, _, err := v.read(ctx, through)
		if err != nil {
			return latencies{err: err}
		}
		d, _, err := v.read(ctx, direct)
		if err != nil {
			return latencies{err: err}
		}
		out.through, out.direct = append(out.through, t), append(out.direct, d)
	}
	return out
}

// read is one read, with how long it took and which member answered.
func (v *verifier) read(ctx context.Context, c *clientv3.Client) (time.Duration, uint64, error) {
	begin := time.Now()
	r, err := c.Get(ctx, v.WatchKey, clientv3.WithSerializable(), clientv3.WithCountOnly())
	took := time.Since(begin)
	if err != nil {
		if denied(err) {
			return 0, 0, errDenied
		}
		return 0, 0, plain(err)
	}
	return took, r.Header.GetMemberId(), nil
}

func median(of []time.Duration) time.Duration {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}
