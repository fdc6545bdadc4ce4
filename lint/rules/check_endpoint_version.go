package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var checkEndpointVersion = Rule{
	ID:       "check-endpoint-version",
	Title:    "a check for /readyz, which this etcd does not have",
	Severity: "error",
	Why: "etcd has /readyz from 3.4.29 and 3.5.11 on. Older ones answer 404, all of them, so no member is ever up. During an " +
		"upgrade the oldest member decides.",
	Fix: "GET " + saneHealth + " until all members are new enough. lint learns the version from a spec, a manifest or --etcd-version.",
	References: []string{
		"https://github.com/etcd-io/etcd/blob/main/CHANGELOG/CHANGELOG-3.4.md",
		"https://github.com/etcd-io/etcd/blob/main/CHANGELOG/CHANGELOG-3.5.md",
	},
	Check:    checkCheckEndpointVersion,
	Unjudged: checkEndpointVersionUnjudged,
}

func checkCheckEndpointVersion(g *topology.Group) diag.List {
	var out diag.List
	for _, b := range readyPools(g) {
		for _, v := range g.Versions() {
			if serves, sure := topology.ServesReady(v.V); serves || !sure {
				continue
			}
			d := wrongRequest(b, b.Check.Path, "", saneHealth)
			d.Severity = diag.Error
			d.Message = fmt.Sprintf("the check of %s asks for %s, which etcd %s answers with 404, so no member is ever up; need etcd 3.4.29, "+
				"3.5.11 or 3.6, or GET %s", b.Called(), b.Check.Path.V, v.V, saneHealth)
			d.Hint = "let the check GET " + saneHealth
			if v.Span.Line > 0 {
				d.Related = []diag.Related{{Span: v.Span, Message: "the version"}}
			}
			out = append(out, d)
			break
		}
	}
	return out
}

// readyPools are the pools whose check asks etcd for /readyz.
func readyPools(g *topology.Group) []topology.EtcdPool {
	var out []topology.EtcdPool
	for _, b := range checkedPools(g) {
		if path, _ := split(b.Check.Path.V); b.Check.Path.Known() && path == "/readyz" && asksHTTP(b) && asksEtcd(g, b) {
			out = append(out, b)
		}
	}
	return out
}

func checkEndpointVersionUnjudged(g *topology.Group) string {
	if len(readyPools(g)) > 0 && len(g.Versions()) == 0 {
		return "etcd's version is not known: pass --etcd-version"
	}
	return ""
}
