package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var checkNoClientCert = Rule{
	ID:       "check-no-client-cert",
	Title:    "a check without the certificate that etcd demands",
	Severity: "error",
	Why: "etcd with --client-cert-auth ends a handshake without a client certificate, so the check fails on every member and fills " +
		"etcd's log with \"tls: client didn't provide a certificate\". Clouds can never present one.",
	Fix: "Start etcd with --listen-metrics-urls=http://<address>:2381 and check that port, which demands none. Or give the check " +
		"a certificate: in HAProxy `crt` in the server lines.",
	References: []string{
		"etcd-io/etcd#9653", "etcd-io/etcd#13849", "etcd-io/etcd#18477", "kubernetes/kubernetes#81385",
		"https://docs.haproxy.org/2.6/configuration.html#5.2-crt",
	},
	Check:    checkCheckNoClientCert,
	Unjudged: checkNoClientCertUnjudged,
}

func checkCheckNoClientCert(g *topology.Group) diag.List {
	demanded := g.DemandsClientCert()
	if !demanded.V {
		return nil
	}
	var out diag.List
	for _, b := range checkedPools(g) {
		if !bare(g, b) {
			continue
		}
		d := diag.Diagnostic{
			Span:     b.Check.Kind.Span,
			Severity: diag.Error,
			Message: fmt.Sprintf("%s is checked over TLS on client port %d without a client certificate, which etcd demands there, so the "+
				"check fails on every member; need the metrics port, or a certificate", b.Called(), b.Check.Port.V),
			Hint:    "start etcd with --listen-metrics-urls=http://<address>:2381 and check that port",
			Subject: b.Subject(),
		}
		if demanded.State == topology.Set && demanded.Span.Line > 0 {
			d.Related = []diag.Related{{Span: demanded.Span, Message: "etcd demands client certificates"}}
		}
		out = append(out, d)
	}
	return out
}

// bare reports whether a check goes to the client port over TLS without a certificate.
func bare(g *topology.Group, b topology.EtcdPool) bool {
	return b.Check.Kind.V == topology.CheckHTTPS && asksHTTP(b) && asksClientPort(g, b) &&
		(b.Proxy.Cloud() || b.Check.Cert.Known() && b.Check.Cert.V == "")
}

func checkNoClientCertUnjudged(g *topology.Group) string {
	if g.DemandsClientCert().Known() {
		return ""
	}
	for _, b := range checkedPools(g) {
		if bare(g, b) {
			return "nothing says whether etcd demands client certificates: lint its configuration, too"
		}
	}
	return ""
}
