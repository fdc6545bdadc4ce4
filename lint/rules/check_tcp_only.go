package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var checkTCPOnly = Rule{
	ID:       "check-tcp-only",
	Title:    "a health check that cannot tell a sick member from a well one",
	Severity: "warning",
	Why: "A connection is accepted by the kernel even when etcd hangs, and a TLS handshake succeeds without quorum. A check that " +
		"only connects keeps such a member in rotation for ever, and its share of all requests fails for as long. A passive check " +
		"learns from the clients' failed connections, and these do not fail either.",
	Fix: "Start etcd with --listen-metrics-urls=http://<address>:2381 and let the check GET /readyz (etcd from 3.4.29 and 3.5.11 " +
		"on) or /health?exclude=NOSPACE there: no certificate is needed. In a spec `cluster: metrics: port: 2381` does it. " +
		"Open-source NGINX has no active check: use HAProxy or NGINX Plus.",
	References: []string{
		"etcd-io/etcd#13097",
		"https://etcd.io/docs/v3.6/op-guide/monitoring/#health-check",
		"https://docs.haproxy.org/2.6/configuration.html#4.2-option%20httpchk",
		"https://docs.nginx.com/nginx/admin-guide/load-balancer/tcp-health-check/",
	},
	Check:    checkCheckTCPOnly,
	Unjudged: checkTCPOnlyUnjudged,
}

// telling spells a check that asks etcd.
var telling = remedies{
	"haproxy": "write option httpchk GET " + saneHealth + ", and check port 2381 in the server lines; etcd needs --listen-metrics-urls=http://<address>:2381",
	"spec":    "start etcd with --listen-metrics-urls=http://<address>:2381, and set metrics: port: 2381 of the cluster",
	"":        "start etcd with --listen-metrics-urls=http://<address>:2381, and check GET " + saneHealth + " there",
}

func checkCheckTCPOnly(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range g.EtcdPools() {
		if onPeerPort(g, b) || !anyChecked(b) {
			continue
		}
		how, hint := "", telling.of(b.Source, b.Proxy)
		switch b.Check.Kind.V {
		case topology.CheckTCP:
			how = "is checked by a connection alone"
		case topology.CheckTLS:
			how = "is checked by a TLS handshake alone"
		case topology.CheckPassive:
			how = "has passive checks alone"
			hint = "use HAProxy or NGINX Plus, which ask each member for its health"
		default:
			continue
		}
		out = append(out, diag.Diagnostic{
			Span:     b.Check.Kind.Span,
			Severity: diag.Warning,
			Message: fmt.Sprintf("%s %s, which a member that hangs or has no quorum passes, so its share of all requests fails; "+
				"need a check that asks etcd for its health", b.Called(), how),
			Hint:    hint,
			Subject: b.Subject(),
		})
	}
	return out
}

// onPeerPort reports whether a pool leads to the peer port, where no check can be right: it must not exist.
func onPeerPort(g *topology.Group, b topology.EtcdPool) bool {
	for _, s := range b.Servers {
		if s.Port.Known() && s.Port.V == g.PeerPort() {
			return true
		}
	}
	return false
}

// anyChecked reports whether the pool's check may apply to any of its servers.
func anyChecked(b topology.EtcdPool) bool {
	for _, s := range b.Servers {
		if !s.Checked.Known() || s.Checked.V {
			return true
		}
	}
	return len(b.Servers) == 0
}

func checkTCPOnlyUnjudged(g *topology.Group) string {
	for _, b := range g.EtcdPools() {
		if !b.Check.Kind.Known() {
			return "a health check is not in the files: a variable, a placeholder or set elsewhere"
		}
	}
	return ""
}
