package schema

import (
	"fmt"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func (k checker) targets() {
	if len(k.Targets) == 0 {
		k.fail(k.TargetsSpan, "targets is empty, so there is nothing to build; need at least one", "leave targets out for "+strings.Join(implied, ", "))
	}
	for _, name := range Clouds {
		if t, ok := k.Targets[name]; ok && len(t.Keys()) == 0 {
			k.fail(t.Span, "targets."+name+" names no cloud, so there is nothing to build; need one, such as aws", "write "+name+": aws: {}")
		}
	}
	k.failover()
	for _, m := range k.Etcd.Members {
		if m.Address.Known() {
			continue
		}
		for _, name := range addressed {
			if _, ok := k.Targets[name]; ok {
				k.fail(m.Span, fmt.Sprintf("member %q has no address, which target %s cannot do without; need one", m.Name.V, name), "")
				break
			}
		}
	}
	if t, ok := k.Targets["kubernetes"]; ok && k.Etcd.Scheme.V == "https" && k.Etcd.ClientCertAuth.V && !k.Clients.Certificate.Cert.Known() {
		k.fail(t.Span, "target kubernetes does not know the certificate that kube-apiserver presents to etcd, which demands one; need clients.certificate",
			`add clients: certificate: {ca: "…", cert: "…", key: "…"}`)
	}
	for _, name := range Firewalls {
		if t, ok := k.Targets[name]; ok {
			k.firewall(name, t)
		}
	}
}

// firewall checks that a target that refuses all others knows whom to admit.
func (k checker) firewall(name string, t *topology.Tree) {
	if len(k.Clients.Networks) == 0 {
		k.fail(t.Span, fmt.Sprintf("target %s does not know who may dial the load balancer, so its rules would refuse everybody; need clients.networks", name),
			`add clients: networks: ["…"]`)
	}
	for _, proxy := range []string{"haproxy", "nginx"} {
		if _, ok := k.Targets[proxy]; ok && len(k.Nodes) == 0 && !k.LoadBalancer.Local() {
			k.fail(t.Span, fmt.Sprintf("target %s does not know the machines that run %s, so members would refuse them; need loadBalancer.nodes", name, proxy),
				`add loadBalancer: nodes: "lb-1": address: "…"`)
			break
		}
	}
}
