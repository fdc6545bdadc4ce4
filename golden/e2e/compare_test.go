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
	rest  = flag.Duration("rest", 3*time.Second, "how long a contender may take to trust a member again before the next fault")
	hold  = flag.Duration("hold", 12*time.Second, "how long a fault lasts")
)

// The bars: how long new operations may fail through our HAProxy, and how long an established client may be out, on a
// member that was killed, hangs or is cut off. The control's waiting is not counted.
const (
	freshBar = 3 * time.Second
	heldBar  = 6 * time.Second
)

var barred = map[string]bool{killed: true, hung: true, apart: true}

// The contenders that are judged.
const (
	ours  = "etcdlbgen, HAProxy"
	guide = "a guide's HAProxy"
)

// row is what one fault did to one contender's clients.
type row struct {
	fault, contender string
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
	time.Sleep(5 * time.Second) // until all checks have had their say
	return c
}

// Each fault happens to all contenders at once, on one cluster. No event is lost; ours keeps to its bars and is never
// worse than a guide's.
func TestFaults(t *testing.T) {
	contenders := Contenders
	if *table == "" {
		contenders = Contenders[:4]
	}
	c := newContest(t, Current(t), contenders)
	var rows []row
	for _, f := range Faults {
		if strings.Contains(f.Name, *only) {
			rows = append(rows, c.suffer(f)...)
		}
	}
	judge(t, rows)
	if *table != "" {
		if err := os.WriteFile(*table, []byte(page(rows)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// An etcd from before /readyz: the other health endpoint sees a member that hangs, and looks past a space alarm.
func TestFaultsOfOldEtcd(t *testing.T) {
	c := newContest(t, Debian(t), Contenders[:1])
	var rows []row
	for _, f := range Faults {
		if f.Name == hung || f.Name == full {
			rows = append(rows, c.suffer(f)...)
		}
	}
	judge(t, rows)
}

// suffer lets new clients work through all contenders, makes a fault, ends it, and reports what became of them.
func (c *contest) suffer(f Fault) []row {
	c.Helper()
	start := c.writer.Next()
	var loads []*Load
	for _, p := range c.proxies {
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
		rows[i] = row{fault: f.Name, contender: c.contenders[i].Name, Report: l.Take(), control: waited}
	}
	for i, lost := range c.writer.Lost(start, loads...) {
		rows[i].lost = lost
	}
	for _, l := range loads {
		l.Stop()
	}
	time.Sleep(*rest)
	return rows
}

func (r row) String() string {
	return fmt.Sprintf("%-18s %-24s new: %d of %d failed, %d slow, longest %v, failing %v; held: %d of %d failed, %d slow, longest %v; lost %d events, %d locks; control %v",
		r.fault, r.contender, r.Fresh.Failed, r.Fresh.Ops, r.Fresh.Slow, r.Fresh.Longest.Round(time.Millisecond), r.Fresh.Failing().Round(time.Millisecond),
		r.Held.Failed, r.Held.Ops, r.Held.Slow, r.Held.Longest.Round(time.Millisecond), r.lost, r.Locks, r.control.Longest.Round(time.Millisecond))
}

// judge compares the rows with the bars and with each other.
func judge(t *testing.T, rows []row) {
	t.Helper()
	theirs := map[string]row{} // the rows of the guide's HAProxy, by fault
	for _, r := range rows {
		t.Log(r)
		if r.lost != 0 {
			t.Errorf("%s, %s: watches lost %d events", r.fault, r.contender, r.lost)
		}
		if r.contender == guide {
			theirs[r.fault] = r
		}
	}
	for _, r := range rows {
		if r.contender != ours {
			continue
		}
		if r.Locks > 0 {
			t.Errorf("%s: %d of %d locks are lost", r.fault, r.Locks, locks)
		}
		noise := r.control.Longest
		if barred[r.fault] {
			if failing := r.Fresh.Failing() - noise; failing >= freshBar {
				t.Errorf("%s: new operations fail for %v, and may for less than %v", r.fault, failing, freshBar)
			}
			if out := r.Held.Longest - noise; out > heldBar {
				t.Errorf("%s: an established client is out for %v, and may be for %v", r.fault, out, heldBar)
			}
		}
		if n := r.Fresh.Failed + r.Held.Failed; r.fault == full && n > 0 {
			t.Errorf("%s: %d operations failed", r.fault, n)
		}
		other, ok := theirs[r.fault]
		if ok && (r.Fresh.Failed > other.Fresh.Failed || r.Held.Failed > other.Held.Failed ||
			r.Fresh.Longest > other.Fresh.Longest+noise+slowness || r.Held.Longest > other.Held.Longest+noise+slowness) {
			t.Errorf("%s: worse than with a guide's:\n%v\n%v", r.fault, r, other)
		}
	}
}
