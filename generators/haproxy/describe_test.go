package haproxy

import (
	"fmt"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// show is a fact in the tables of tests: as it is where it is written, in parentheses where it is a default, ? where it
// is unknown.
func show[T any](v topology.Value[T]) string {
	switch v.State {
	case topology.Set:
		return fmt.Sprint(v.V)
	case topology.Defaulted:
		return fmt.Sprintf("(%v)", v.V)
	}
	return "?"
}

func place(at diag.Span) string { return fmt.Sprintf("%d:%d-%d", at.Line, at.Col, at.EndCol) }

// describe lists the facts of a proxy, one thing a line.
func describe(p *topology.Proxy) []string {
	lines := []string{fmt.Sprintf("proxy max=%s stop=%s", show(p.MaxConns), show(p.HardStop))}
	for _, l := range p.Listeners {
		text := fmt.Sprintf("listener %s %s", show(l.Name), show(l.Mode))
		if l.Metrics {
			text += " metrics"
		}
		for _, b := range l.Binds {
			text += fmt.Sprintf(" %s/%s", show(b.Addr), show(b.Port))
		}
		if l.MaxConns.Known() {
			text += " max=" + show(l.MaxConns)
		}
		for _, s := range l.Sources {
			text += " from=" + show(s)
		}
		lines = append(lines, text)
		for _, r := range l.Routes {
			lines = append(lines, fmt.Sprintf("route %s > %s idle=%s @%s", show(l.Name), show(r.Pool), show(r.Idle), place(r.Idle.Span)))
		}
	}
	for _, b := range p.Pools {
		lines = append(lines, fmt.Sprintf("pool %s %s balance=%s connect=%s retries=%s cut=%s",
			show(b.Name), show(b.Mode), show(b.Balance), show(b.Connect), show(b.Retries), show(b.CutOnDown)))
		lines = append(lines, "check "+show(b.Name)+" "+describeCheck(&b.Check))
		for _, s := range b.Servers {
			lines = append(lines, fmt.Sprintf("server %s %s %s drain=%s backup=%s checked=%s",
				show(s.Name), show(s.Host), show(s.Port), show(s.Drain), show(s.Backup), show(s.Checked)))
		}
	}
	return lines
}

func describeCheck(c *topology.Check) string {
	parts := []string{show(c.Kind)}
	if c.Kind.V != topology.CheckNone {
		parts = append(parts, show(c.Port), show(c.Method), show(c.Path),
			fmt.Sprintf("every=%s/%s/%s timeout=%s fall=%s rise=%s",
				show(c.Interval), show(c.Fast), show(c.Down), show(c.Timeout), show(c.Fall), show(c.Rise)))
	}
	if c.Verify.Known() {
		parts = append(parts, fmt.Sprintf("cert=%s key=%s ca=%s verify=%s", show(c.Cert), show(c.Key), show(c.CA), show(c.Verify)))
	}
	return strings.Join(append(parts, "@"+place(c.Span)), " ")
}
