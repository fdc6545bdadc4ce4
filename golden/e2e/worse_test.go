//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"
)

// What chance may add. Where a proxy counts connections, one new client at a time finds out that a member hangs, and
// one more where the member had one connection less than the others: that is an operation in the time in which one
// fails, of the more than thirty that start in it. Proxies that take turns lose every third, ten times as many. Over
// all faults chance evens out.
const (
	chance      = 0.05 // of the new operations in one fault
	chanceOfAll = 0.01 // of those in all faults
)

// onMember is how many established clients each contender has on a member: no chance there, but each may have begun
// one operation more than another when the fault ends.
const onMember = heldClients / voters

// compare holds that what is built does nowhere worse than what others run of the same kind.
func compare(t *testing.T, rows []row) {
	t.Helper()
	for _, own := range rows {
		if own.config != nil {
			continue
		}
		for _, other := range rows {
			if other.config == nil || other.NGINX != own.NGINX || other.fault != own.fault {
				continue
			}
			if why := worse(own, other); why != "" {
				t.Errorf("%s: %s is worse than %s: %s\n%v\n%v", own.fault, own.Name, other.Name, why, own, other)
			}
		}
	}
	if *only == "" {
		compareSums(t, rows)
	}
}

// compareSums does so over all faults.
func compareSums(t *testing.T, rows []row) {
	t.Helper()
	sums := map[string]Count{}
	for _, r := range rows {
		sum := sums[r.Name]
		sum.add(r.Fresh)
		sums[r.Name] = sum
	}
	for _, own := range Contenders {
		for _, other := range Contenders {
			if own.config != nil || other.config == nil || other.NGINX != own.NGINX {
				continue
			}
			if a, b := sums[own.Name].share(), sums[other.Name].share(); a > b+chanceOfAll {
				t.Errorf("all faults: through %s %.1f %% of the new operations fail, through %s %.1f %%", own.Name, 100*a, other.Name, 100*b)
			}
		}
	}
}

// worse says in what one contender did worse than another.
func worse(own, other row) string {
	if why := worseFresh(own.Fresh, other.Fresh); why != "" {
		return why
	}
	noise := own.control.Longest
	if own.fault == rolling { // whoever dials one member waits until it is back
		noise = 0
	}
	if a, b := own.Held, other.Held; a.Failed > b.Failed+onMember {
		return fmt.Sprintf("%d operations of established clients fail, not %d", a.Failed, b.Failed)
	} else if a.Lost > b.Lost+heldClients*(slowness+noise) {
		return fmt.Sprintf("established clients lose %v, not %v", a.Lost, b.Lost)
	}
	if own.Locks > other.Locks+locks/voters {
		return fmt.Sprintf("%d locks are lost, not %d", own.Locks, other.Locks)
	}
	return ""
}

// worseFresh says in what new clients did worse. A share of the operations is left to chance, each for as long as one
// takes that fails.
func worseFresh(own, other Count) string {
	if a, b := own.share(), other.share(); a > b+chance {
		return fmt.Sprintf("%.1f %% of the new operations fail, not %.1f %%", 100*a, 100*b)
	}
	mean := func(c Count) time.Duration { return c.Lost / time.Duration(c.Ops) }
	if a, b := mean(own), mean(other); a > b+time.Duration(chance*float64(patience)) {
		return fmt.Sprintf("a new operation loses %v, not %v", a, b)
	}
	return ""
}
