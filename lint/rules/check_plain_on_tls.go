package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var checkPlainOnTLS = Rule{
	ID:       "check-plain-on-tls",
	Title:    "a plain HTTP check on a port that speaks TLS",
	Severity: "error or warning",
	Why: "etcd answers a plain request on a TLS port with an error, so the check can never pass: all members are down from the " +
		"first second on, or, where the load balancer fails open, the check means nothing.",
	Fix: "Start etcd with --listen-metrics-urls=http://<address>:2381 and check that port. Or let the check speak TLS and present " +
		"a client certificate: in HAProxy `check-ssl crt <file> ca-file <file> check-alpn http/1.1`.",
	References: []string{
		"etcd-io/etcd#9653", "etcd-io/etcd#8363",
		"https://docs.haproxy.org/2.6/configuration.html#5.2-check-ssl",
	},
	Check: checkCheckPlainOnTLS,
}

func checkCheckPlainOnTLS(g *topology.Group) diag.List {
	scheme := g.ClientScheme()
	if scheme.Known() && scheme.V != "https" {
		return nil
	}
	var out diag.List
	for _, b := range checkedPools(g) {
		if b.Check.Kind.V != topology.CheckHTTP || !asksHTTP(b) || !asksClientPort(g, b) || !scheme.Known() && b.Check.Plain.V {
			continue
		}
		d := diag.Diagnostic{
			Span:     b.Check.Kind.Span,
			Severity: diag.Warning,
			Message: fmt.Sprintf("%s is checked by plain HTTP on client port %d: if members speak TLS there, it can never pass; need "+
				"their metrics port, or a check over TLS with a client certificate", b.Called(), b.Check.Port.V),
			Hint:    "start etcd with --listen-metrics-urls=http://<address>:2381 and check that port",
			Subject: b.Subject(),
		}
		if scheme.Known() {
			d.Severity = diag.Error
			d.Message = fmt.Sprintf("%s is checked by plain HTTP on client port %d, where members speak TLS, so it can never pass; need "+
				"their metrics port, or a check over TLS with a client certificate", b.Called(), b.Check.Port.V)
			if scheme.State == topology.Set && scheme.Span.Line > 0 {
				d.Related = []diag.Related{{Span: scheme.Span, Message: "shows that members speak TLS"}}
			}
		}
		out = append(out, d)
	}
	return out
}
