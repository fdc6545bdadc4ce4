package runbook

import (
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// modules says how the load balancers of clouds are put up.
func (b *book) modules() {
	for _, p := range b.Proxies {
		switch {
		case !p.Cloud():
			continue
		case p.Target == "cloudcli":
			b.cloudScript(p)
		default:
			b.module("terraform/" + p.Platform)
		}
		b.marked(p)
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

// cloudScript is the way without Terraform.
func (b *book) cloudScript(p topology.Proxy) {
	file, otherwise := script(p), ""
	if slices.ContainsFunc(b.Proxies, func(o topology.Proxy) bool { return o.Platform == p.Platform && o.Target != p.Target }) {
		otherwise = "Where you do not use Terraform, instead of that: "
	}
	b.say(otherwise + code(file+" --help") + " says which variables the script needs. Read what it would call before it does:")
	b.run(file+" apply --dry-run", file+" apply", file+" status")
}

func script(p topology.Proxy) string { return "cloudcli/" + p.Platform + ".sh" }

// marked says by what the cloud's firewall knows the members.
func (b *book) marked(p topology.Proxy) {
	hand := p.Target == "cloudcli"
	switch p.Platform {
	case "aws":
		own := map[bool]string{false: "member_security_group_id", true: "ETCD_LB_MEMBER_SECURITY_GROUP_ID"}[hand]
		made := map[bool]string{false: "the one of the output " + code(own), true: "the group " + code(p.Pools[0].Name.V+"-members")}[hand]
		b.say("Every member must be in the security group that admits the load balancer: attach " + made + " to it, or name in " + code(own) + " the group that it is in.")
	case "gcp":
		tags, accounts := "member_tags", "member_service_accounts"
		if hand {
			tags, accounts = "ETCD_LB_MEMBER_TAGS", "ETCD_LB_MEMBER_SERVICE_ACCOUNTS"
		}
		b.say("The firewall rules are for machines with the network tag " + code(p.Pools[0].Name.V) + ": put it on every member, or name in " + code(tags) +
			" or " + code(accounts) + " what the members have.")
	}
}

// destroy says how a cloud's load balancer is taken down.
func destroy(p topology.Proxy) string {
	in, gone := "In "+cloudName(p)+": ", code("terraform -chdir=terraform/"+p.Platform+" destroy")+"."
	protection := "apply " + code("deletionProtection: false") + ", then "
	if p.Target == "cloudcli" {
		in, gone = "In "+cloudName(p)+", by its script: ", code(script(p)+" remove")+"."
		protection = "build with " + code("deletionProtection: false") + ", " + code(script(p)+" apply") + ", then "
	}
	if p.Platform == "aws" {
		return in + protection + gone
	}
	return in + gone
}

// admitInClouds says how clients get to members past a cloud's load balancer. One that keeps the clients' addresses has
// members that admit them already.
func (b *book) admitInClouds() []string {
	var out []string
	said := map[string]bool{}
	for _, p := range b.Proxies {
		switch {
		case !p.Cloud(), said[p.Platform]:
			continue
		case p.Pools[0].KeepsSource.V:
			out = append(out, "In "+cloudName(p)+", members admit the clients already, as the load balancer keeps their addresses.")
		default:
			out = append(out, "In "+cloudName(p)+", admit the clients in the members' security group: add their networks to "+code("clients: direct")+
				" in the spec, build and apply.")
		}
		said[p.Platform] = true
	}
	return out
}

// cloudName is what a cloud calls itself.
func cloudName(p topology.Proxy) string {
	return map[string]string{"aws": "AWS", "gcp": "GCP", "azure": "Azure"}[p.Platform]
}
