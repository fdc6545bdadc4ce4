package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var checkMissing = Rule{
	ID:       "check-missing",
	Title:    "a member that nothing checks",
	Severity: "error",
	Why: "Without a check a load balancer goes on sending clients to a member that is gone: with one of three members down every " +
		"third new connection fails, for as long as the member is down.",
	Fix: "Add a check that asks etcd for its health: in HAProxy `option httpchk`, `http-check send meth GET uri " + saneHealth +
		"` and `check port 2381` in each server line, with etcd's --listen-metrics-urls on that port.",
	References: []string{
		"etcd-io/etcd#13097",
		"https://docs.haproxy.org/2.6/configuration.html#5.2-check",
		"https://learn.microsoft.com/azure/load-balancer/load-balancer-custom-probe-overview",
	},
	Check: checkCheckMissing,
}

const onMetricsPort = " that asks GET " + saneHealth + " on port 2381; etcd needs --listen-metrics-urls=http://<address>:2381"

// asked spells a check that asks etcd for its health.
var asked = remedies{
	"haproxy": "add option httpchk GET " + saneHealth + ", and check port 2381 to each server line; etcd needs --listen-metrics-urls=http://<address>:2381",
	"nginx":   "remove max_fails=0; HAProxy and NGINX Plus ask each member for its health, too",
	"azure":   "set probe_id to a probe" + onMetricsPort,
	"gcp":     "set health_checks to a check" + onMetricsPort,
	"":        "add a check" + onMetricsPort,
}

func checkCheckMissing(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range checkedPools(g) {
		bare := unchecked(b)
		if len(bare) == 0 && b.Check.Kind.V != topology.CheckNone {
			continue
		}
		who, at := "its servers", b.Check.Kind.Span
		var more []diag.Related
		for i, s := range bare {
			if i == 0 {
				at = s.Span
				who = called("server", s.Name)
				continue
			}
			more = append(more, diag.Related{Span: s.Span, Message: "nothing checks this one either"})
		}
		if len(bare) == len(b.Servers) {
			who = "its servers"
		}
		out = append(out, diag.Diagnostic{
			Span:     at,
			Severity: diag.Error,
			Message: fmt.Sprintf("%s sends clients to %s, which nothing ever checks, so clients go on being sent to a member that is gone; "+
				"need a health check", b.Called(), who),
			Hint:    asked.of(b.Source, b.Proxy),
			Subject: b.Subject(),
			Related: more,
		})
	}
	return out
}

// unchecked are the servers of a pool that get clients and are known not to be checked.
func unchecked(b topology.EtcdPool) []topology.Server {
	var out []topology.Server
	for _, s := range b.Servers {
		if s.Checked.Known() && !s.Checked.V && !s.Drain.V {
			out = append(out, s)
		}
	}
	return out
}
