package terraform

import (
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// readers are what is read of a folder, one a cloud.
var readers = []func(*folder, *topology.Topology){readAWS, readELB, readGoogle, readAzure}

// parse reads a folder of .tf files. Variables are their defaults; modules, data sources and what only a run computes
// are unknown.
func parse(src target.Source) (*topology.Topology, diag.List) {
	f, diags := open(src)
	t := &topology.Topology{Format: targetName, Span: diag.Span{File: src.Path}}
	for _, read := range readers {
		read(f, t)
	}
	t.Endpoints = f.endpoints(t.Proxies)
	return t, diags
}
