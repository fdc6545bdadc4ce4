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
each with clients of its own: %d that keep their connection, %d on each member, and one new client every %v that connects
for one operation. Each fault happens to all load balancers at once, which were started for it, and lasts %v. An operation
is a read that needs the quorum; it fails after %v and is slow after %v. The machine has no network delay and does other work meanwhile:
"direct" is how long a client waited that dials healthy members itself. Compare lengths of outages, not milliseconds.

- etcdlbgen: what `+"`etcdlbgen build`"+` writes from a spec that says nothing of timing.
- a guide's: checks that only connect, every ten seconds; ten seconds to connect.
- an installer's: what installers of Kubernetes put before API servers, put before etcd.

Open-source NGINX has passive checks only: it cannot see a member that hangs, is cut off or has no quorum. Where it counts
connections, as it does here for us and the installer, few new clients find out: those that wait there count, too. But a
member that came back a moment ago, with hardly any, and then hangs gets every new client until it has as many as the
others.

Failing for: from the first new operation that failed, or took longer than %v, to the last. Time lost: the sum of all slow
waits. Longest wait: from an established client's first attempt to its success. Events lost: of %d watches through
each load balancer. Locks lost: of %d whose lease of %d s ended because its client could not renew it. Times are in seconds.
`, heldClients, onMember, freshPause, *hold, patience, slowness, haste, watches, locks, leaseSeconds)
	fault := ""
	for _, r := range rows {
		if r.fault != fault {
			fault = r.fault
			direct := fmt.Sprintf("Direct: %s s.\n\n", seconds(r.control.Longest))
			if fault == rolling {
				direct = "" // whoever dials one member waits until it is back
			}
			fmt.Fprintf(&b, "\n## %s\n\n%s", strings.ToUpper(fault[:1])+fault[1:], direct)
			b.WriteString("| load balancer | new: failed | slow | failing for | time lost | established: failed | slow | time lost | longest wait | events lost | locks lost |\n")
			b.WriteString("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
		}
		fmt.Fprintf(&b, "| %s | %d of %d | %d | %s | %s | %d of %d | %d | %s | %s | %d | %d |\n", r.Name,
			r.Fresh.Failed, r.Fresh.Ops, r.Fresh.Slow, seconds(r.Failing), seconds(r.Fresh.Lost),
			r.Held.Failed, r.Held.Ops, r.Held.Slow, seconds(r.Held.Lost), seconds(r.Held.Longest), r.lost, r.Locks)
	}
	return b.String()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }
