package show

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/runbook"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

type facts struct {
	Dialed  []string  `json:"dialed"` // every name and address by which clients reach the load balancer
	Port    int       `json:"port"`
	Members []machine `json:"members"`
	Nodes   []machine `json:"nodes"` // that run the load balancer
	Proxies []proxy   `json:"proxies"`
}

type machine struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
	Hostname  string   `json:"hostname,omitempty"`
	Zone      string   `json:"zone,omitempty"`
	Learner   bool     `json:"learner,omitempty"`
	Drain     bool     `json:"drain,omitempty"`
}

// proxy is one program or cloud that balances, with what it does to clients and members.
type proxy struct {
	Platform string `json:"platform"`
	Balance  string `json:"balance,omitempty"`
	Idle     string `json:"idle,omitempty"` // after which it cuts a quiet connection
	Check    string `json:"check"`
	Interval string `json:"interval,omitempty"`
}

func factsOf(t *topology.Topology) facts {
	out := facts{Port: t.BalancerPort.V, Members: []machine{}, Nodes: []machine{}, Proxies: []proxy{}}
	for _, d := range t.Dialed {
		out.Dialed = append(out.Dialed, d.V)
	}
	for _, m := range t.Etcd.Members {
		out.Members = append(out.Members, machine{m.Name.V, texts(m.Addresses()), m.Hostname.V, m.Zone.V, m.Learner.V, m.Drain.V})
	}
	for _, n := range t.Nodes {
		out.Nodes = append(out.Nodes, machine{Name: n.Name.V, Addresses: texts(n.Addresses())})
	}
	for i := range t.Proxies {
		if p := proxyOf(&t.Proxies[i]); !slices.Contains(out.Proxies, p) { // two targets may write one
			out.Proxies = append(out.Proxies, p)
		}
	}
	return out
}

func proxyOf(p *topology.Proxy) proxy {
	out := proxy{Platform: p.Platform}
	for _, l := range p.Listeners {
		for _, r := range l.Routes {
			switch {
			case !r.Idle.Known():
			case r.Idle.V == topology.Never:
				out.Idle = "never"
			default:
				out.Idle = topology.Short(r.Idle.V)
			}
		}
	}
	for _, b := range p.Pools {
		c := b.Check
		out.Balance, out.Check = b.Balance.V, string(c.Kind.V)
		if c.Path.Known() {
			out.Check = fmt.Sprintf("%s %s port %d", c.Kind.V, c.Path.V, c.Port.V)
		}
		if c.Interval.Known() {
			out.Interval = topology.Short(c.Interval.V)
		}
	}
	return out
}

// texts are known values as texts.
func texts[T fmt.Stringer](vs []topology.Value[T]) []string {
	out := []string{}
	for _, v := range vs {
		out = append(out, v.V.String())
	}
	return out
}

func topologyValue(t *topology.Topology) any { return factsOf(t) }

func topologyText(w io.Writer, t *topology.Topology) {
	f := factsOf(t)
	fmt.Fprintf(w, "clients dial %s, port %d\n", strings.Join(f.Dialed, ", "), f.Port)
	var rows [][]string
	for _, p := range f.Proxies {
		what := []string{p.Check + " check"}
		if p.Interval != "" {
			what[0] += " every " + p.Interval
		}
		if p.Balance != "" {
			what = append(what, p.Balance)
		}
		if p.Idle != "" {
			what = append(what, "idle "+p.Idle)
		}
		rows = append(rows, []string{"proxy", p.Platform, strings.Join(what, ", ")})
	}
	for _, n := range f.Nodes {
		rows = append(rows, []string{"node", n.Name, strings.Join(n.Addresses, ", ")})
	}
	for _, m := range f.Members {
		where := m.Addresses
		for _, more := range []string{m.Hostname, m.Zone} {
			if more != "" {
				where = append(where, more)
			}
		}
		if m.Learner {
			where = append(where, "learner")
		}
		if m.Drain {
			where = append(where, "drained")
		}
		rows = append(rows, []string{"member", m.Name, strings.Join(where, ", ")})
	}
	table(w, rows)
}

// topologyDiagram is that of the runbook.
func topologyDiagram(t *topology.Topology) []string { return runbook.Diagram(t) }
