// Package terraform writes Terraform modules for cloud load balancers and reads Terraform folders. One cloud is one
// module: terraform/aws holds a Network Load Balancer before the members, with the security groups around it.
package terraform

import (
	"path"
	"path/filepath"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// targetName is how specs and facts call the target.
const targetName = "terraform"

// Target writes one module a cloud and reads every folder of .tf files, with the .tfvars files in it.
var Target = target.Target{
	Name:   targetName,
	Doc:    "Terraform modules of cloud load balancers: AWS Network Load Balancer, Azure Standard internal load balancer, GCP internal passthrough load balancer",
	Render: render,
	Detect: func(file string, _ []byte) bool {
		return strings.HasSuffix(file, ".tf") || strings.HasSuffix(file, ".tfvars")
	},
	Parse: parse,
	Facts: topology.FListeners | topology.FListenerNames | topology.FIdle | topology.FReset | topology.FInternal | topology.FCrossZone | topology.FPools |
		topology.FServerNames | topology.FCutOnDown | topology.FCutOnRemoval | topology.FKeepsSource | topology.FCheck | topology.FCheckTimes | topology.FCheckTimeout | topology.FFirewalls,
	Own:     []string{"${", "%{"},
	Comment: "#",
	Unit:    func(file string) string { return filepath.Dir(file) },
}

// clouds are the modules that a spec can ask for, by the name of their options.
var clouds = []struct {
	name   string
	render func(*topology.Topology, *topology.Tree) ([]file, diag.List)
}{
	{"aws", renderAWS},
	{"azure", renderAzure},
	{"gcp", renderGCP},
	{"dnsFailover", renderDNS},
}

// render writes the module of each cloud that the options name.
func render(t *topology.Topology, options *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	var (
		out   []target.Artifact
		diags diag.List
	)
	for _, c := range clouds {
		of := options.Get(c.name)
		if of == nil {
			continue
		}
		files, ds := c.render(t, of)
		diags = append(diags, ds...)
		folder := strings.TrimSuffix(c.name, "Failover")
		for _, f := range files {
			out = append(out, target.Artifact{Path: path.Join(targetName, folder, f.path), Data: f.bytes(header)})
		}
	}
	return out, diags
}
