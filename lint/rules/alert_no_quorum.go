package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var alertNoQuorum = Rule{
	ID:       "alert-no-quorum",
	Title:    "the first alert comes after the quorum is lost",
	Severity: "warning",
	Why: "etcd stops as soon as fewer than a majority of its members are left, not when none is. An alert on a backend without any server " +
		"comes long after the cluster has stopped, and nobody was told of the members that went down before.",
	Fix: "Alert when fewer servers are up than a quorum needs, haproxy_backend_active_servers{proxy=\"…\"} < 2 for three members, and " +
		"warn when any of them is down.",
	References: []string{
		"https://etcd.io/docs/v3.6/faq/#what-is-failure-tolerance",
		"https://github.com/etcd-io/etcd/tree/main/contrib/mixin",
	},
	Check: checkAlertNoQuorum,
}

func checkAlertNoQuorum(g *topology.Group) diag.List {
	var late *topology.Alert
	m := monitoringOf(g)
	for _, t := range g.Sources {
		for i := range t.Alerts {
			switch a := &t.Alerts[i]; m.onQuorum(a) {
			case inTime:
				return nil
			case tooLate:
				if late == nil {
					late = a
				}
			}
		}
	}
	if late == nil {
		return nil
	}
	pool := m.poolOf(late.Compares[0].Of)
	enough := "a quorum, which is 2 of three members"
	if q := m.quorum(pool); q > 0 {
		enough = fmt.Sprint(q)
	}
	return diag.List{{
		Span:     late.Expr.Span,
		Severity: diag.Warning,
		Message: fmt.Sprintf("%s fires when the quorum of %s is lost already, and no other one before, so etcd stops unnoticed; need "+
			"an alert on fewer servers than a quorum needs", called("alert", late.Name), pool),
		Hint:    fmt.Sprintf("alert when haproxy_backend_active_servers{proxy=%q} is below %s", pool, enough),
		Subject: "alert " + late.Name.V,
	}}
}

// promptness is what an alert tells of a quorum.
type promptness uint8

const (
	unrelated promptness = iota
	tooLate              // of a pool of etcd's, once its quorum is lost
	inTime               // or perhaps in time
)

func (m monitoring) onQuorum(a *topology.Alert) promptness {
	if !a.Expr.Known() {
		return inTime
	}
	if len(a.Compares) == 1 && len(a.Reads) == 1 && a.Compares[0].Decides {
		c := a.Compares[0]
		if needed, ok := serversNeeded(c); ok {
			return m.numberOfServers(c.Of, needed)
		}
	}
	if slices.ContainsFunc(a.Reads, func(s topology.Selector) bool { return m.tells(s) }) {
		return inTime
	}
	return unrelated
}

// numberOfServers judges an alert that is silent while so many servers are up. An unknown quorum is at least 2.
func (m monitoring) numberOfServers(s topology.Selector, needed float64) promptness {
	pool := m.poolOf(s)
	q := m.quorum(pool)
	switch {
	case m.aboutOthers(s):
		return unrelated
	case q == 0 && needed > 1 || q > 0 && needed >= float64(q):
		return inTime
	case pool == "":
		return unrelated
	}
	return tooLate
}

// serversNeeded is how many servers must be up for an alert on their number to be silent.
func serversNeeded(c topology.Comparison) (float64, bool) {
	for _, f := range c.Functions {
		if f != "min" && f != "max" && f != "sum" {
			return 0, false
		}
	}
	state, none := c.Of.Labels["state"], c.Op == "==" && c.Number == 0 || c.Op == "<" && c.Number > 0 && c.Number <= 1
	switch metric := c.Of.Metric; {
	case c.Bool:
	case metric == "haproxy_backend_active_servers" && c.Op == "<":
		return c.Number, true
	case metric == "haproxy_backend_active_servers" && c.Op == "<=":
		return c.Number + 1, true
	case metric == "haproxy_backend_active_servers", metric == "haproxy_backend_up", metric == "haproxy_backend_status" && state == "UP":
		return 1, none
	case metric == "haproxy_backend_status" && state == "DOWN":
		return 1, c.Op == "==" && c.Number == 1 || c.Op == ">" && c.Number == 0
	}
	return 0, false
}

// poolOf is the name of the pool of etcd's that a selector is about, or "".
func (m monitoring) poolOf(s topology.Selector) string {
	for _, label := range []string{"proxy", "backend"} {
		name := s.Labels[label]
		if _, known := m.pools[name]; name != "" && (known || topology.NamesEtcd(name)) {
			return name
		}
	}
	return ""
}

// quorum is how many of the servers of a pool a quorum needs, 0 where the number of members is not known.
func (m monitoring) quorum(pool string) int {
	members := m.voters
	if members == 0 {
		members = m.pools[pool]
	}
	if members == 0 {
		return 0
	}
	return members/2 + 1
}

// tells reports whether series may tell of single members that fail, or of the quorum.
func (m monitoring) tells(s topology.Selector) bool {
	switch {
	case s.Metric == "", strings.Contains(s.Metric, "etcd"), m.recorded[s.Metric]:
		return true
	case s.Metric == "up", s.Metric == "probe_success", strings.HasPrefix(s.Metric, "haproxy_server_status"),
		strings.HasPrefix(s.Metric, "haproxy_server_up"), strings.HasPrefix(s.Metric, "haproxy_server_check_"),
		strings.HasPrefix(s.Metric, "haproxy_server_downtime_"), strings.HasPrefix(s.Metric, "haproxy_backend_agg_"),
		s.Metric == "haproxy_backend_active_servers", s.Metric == "haproxy_backend_up", s.Metric == "haproxy_backend_status":
		return !m.aboutOthers(s)
	}
	return false
}

// aboutOthers reports whether a selector names what it is about, and nothing of that is etcd's.
func (m monitoring) aboutOthers(s topology.Selector) bool {
	named := false
	for label, value := range s.Labels {
		if topology.NamesEtcd(value) {
			return false
		}
		named = named || label == "job" || label == "proxy" || label == "backend"
	}
	return named && m.poolOf(s) == "" && !slices.ContainsFunc(s.Needs, func(label string) bool { return label == "proxy" || label == "backend" })
}
