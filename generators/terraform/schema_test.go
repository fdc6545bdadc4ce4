package terraform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/generators/terraform/terraformtest"
)

// parsedModule is a generated module, parsed.
type parsedModule struct {
	blocks []*hclsyntax.Block // of all .tf files
}

func parseModule(t *testing.T, artifacts []target.Artifact) parsedModule {
	t.Helper()
	var m parsedModule
	for _, a := range artifacts {
		f, diags := hclsyntax.ParseConfig(a.Data, a.Path, hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatalf("%s does not parse: %v", a.Path, diags)
		}
		if filepath.Ext(a.Path) == ".tf" {
			m.blocks = append(m.blocks, f.Body.(*hclsyntax.Body).Blocks...)
		}
	}
	return m
}

func (m parsedModule) of(kind string) []*hclsyntax.Block {
	var out []*hclsyntax.Block
	for _, b := range m.blocks {
		if b.Type == kind {
			out = append(out, b)
		}
	}
	return out
}

func referencesIn(body *hclsyntax.Body) []hcl.Traversal {
	var out []hcl.Traversal
	for _, a := range body.Attributes {
		out = append(out, a.Expr.Variables()...)
	}
	for _, b := range body.Blocks {
		out = append(out, referencesIn(b.Body)...)
	}
	return out
}

// The provider knows every argument that the module writes and misses none that it requires, and nothing in the module
// is undeclared, unused or unexplained.
func TestProviderSchema(t *testing.T) {
	for name, c := range cases() {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			for _, a := range built(t, c) {
				files[a.Path] = string(a.Data)
			}
			for _, problem := range terraformtest.Check(files) {
				t.Error(problem)
			}
		})
	}
}

// Terraform accepts the module, and the module's own tests pass.
func TestTerraform(t *testing.T) {
	tf := terraformtest.Start(t)
	root := t.TempDir()
	for name, c := range cases() {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(root, strings.ReplaceAll(name, " ", "-"))
			modules := map[string]bool{}
			for _, a := range built(t, c) {
				path := filepath.Join(dir, filepath.FromSlash(a.Path))
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, a.Data, 0o644); err != nil {
					t.Fatal(err)
				}
				if filepath.Base(path) == "versions.tf" {
					modules[filepath.Dir(path)] = true
				}
			}
			for module := range modules {
				tf.Accept(t, module)
			}
		})
	}
}

// The providers know the arguments that the readers read: each stands in the text below, which is held against what the
// providers say of their resources.
func TestProvidersKnowWhatIsRead(t *testing.T) {
	for _, p := range terraformtest.Providers {
		resources, err := p.Resources()
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{googlePassthrough, azure} {
			f, diags := hclsyntax.ParseConfig([]byte(text), "main.tf", hcl.InitialPos)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			for _, b := range f.Body.(*hclsyntax.Body).Blocks {
				known, ok := resources[b.Labels[0]]
				if !ok {
					continue
				}
				for name := range b.Body.Attributes {
					if _, ok := known.Attributes[name]; !ok && name != "for_each" {
						t.Errorf("%s %s: %s has no argument %s", p.Name, p.Version, b.Labels[0], name)
					}
				}
				for _, inner := range b.Body.Blocks {
					if _, ok := known.Blocks[inner.Type]; !ok {
						t.Errorf("%s %s: %s has no block %s", p.Name, p.Version, b.Labels[0], inner.Type)
					}
				}
			}
		}
	}
}
