package main

import (
	"errors"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/cmd/etcdlbgen/show"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/lower"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

type showCmd struct {
	What    string   `arg:"" enum:"endpoints,sans,topology,firewall" help:"One of ${enum}."`
	Spec    []string `arg:"" help:"Spec files or folders, as for build."`
	Cluster []string `placeholder:"NAME" help:"Only these clusters of a fleet."`
	Tag     []string `short:"t" sep:"none" placeholder:"KEY=VALUE" help:"Set a tag that the spec declares with @tag()."`
	Format  string   `enum:"text,json,mermaid" default:"text" help:"One of ${enum}; mermaid draws topology and firewall."`
}

// Run prints facts of the spec's clusters.
func (c *showCmd) Run(s *streams) error {
	topologies, err := s.topologies(c.Spec, c.Tag, c.Cluster)
	if err != nil {
		return err
	}
	some := func(has func(*topology.Topology) bool) bool { return slices.ContainsFunc(topologies, has) }
	switch {
	case c.What == "firewall" && !some(func(t *topology.Topology) bool { return len(t.Firewalls) > 0 }):
		return usagef("the spec enables no target that filters; need one such as iptables")
	case c.What == "sans" && !some(func(t *topology.Topology) bool { return len(t.Required) > 0 }):
		return usagef("the spec has scheme http, so no certificates; need https")
	}
	err = show.Print(s.out, c.What, c.Format, topologies)
	if errors.Is(err, show.ErrFormat) {
		return usagef("%v", err)
	}
	return err
}

// topologies loads a spec and lowers its clusters, those that names name; all where it is empty.
func (s *streams) topologies(paths, tags, names []string) ([]*topology.Topology, error) {
	res, diags, err := s.load(paths, tags)
	if err != nil {
		return nil, err
	}
	if diags.Has(diag.Error) {
		return nil, s.report(diags, res.Text, "error")
	}
	chosen, err := choose(res, names)
	if err != nil {
		return nil, err
	}
	var out []*topology.Topology
	for _, cluster := range chosen {
		t, _ := lower.Topology(cluster)
		out = append(out, t)
	}
	return out, nil
}
