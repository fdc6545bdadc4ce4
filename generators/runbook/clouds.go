package runbook

import (
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// modules says how the load balancers of clouds are put up.
func (b *book) modules() {
	for _, p := range b.Proxies {
		if p.Cloud() {
			b.module("terraform/" + p.Platform)
		}
	}
	if b.Failover != nil {
		b.say("When all load balancers behind the name work, its records, which lead to the first that does:")
		b.module("terraform/dns")
	}
}

func (b *book) module(folder string) {
	b.say("The variables of the module are in " + code(folder+"/variables.tf") + ". Read the plan before it is applied:")
	b.run("terraform -chdir="+folder+" init", "terraform -chdir="+folder+" plan -out=etcd-lb.plan",
		"terraform -chdir="+folder+" apply etcd-lb.plan")
}

// destroy says how a cloud's load balancer is taken down.
func destroy(p topology.Proxy) string {
	gone := code("terraform -chdir=terraform/"+p.Platform+" destroy") + "."
	if p.Platform == "aws" {
		return "In AWS: apply " + code("deletionProtection: false") + ", then " + gone
	}
	return "In " + cloudName(p) + ": " + gone
}

// admitInClouds says how clients get to members past a cloud's load balancer. One that keeps the clients' addresses has
// members that admit them already.
func (b *book) admitInClouds() []string {
	var out []string
	for _, p := range b.Proxies {
		switch {
		case !p.Cloud():
		case p.Pools[0].KeepsSource.V:
			out = append(out, "In "+cloudName(p)+", members admit the clients already, as the load balancer keeps their addresses.")
		default:
			out = append(out, "In "+cloudName(p)+", admit the clients in the members' security group: add their networks to "+code("clients: direct")+
				" in the spec, build and apply.")
		}
	}
	return out
}

// cloudName is what a cloud calls itself.
func cloudName(p topology.Proxy) string {
	return map[string]string{"aws": "AWS", "gcp": "GCP", "azure": "Azure"}[p.Platform]
}
