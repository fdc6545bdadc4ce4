package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var lbSingleNode = Rule{
	ID:       "lb-single-node",
	Title:    "one load balancer machine",
	Severity: "warning",
	Why: "Three members survive the loss of one; behind a single load balancer machine all clients lose etcd together when that " +
		"machine fails, is rebooted or is upgraded.",
	Fix: "Run the proxy on two machines with a virtual address between them (target keepalived), or on each client's own " +
		"machine (`loadBalancer: placement: \"local\"`).",
	References: []string{
		"https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/high-availability/",
		"https://www.keepalived.org/manpage.html",
	},
	Check: checkLBSingleNode,
}

func checkLBSingleNode(g *topology.Group) diag.List {
	spec := g.Spec()
	if spec == nil || len(spec.Nodes) != 1 {
		return nil
	}
	node := spec.Nodes[0]
	return diag.List{{
		Span:     node.Span,
		Severity: diag.Warning,
		Message: fmt.Sprintf("%s is the only load balancer machine, so all clients lose etcd when it is down; need a second one",
			called("node", node.Name)),
		Hint:    `add a second node, or set placement "local"`,
		Subject: "load balancer of " + spec.Name.V,
	}}
}
