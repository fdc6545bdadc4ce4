package rules

import (
	"fmt"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var certExpiry = Rule{
	ID:       "cert-expiry",
	Title:    "a certificate of etcd is not valid, or soon will not be",
	Severity: "error or warning",
	Why: "Most certificates of a cluster are issued on one day, and so expire on one: every new connection fails, members lose " +
		"each other at the next reconnect, and the load balancer's checks still pass where they only connect.",
	Fix: "Issue the certificate anew and replace it on the machine. etcd reads its certificates again for each connection: no restart " +
		"is needed. A new CA must be trusted everywhere before certificates of it are used.",
	References: []string{
		"https://etcd.io/docs/v3.6/op-guide/security/",
		"https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/",
	},
	Check: checkCertExpiry,
}

// soon is when an expiry is near, where it is also less than a third of the certificate's lifetime away: some live for a
// day.
const soon = 30 * 24 * time.Hour

func checkCertExpiry(g *topology.Group) diag.List {
	if g.Now.IsZero() {
		return nil
	}
	var out diag.List
	for _, c := range g.EtcdCertificates() {
		d, bad := judgeValidity(c.NotBefore, c.NotAfter, g.Now)
		if !bad {
			continue
		}
		what := "certificate"
		if role := g.CertRole(c); role == topology.CACert {
			what = "CA certificate"
		} else if role != "" {
			what = string(role) + " certificate"
		}
		d.Span = c.Span
		d.Message = called(what, c.Name) + " " + d.Message
		d.Hint = "issue it anew"
		out = append(out, d)
	}
	return out
}

// judgeValidity judges a certificate's lifetime. The message is the second half of a sentence.
func judgeValidity(from, to, now time.Time) (diag.Diagnostic, bool) {
	left := to.Sub(now)
	day := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	switch {
	case now.After(to):
		return diag.Diagnostic{Severity: diag.Error, Message: fmt.Sprintf(
			"expired on %s, so new connections fail; need one that is valid", day(to))}, true
	case now.Before(from):
		return diag.Diagnostic{Severity: diag.Error, Message: fmt.Sprintf(
			"is not valid before %s, so new connections fail; need one that is valid now", day(from))}, true
	case left < soon && left < to.Sub(from)/3:
		return diag.Diagnostic{Severity: diag.Warning, Message: fmt.Sprintf(
			"expires on %s, after which new connections fail; need a new one in time", day(to))}, true
	}
	return diag.Diagnostic{}, false
}
