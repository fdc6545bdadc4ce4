//go:build e2e

package e2e

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"
)

const hangs = 20 // that are measured

// BenchmarkDetection states how soon HAProxy, as built, knows of a member that hangs, at random moments between its
// checks, and what that costs clients.
func BenchmarkDetection(b *testing.B) {
	r := NewRig(b)
	built := r.Build(Spec{Version: Current(b).Version, Members: voters, Nodes: 1})
	c := r.Cluster(Current(b), built, voters)
	client, monitor := r.Host("client", clientAddr, clientAddr6), r.Host("monitor", monitorAddr)
	p := c.Contend(Contenders[0], 0, built)
	writer := c.Writer(client)
	var known, failed, outages []time.Duration
	var fresh, held Count
	for b.Loop() {
		for range hangs {
			l := c.Load(client, p.Addr(), writer.Next())
			time.Sleep(time.Second + rand.N(3*time.Second))
			l.Take()
			took := c.detected(monitor, p)
			report := l.Take()
			l.Stop()
			b.Logf("known after %v, new operations fail for %v, established clients are out for %v, %d of %d fail",
				took, report.Failing, report.Held.Longest, report.Fresh.Failed+report.Held.Failed, report.Fresh.Ops+report.Held.Ops)
			known, failed, outages = append(known, took), append(failed, report.Failing), append(outages, report.Held.Longest)
			fresh.add(report.Fresh)
			held.add(report.Held)
		}
	}
	b.ReportMetric(0, "ns/op")
	for name, all := range map[string][]time.Duration{"known": known, "new-failing": failed, "established-out": outages} {
		slices.Sort(all)
		b.ReportMetric(at(all, 50).Seconds(), name+"-p50-s")
		b.ReportMetric(at(all, 100).Seconds(), name+"-max-s")
	}
	b.ReportMetric(float64(fresh.Failed), "new-failed")
	b.ReportMetric(float64(fresh.Ops), "new")
	b.ReportMetric(float64(held.Failed), "established-failed")
}

// detected lets a member hang until HAProxy knows, and a little longer, and says how long that took.
func (c *Cluster) detected(monitor *Host, p *Proxy) time.Duration {
	c.Helper()
	m := c.Follower()
	start := time.Now()
	m.Signal(syscall.SIGSTOP)
	c.eventually(20*time.Second, m.Name+" is down", func() error { return p.thinks(monitor, m.Name, "DOWN") })
	took := time.Since(start)
	time.Sleep(2 * time.Second) // until clients are elsewhere
	m.Signal(syscall.SIGCONT)
	c.eventually(20*time.Second, m.Name+" is up", func() error { return p.thinks(monitor, m.Name, "UP") })
	return took
}
