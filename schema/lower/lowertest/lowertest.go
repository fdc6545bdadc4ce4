// Package lowertest compiles specs for tests as far as their topology.
package lowertest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/lower"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Topology is what a spec of one cluster, in CUE, means, with the options of a target. It fails the test where the spec
// has errors.
func Topology(t testing.TB, spec, target string) (*topology.Topology, *topology.Tree) {
	t.Helper()
	cluster := Cluster(t, spec)
	out, diags := lower.Topology(cluster)
	if diags.Has(diag.Error) {
		t.Fatal(diags)
	}
	return out, cluster.Targets[target]
}

// Cluster is the only cluster of a spec in CUE, which must hold.
func Cluster(t testing.TB, spec string) *schema.Cluster {
	t.Helper()
	file := filepath.Join(t.TempDir(), "spec.cue")
	if err := os.WriteFile(file, []byte(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	res, diags, err := schema.Load(schema.Input{Paths: []string{file}})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Clusters) != 1 {
		t.Fatalf("%d clusters; %v", len(res.Clusters), diags)
	}
	return res.Clusters[0]
}
