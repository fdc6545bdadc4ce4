package rules

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var checkEndpoint = Rule{
	ID:       "check-endpoint",
	Title:    "a check that asks the wrong question",
	Severity: "warning",
	Why: "What a load balancer must know is whether a member serves requests. /version, /livez and a serializable /health answer " +
		"well without quorum. /health answers ill on all members at once as soon as one of them raises a space alarm. /v2 and " +
		"/healthz are not there in etcd 3. And etcd answers any method but GET with 405, on a member that is well, too.",
	Fix: "GET /readyz from etcd 3.4.29, 3.5.11 and 3.6 on, else GET " + saneHealth + ".",
	References: []string{
		"etcd-io/etcd#8272", "etcd-io/etcd#12880", "etcd-io/etcd#13467", "etcd-io/etcd#13706",
		"https://etcd.io/docs/v3.6/op-guide/monitoring/#health-check",
		"https://docs.haproxy.org/2.6/configuration.html#4.2-option%20httpchk",
	},
	Check: checkCheckEndpoint,
}

func checkCheckEndpoint(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range checkedPools(g) {
		if !asksHTTP(b) || !asksEtcd(g, b) {
			continue
		}
		if p := b.Check.Path; p.Known() {
			if why := misleads(p.V); why != "" {
				out = append(out, wrongRequest(b, p, fmt.Sprintf("asks for %s, which %s", p.V, why), saneHealth))
			}
		}
		if m := b.Check.Method; m.Known() && m.V != "GET" {
			out = append(out, wrongRequest(b, m, fmt.Sprintf("asks by %s, which etcd answers with 405 even when all is well", m.V), "GET"))
		}
	}
	return out
}

// wrongRequest is a finding about a part of a check's request, which should be another one.
func wrongRequest(b topology.EtcdPool, part topology.Value[string], what, instead string) diag.Diagnostic {
	d := diag.Diagnostic{
		Span:     part.Span,
		Severity: diag.Warning,
		Message:  fmt.Sprintf("the check of %s %s; need GET /readyz or GET %s", b.Called(), what, saneHealth),
		Hint:     "let the check GET " + saneHealth + ", or /readyz from etcd 3.4.29, 3.5.11 and 3.6 on",
		Subject:  b.Subject(),
	}
	if part.State == topology.Set {
		d.Edits = []diag.Edit{{Span: part.Span, Text: instead}}
	}
	return d
}

// misleads says why a path is no answer to whether a member serves requests, "" where it is one or is not known.
func misleads(target string) string {
	path, query := split(target)
	values, err := url.ParseQuery(query)
	switch {
	case path == "/version" || path == "/livez":
		return "a member without quorum answers as well"
	case path == "/v2" || strings.HasPrefix(path, "/v2/"):
		return "etcd 3 no longer has, or answers without quorum"
	case path == "/healthz":
		return "etcd does not have"
	case err != nil:
		return ""
	case slices.Contains(values["serializable"], "true"):
		return "a member without quorum answers as well"
	case path == "/health" && !slices.Contains(values["exclude"], "NOSPACE"):
		return "fails on all members at once as soon as one raises a space alarm"
	}
	return ""
}
