//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"time"
)

// page is the comparison for readers.
func page(rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# What clients notice when members fail

Made by `+"`make e2e-table`"+`, which writes this file anew: six load balancers before one etcd cluster of three members,
each with %d clients of its own that keep their connection and %d that make one for each operation. Each fault happens to
all of them at once and lasts %v; then they have %v to recover. An operation is a read that needs the quorum; it fails
after %v and is slow after %v. The machine has no network delay and does other work meanwhile: "direct" is how long a
client waited that dials healthy members itself. Compare lengths of outages, not milliseconds; how
many established clients were on the member that failed is chance.

- etcdlbgen: what `+"`etcdlbgen build`"+` writes from a spec that says nothing of timing.
- a guide's: checks that only connect, every ten seconds; ten seconds to connect.
- an installer's: what installers of Kubernetes put before API servers, put before etcd.

Open-source NGINX has passive checks only: it cannot see a member that hangs, is cut off or has no quorum.

Longest wait: from a client's first attempt to its success. Events lost: of three watches through each load balancer.
Locks lost: of three whose lease of %d s ended because its client could not renew it.
`, heldClients, freshClients, *hold, *rest, patience, slowness, leaseSeconds)
	fault := ""
	for _, r := range rows {
		if r.fault != fault {
			fault = r.fault
			direct := fmt.Sprintf("; direct %s s", seconds(r.control.Longest))
			if fault == rolling {
				direct = "" // whoever dials one member waits until it is back
			}
			fmt.Fprintf(&b, "\n## %s\n\nLongest waits in seconds%s.\n\n", strings.ToUpper(fault[:1])+fault[1:], direct)
			b.WriteString("| load balancer | new: failed | slow | longest wait | established: failed | slow | longest wait | events lost | locks lost |\n")
			b.WriteString("|---|---:|---:|---:|---:|---:|---:|---:|---:|\n")
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %d |\n", r.contender, cells(r.Fresh), cells(r.Held), r.lost, r.Locks)
	}
	return b.String()
}

func cells(c Count) string {
	return fmt.Sprintf("%d of %d | %d | %s", c.Failed, c.Ops, c.Slow, seconds(c.Longest))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }
