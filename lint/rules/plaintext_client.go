package rules

import (
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var plaintextClient = Rule{
	ID:       "plaintext-client",
	Title:    "etcd is reached without TLS",
	Severity: "warning",
	Why: "Passwords, tokens and every value, all secrets of a Kubernetes cluster among them, cross the network for everybody on the way " +
		"to read and change. Without client certificates a firewall is all that keeps strangers out, and a load balancer makes the " +
		"door wider.",
	Fix: "Give members server certificates, demand client certificates (--client-cert-auth, --trusted-ca-file), and use https in all " +
		"URLs of clients and peers. On loopback http is fine, and so are health and metrics.",
	References: []string{
		"https://etcd.io/docs/v3.6/op-guide/security/",
		"https://kubernetes.io/docs/tasks/administer-cluster/configure-upgrade-etcd/#securing-etcd-clusters",
	},
	Check: checkPlaintextClient,
}

func checkPlaintextClient(g *topology.Group) diag.List {
	var out diag.List
	for _, t := range g.Sources {
		if t.Format == "spec" {
			if t.Etcd.Scheme.V == "http" {
				out = append(out, plaintext("clients and peers talk http", t.Etcd.Scheme.Span))
			}
			continue
		}
		var clients, peers []topology.Value[string]
		for _, m := range t.Etcd.Members {
			clients = slices.Concat(clients, certain(m.Flags.ListenClientURLs), m.ClientURLs)
			peers = slices.Concat(peers, certain(m.Flags.ListenPeerURLs), m.PeerURLs)
		}
		if v, ok := plainURL(clients); ok {
			out = append(out, plaintext("clients talk http to etcd", v.Span))
		}
		if v, ok := plainURL(peers); ok {
			out = append(out, plaintext("peers talk http to each other", v.Span))
		}
		for _, d := range t.Dialers {
			if v, ok := plainURL(slices.Concat(d.Endpoints, certain(d.Overrides))); ok {
				out = append(out, plaintext(d.Program+" talks http to etcd", v.Span))
			}
		}
	}
	return out
}

func plaintext(who string, at diag.Span) diag.Diagnostic {
	return diag.Diagnostic{
		Span:     at,
		Severity: diag.Warning,
		Message:  fmt.Sprintf("%s, so everybody on the way reads and changes all of its data; need https", who),
		Hint:     "set up TLS and use https",
		Subject:  "etcd scheme",
	}
}

// certain are the URLs that are known: a member may listen on its loopback address in whatever way that is written. One
// that listens there already has the others for something else.
func certain(urls []topology.Value[string]) []topology.Value[string] {
	if slices.ContainsFunc(urls, func(v topology.Value[string]) bool {
		u, ok := topology.ParseURL(v)
		return ok && u.OnLoopback()
	}) {
		return urls
	}
	return slices.DeleteFunc(slices.Clone(urls), func(v topology.Value[string]) bool { return !v.Known() })
}

// plainURL finds the first URL without TLS that is not for the machine itself.
func plainURL(urls []topology.Value[string]) (topology.Value[string], bool) {
	for _, v := range urls {
		if !v.Known() && v.V == topology.PlainURL {
			return v, true
		}
		if u, ok := topology.ParseURL(v); ok && u.Scheme == "http" && !u.OnLoopback() {
			return v, true
		}
	}
	return topology.Value[string]{}, false
}
