package rules

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var connectBudget = Rule{
	ID:       "connect-budget",
	Title:    "the client gives up before the proxy has found a member that lives",
	Severity: "warning",
	Why: "A machine that is gone does not refuse connections, it is silent: each attempt costs the whole connect timeout. When " +
		"the attempts together take longer than the client waits, one dead member fails the client's requests though others live. " +
		"kube-apiserver waits 20s.",
	Fix: "Lower the connect timeout: a live member answers in milliseconds, so 1s or 2s suits all. In HAProxy that is `timeout " +
		"connect`, in NGINX `proxy_connect_timeout`, in a spec `loadBalancer.timeouts.connect`.",
	References: []string{
		"https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/storage/storagebackend/factory/etcd3.go",
		"https://docs.haproxy.org/2.6/configuration.html#4.2-retries",
		"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_next_upstream_tries",
	},
	Check:    checkConnectBudget,
	Unjudged: connectBudgetUnjudged,
}

// apiserverDials is how long kube-apiserver waits for a connection to etcd.
const apiserverDials = 20 * time.Second

func checkConnectBudget(g *topology.Group) diag.List {
	client, known := apiserver(g)
	if !known {
		return nil
	}
	var out diag.List
	for _, b := range clientPools(g) {
		if !limited(b.Connect) || !b.Retries.Known() {
			continue
		}
		attempts := time.Duration(b.Retries.V + 1)
		if b.Connect.V*attempts <= apiserverDials {
			continue
		}
		d := diag.Diagnostic{
			Span:     b.Connect.Span,
			Severity: diag.Warning,
			Message: fmt.Sprintf("%s tries %d times for %s each, %s in all, but kube-apiserver gives up after %s, so a silent member fails "+
				"its requests though others live; need %s in all or less",
				b.Called(), attempts, short(b.Connect.V), short(b.Connect.V*attempts), short(apiserverDials), short(apiserverDials)),
			Hint:    "set the connect timeout to 2s (timeout connect, proxy_connect_timeout; in the spec timeouts.connect)",
			Subject: b.Subject(),
		}
		if client.Line > 0 {
			d.Related = []diag.Related{{Span: client, Message: "kube-apiserver is a client"}}
		}
		if to := 2 * time.Second; b.Connect.State == topology.Set && to*attempts <= apiserverDials {
			d.Edits = []diag.Edit{{Span: b.Connect.Span, From: b.Connect.V, To: to}}
		}
		out = append(out, d)
	}
	return out
}

// apiserver is what says that a kube-apiserver is among the load balancer's clients.
func apiserver(g *topology.Group) (diag.Span, bool) {
	for _, t := range g.Sources {
		for _, d := range t.Dialers {
			if d.Program == "kube-apiserver" && !dialsMembers(g, d) {
				return d.Span, true
			}
		}
		if servers := t.Clients.KubeAPIServers; len(servers) > 0 {
			return servers[0].Span, true
		}
	}
	return diag.Span{}, false
}

// dialsMembers reports whether all endpoints of a client are members, so that it passes the load balancer by.
func dialsMembers(g *topology.Group, d topology.Dialer) bool {
	members := map[string]bool{}
	maps.Copy(members, g.MemberHosts())
	for _, b := range clientPools(g) {
		for _, s := range b.Servers {
			if s.Host.Known() {
				members[topology.Host(s.Host.V)] = true
			}
		}
	}
	return len(d.Endpoints) > 0 && !slices.ContainsFunc(d.Endpoints, func(v topology.Value[string]) bool {
		u, ok := topology.ParseURL(v)
		return !ok || !members[topology.Host(u.Host)]
	})
}

func connectBudgetUnjudged(g *topology.Group) string {
	if _, known := apiserver(g); known || g.Spec() != nil {
		return ""
	}
	for _, b := range clientPools(g) {
		if limited(b.Connect) && b.Retries.Known() && b.Connect.V*time.Duration(b.Retries.V+1) > apiserverDials {
			return "nothing says whether kube-apiserver is a client: lint its manifest, too"
		}
	}
	return ""
}
