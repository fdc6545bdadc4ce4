//go:build e2e

package e2e

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// A lock's lease ends unless it is renewed within this many seconds; its client does so three times as often.
const leaseSeconds = 10

// lock is a lock that a client holds, with its lease.
type lock struct {
	cli     *clientv3.Client
	session *concurrency.Session
}

// lock takes a lock that nobody else wants.
func (c *Cluster) lock(cli *clientv3.Client, name string) *lock {
	c.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	session, err := concurrency.NewSession(cli, concurrency.WithTTL(leaseSeconds))
	if err == nil {
		err = concurrency.NewMutex(session, name).Lock(ctx)
	}
	if err != nil {
		c.Fatal(fmt.Errorf("lock %s: %w", name, err))
	}
	return &lock{cli, session}
}

// lost reports whether the lease ended.
func (l *lock) lost() bool {
	select {
	case <-l.session.Done():
		return true
	default:
		return false
	}
}

// release lets the lease run out: etcd may be out of reach.
func (l *lock) release() {
	l.session.Orphan()
	l.cli.Close()
}
