package cloudcli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/cloudcli"
	"github.com/etcdlbgen/etcdlbgen/generators/cloudcli/cloudclitest"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
)

// TestMain builds the cloud that scripts are run against.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "cloud")
	if err != nil {
		panic(err)
	}
	if fake, err = cloudclitest.Build(dir); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// fake is the program that pretends to be aws and gcloud.
var fake string

// bench is a cloud with the scripts of a spec.
type bench struct {
	*cloudclitest.Bench
	t *testing.T
}

func newBench(t *testing.T, env ...string) *bench {
	t.Helper()
	return &bench{cloudclitest.New(t, fake, env...), t}
}

// build writes the scripts of a spec.
func (b *bench) build(spec string) {
	b.t.Helper()
	top, options := lowertest.Topology(b.t, spec, "cloudcli")
	artifacts, diags := cloudcli.Target.Render(top, options, target.Header{Spec: "spec.cue"})
	if len(diags) > 0 || len(artifacts) == 0 {
		b.t.Fatalf("%d scripts; %v", len(artifacts), diags)
	}
	for _, a := range artifacts {
		if err := os.WriteFile(filepath.Join(b.Dir, filepath.Base(a.Path)), a.Data, 0o700); err != nil {
			b.t.Fatal(err)
		}
	}
}
