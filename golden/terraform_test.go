package golden

import (
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/etcdlbgen/etcdlbgen/generators"
	"github.com/etcdlbgen/etcdlbgen/generators/terraform/terraformtest"
	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// modules are the Terraform modules that a cluster compiles to, each a map of its files; none where the spec asks for
// something that is beyond them.
func modules(c *schema.Cluster) map[string]map[string]string {
	out := map[string]map[string]string{}
	if c.Targets["terraform"] == nil {
		return out
	}
	_, files, diags := generators.Compile(c, "spec.cue", []string{"terraform"})
	if diags.Has(diag.Error) {
		return out
	}
	for _, f := range files {
		parts := strings.SplitN(f.Path, "/", 3) // terraform/aws/main.tf
		if len(parts) != 3 || parts[0] != "terraform" {
			continue
		}
		if out[parts[1]] == nil {
			out[parts[1]] = map[string]string{}
		}
		out[parts[1]][parts[2]] = string(f.Data)
	}
	return out
}

// TestTerraformModules holds the modules of golden and of random specs against what providers know, and gives those of
// the golden ones and of every tenth random one to Terraform, which runs their own tests too.
func TestTerraformModules(t *testing.T) {
	tf := terraformtest.Start(t)
	clouds := map[string]int{}
	check := func(t testing.TB, c *schema.Cluster, accept bool) {
		for cloud, files := range modules(c) {
			for _, problem := range terraformtest.Check(files) {
				t.Errorf("%s: %s", cloud, problem)
			}
			if clouds[cloud]++; accept {
				dir := t.TempDir()
				rewrite(t, dir, files)
				tf.Accept(t, dir)
			}
		}
	}
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			res, diags, err := schema.Load(schema.Input{Paths: []string{filepath.Join(dir, specOf(t, dir))}})
			if err != nil || diags.Has(diag.Error) {
				t.Fatal(diags, err)
			}
			for _, c := range res.Clusters {
				check(t, c, true)
			}
		})
	}
	t.Run("random", func(t *testing.T) {
		scratch, n := t.TempDir(), 0
		rapid.Check(t, func(rt *rapid.T) {
			c, err := load(scratch, randomSpec(rt))
			if err != nil {
				rt.Fatal(err)
			}
			n++
			check(failing{t, rt}, c, n%10 == 0)
		})
	})
	for _, cloud := range []string{"aws", "azure", "gcp"} {
		if clouds[cloud] < 5 {
			t.Errorf("%d modules for %s", clouds[cloud], cloud)
		}
	}
}
