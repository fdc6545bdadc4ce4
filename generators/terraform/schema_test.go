package terraform

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
)

// schemaBlock is what a provider knows of a resource or nested block.
type schemaBlock struct {
	Attributes map[string]struct {
		Type     json.RawMessage
		Required bool
		Optional bool
		Computed bool
	}
	Blocks   map[string]schemaBlock
	MinItems int `json:"min_items"`
	MaxItems int `json:"max_items"`
}

// since6 are the arguments and blocks of the schema that no 5.x provider has.
var since6 = []string{
	"region", "target_control_port", "quic_server_id", "secondary_ips_auto_assigned_per_subnet",
	"health_check_logs", "jwt_validation", "evaluation_criteria", "evaluation_interval", "warm_up_configuration",
}

// meta are arguments and blocks of Terraform itself.
var meta = []string{"for_each", "count", "lifecycle"}

func loadSchema(t *testing.T) map[string]schemaBlock {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "aws_6.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Resources map[string]schemaBlock }
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Resources
}

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

// The provider knows every argument and block that the module writes, and misses none that it requires.
func TestProviderSchema(t *testing.T) {
	resources := loadSchema(t)
	for name, c := range cases() {
		t.Run(name, func(t *testing.T) {
			for _, b := range parseModule(t, built(t, c)).of("resource") {
				s, ok := resources[b.Labels[0]]
				if !ok {
					t.Errorf("the provider has no %s", b.Labels[0])
					continue
				}
				checkBlock(t, strings.Join(b.Labels, "."), s, b.Body, c.provider)
			}
		})
	}
}

func checkBlock(t *testing.T, path string, s schemaBlock, body *hclsyntax.Body, provider int) {
	t.Helper()
	for name, a := range body.Attributes {
		known, ok := s.Attributes[name]
		switch {
		case slices.Contains(meta, name):
		case !ok || !known.Required && !known.Optional:
			t.Errorf("%s has no argument %s", path, name)
		case !plausible(known.Type, a.Expr):
			t.Errorf("%s.%s is of type %s, which %T is not", path, name, known.Type, a.Expr)
		case provider == 5 && slices.Contains(since6, name):
			t.Errorf("%s.%s is not in provider 5", path, name)
		}
	}
	for name, a := range s.Attributes {
		if a.Required && body.Attributes[name] == nil {
			t.Errorf("%s lacks %s", path, name)
		}
	}
	count := map[string]int{}
	for _, b := range body.Blocks {
		kind, inner := b.Type, b.Body
		if kind == "dynamic" {
			kind, inner = b.Labels[0], b.Body.Blocks[0].Body
		}
		nested, ok := s.Blocks[kind]
		switch {
		case slices.Contains(meta, kind):
			continue
		case !ok:
			t.Errorf("%s has no block %s", path, kind)
			continue
		case provider == 5 && slices.Contains(since6, kind):
			t.Errorf("%s.%s is not in provider 5", path, kind)
		}
		count[kind]++
		checkBlock(t, path+"."+kind, nested, inner, provider)
	}
	for kind, nested := range s.Blocks {
		if n := count[kind]; n < nested.MinItems || nested.MaxItems > 0 && n > nested.MaxItems {
			t.Errorf("%s has %d blocks %s", path, n, kind)
		}
	}
}

// plausible reports whether an expression can be of a type: scalars convert among each other, collections do not.
func plausible(kind json.RawMessage, e hclsyntax.Expression) bool {
	collection := strings.HasPrefix(string(kind), "[")
	switch e.(type) {
	case *hclsyntax.TupleConsExpr:
		return collection && !strings.HasPrefix(string(kind), `["map"`)
	case *hclsyntax.ObjectConsExpr:
		return strings.HasPrefix(string(kind), `["map"`)
	case *hclsyntax.TemplateExpr, *hclsyntax.LiteralValueExpr:
		return !collection
	}
	return true
}

// Every reference leads to something, every variable is used, typed, described and never null.
func TestReferences(t *testing.T) {
	resources := loadSchema(t)
	for name, c := range cases() {
		t.Run(name, func(t *testing.T) {
			m := parseModule(t, built(t, c))
			known := map[string]bool{}
			for _, b := range m.of("variable") {
				known["var."+b.Labels[0]] = false
				for _, want := range []string{"type", "description", "nullable"} {
					if b.Body.Attributes[want] == nil {
						t.Errorf("variable %s has no %s", b.Labels[0], want)
					}
				}
			}
			for _, b := range m.of("locals") {
				for local := range b.Body.Attributes {
					known["local."+local] = false
				}
			}
			for _, b := range m.of("resource") {
				known[strings.Join(b.Labels, ".")] = true
			}
			for _, ref := range m.references() {
				if len(ref) < 2 || ref.RootName() == "each" || ref.RootName() == "subnet_mapping" || ref.RootName() == "metric_query" {
					continue
				}
				address := ref.RootName() + "." + ref[1].(hcl.TraverseAttr).Name
				if _, ok := known[address]; !ok {
					t.Errorf("%s is nowhere declared", address)
				}
				known[address] = true
				attr, ok := ref[len(ref)-1].(hcl.TraverseAttr)
				if s, isResource := resources[ref.RootName()]; isResource && ok && len(ref) > 2 && s.Attributes[attr.Name].Type == nil {
					t.Errorf("%s has no attribute %s", address, attr.Name)
				}
			}
			for address, used := range known {
				if !used {
					t.Errorf("%s is never used", address)
				}
			}
		})
	}
}

// references are the traversals outside of a variable's own conditions.
func (m parsedModule) references() []hcl.Traversal {
	var out []hcl.Traversal
	for _, b := range m.blocks {
		if b.Type != "variable" && b.Type != "terraform" {
			out = append(out, referencesIn(b.Body)...)
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
