//go:build e2e

package e2e

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var (
	table = flag.String("table", "", "write the comparison of all contenders to this file")
	only  = flag.String("faults", "", "make only the faults whose name contains this")
	hold  = flag.Duration("hold", 12*time.Second, "how long a fault lasts")
)

// The bars: how long new operations may fail through our HAProxy, even of clients in haste, and how long an established
// client may be out, on a member that was killed, hangs or is cut off. The control's waiting is not counted.
//
// From when a member hangs, HAProxy takes the rest of an interval to ask it, then twice the timeout and the pause between
// to know: 2.1 s + 1 s + 0.1 s + 1 s at the worst, spread included. The same two answers in a row must outlast the
// election of a leader, up to 2 s in which no member can answer, or one lost leader would empty the pool. Then a
// client of gRPC whose connection was cut before TLS was up waits 1 s. So an operation takes 5.2 s at the worst, and
// those of clients that give up after 3 s fail for 2.2 s. Of clients that give up after 5 s hardly one fails: it would
// have to come within the first fifth of a second, right after the member was asked.
const (
	freshBar = 3 * time.Second
	heldBar  = 6 * time.Second
)

var barred = map[string]bool{killed: true, hung: true, apart: true}

// ourHAProxy is the contender that keeps to the bars.
const ourHAProxy = "etcdlbgen, HAProxy"

// row is what one fault did to one contender's clients.
type row struct {
	fault string
	Contender
	Report
	control Count
	lost    int // events
}

// contest is a cluster with all contenders before it.
type contest struct {
	*Cluster
	contenders []Contender
	proxies    []*Proxy
	client     *Host
	writer     *Writer
	control    *Control
}

func newContest(t *testing.T, v Etcd, contenders []Contender) *contest {
	r := NewRig(t)
	b := r.Build(Spec{Version: v.Version, Members: 3, Nodes: len(contenders)})
	c := &contest{Cluster: r.Cluster(v, b, 3, "ETCD_QUOTA_BACKEND_BYTES=33554432"), contenders: contenders}
	c.client = r.Host("client", clientAddr, clientAddr6)
	for i, what := range contenders {
		c.proxies = append(c.proxies, c.Contend(what, i, b))
	}
	c.writer, c.control = c.Writer(c.client), c.Control(c.client)
	return c
}

// Each fault happens to all contenders at once, on one cluster. No event is lost; ours keeps to its bars and is never
// worse than a guide's or an installer's.
func TestFaults(t *testing.T) {
	t.Parallel()
	rows := newContest(t, Current(t), Contenders).sufferAll()
	judge(t, rows)
	compare(t, rows)
	if *table != "" {
		if err := os.WriteFile(*table, []byte(page(rows)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// An etcd from before /readyz: the other health endpoint sees what that one sees.
func TestFaultsOfOldEtcd(t *testing.T) {
	t.Parallel()
	judge(t, newContest(t, Debian(t), Contenders[:2]).sufferAll())
}

func (c *contest) sufferAll() []row {
	c.Helper()
	var rows []row
	for _, f := range Faults {
		if strings.Contains(f.Name, *only) {
			rows = append(rows, c.suffer(f)...)
		}
	}
	if len(rows) == 0 {
		c.Fatalf("no fault is called %q", *only)
	}
	return rows
}

// suffer lets new clients work through all contenders, makes a fault, ends it, and reports what became of them. The
// contenders know nothing of the faults before.
func (c *contest) suffer(f Fault) []row {
	c.Helper()
	start := c.writer.Next()
	var loads []*Load
	for _, p := range c.proxies {
		p.Stop()
		p.Restart()
		p.listens()
		loads = append(loads, c.Load(c.client, p.Addr(), start))
	}
	time.Sleep(2 * time.Second)
	for _, l := range loads {
		l.Take()
	}
	c.control.Take(nil)
	member, heal := f.Make(c.Cluster, c.proxies)
	if f.Brief {
		time.Sleep(5 * time.Second)
	} else {
		time.Sleep(*hold)
	}
	heal()
	time.Sleep(4 * time.Second)
	waited := c.control.Take(member)
	rows := make([]row, len(loads))
	for i, l := range loads {
		rows[i] = row{fault: f.Name, Contender: c.contenders[i], Report: l.Take(), control: waited}
	}
	for i, lost := range c.writer.Lost(start, loads...) {
		rows[i].lost = lost
	}
	for _, l := range loads {
		l.Stop()
	}
	return rows
}

func (r row) String() string {
	return fmt.Sprintf("%-18s %-24s new: %d of %d failed, for %v, lost %v; held: %d of %d failed, lost %v, longest %v; lost %d events, %d locks; control %v",
		r.fault, r.Name, r.Fresh.Failed, r.Fresh.Ops, r.Failing.Round(time.Millisecond), r.Fresh.Lost.Round(100*time.Millisecond),
		r.Held.Failed, r.Held.Ops, r.Held.Lost.Round(100*time.Millisecond), r.Held.Longest.Round(time.Millisecond), r.lost, r.Locks, r.control.Longest.Round(time.Millisecond))
}

// judge compares the rows with the bars.
func judge(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Log(r)
		if r.lost != 0 {
			t.Errorf("%s, %s: watches lost %d events", r.fault, r.Name, r.lost)
		}
		most, ok := harmless[r.fault]
		if ok && r.config == nil && max(r.Fresh.share(), r.Held.share()) > most {
			t.Errorf("%s, %s: operations fail", r.fault, r.Name)
		}
		if r.Name != ourHAProxy {
			continue
		}
		if r.Locks > 0 {
			t.Errorf("%s: %d of %d locks are lost", r.fault, r.Locks, locks)
		}
		if !barred[r.fault] {
			continue
		}
		if failing := r.Failing - r.control.Longest; failing >= freshBar {
			t.Errorf("%s: new operations fail for %v, and may for less than %v", r.fault, failing, freshBar)
		}
		if share := r.Fresh.share(); share > chanceOfAll {
			t.Errorf("%s: %.1f %% of the new operations fail, and may %.1f %%", r.fault, 100*share, 100*chanceOfAll)
		}
		if out := r.Held.Longest - r.control.Longest; out > heldBar {
			t.Errorf("%s: an established client is out for %v, and may be for %v", r.fault, out, heldBar)
		}
	}
}
