package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var insecureSkipVerify = Rule{
	ID:       "insecure-skip-verify",
	Title:    "a client of etcd verifies no certificate",
	Severity: "error",
	Why:      "Whoever can answer on the address, a stray load balancer included, can then read and change all of etcd's data. It is mostly there because the members' certificates lack the name or address that is dialed, over which every other client then trips.",
	Fix: "Give the client the CA (--cacert, ca_file) and remove the switch. Where the handshake then fails, issue the members' " +
		"certificates anew with the name or address that is dialed: see cert-lb-san.",
	References: []string{
		"kubernetes-sigs/kubespray#2156",
		"https://github.com/etcd-io/etcd/blob/main/etcdctl/README.md",
		"https://prometheus.io/docs/prometheus/latest/configuration/configuration/#tls_config",
	},
	Check: checkInsecureSkipVerify,
}

func checkInsecureSkipVerify(g *topology.Group) diag.List {
	var out diag.List
	found := func(who string, v topology.Value[bool]) {
		if v.Known() && v.V {
			out = append(out, diag.Diagnostic{
				Span:     v.Span,
				Severity: diag.Error,
				Message: fmt.Sprintf("%s does not verify etcd's certificate, so whoever answers in its place reads and changes everything; "+
					"need verification against etcd's CA", who),
				Hint: "remove the switch and name the CA instead",
			})
		}
	}
	for _, t := range g.Sources {
		for _, d := range t.Dialers {
			found(d.Program, d.Insecure)
		}
		for _, s := range t.Scrapes {
			if scrapesEtcd(g, s) {
				found(called("scrape job", s.Job), s.Insecure)
			}
		}
	}
	return out
}

// scrapesEtcd reports whether a job asks etcd: by its name, or by a port that is etcd's.
func scrapesEtcd(g *topology.Group, s topology.Scrape) bool {
	if topology.NamesEtcd(s.Job.V) {
		return true
	}
	for _, v := range s.Targets {
		u, ok := topology.ParseURL(topology.SetAt("https://"+v.V, v.Span))
		if ok && v.Known() && u.Port == g.ClientPort() {
			return true
		}
	}
	return false
}
