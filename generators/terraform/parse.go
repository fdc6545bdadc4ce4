package terraform

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// readers are what is read of a folder, one a cloud.
var readers = []func(*folder, *topology.Topology){readAWS, readELB, readGoogle, readAzure}

// parse reads a folder of .tf files. Variables are what files in it set them to, else their defaults; modules, data sources and what only a run computes
// are unknown.
func parse(src target.Source) (*topology.Topology, diag.List) {
	f, diags := open(src)
	t := &topology.Topology{Format: targetName, Span: diag.Span{File: src.Path}}
	if len(f.resources) > maxResources {
		diags.Error(f.span(f.resources[maxResources].header), "syntax", fmt.Sprintf(
			"the folder has more than %d resources, more than Terraform can handle, so nothing in it is judged; need fewer", maxResources), "")
		return t, diags
	}
	for _, read := range readers {
		read(f, t)
	}
	t.Endpoints = f.endpoints(t.Proxies)
	return t, diags
}
