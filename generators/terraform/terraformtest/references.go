package terraformtest

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// homes are the files in which a module's user looks for what it takes, tells and requires.
var homes = map[string]string{"variable": "variables.tf", "output": "outputs.tf", "terraform": "versions.tf"}

// references checks that every reference leads to something and that every variable and local is used, and each variable
// typed, described and never null.
func (c *checker) references() {
	for _, b := range c.blocks {
		if home, ok := homes[b.Type]; ok && path.Base(b.TypeRange.Filename) != home {
			c.problem("a block %s stands in %s, not in %s", b.Type, b.TypeRange.Filename, home)
		}
	}
	known := map[string]bool{} // and whether it is used
	for _, b := range c.of("variable") {
		known["var."+b.Labels[0]] = false
		for _, want := range []string{"type", "description", "nullable"} {
			if b.Body.Attributes[want] == nil {
				c.problem("variable %s has no %s", b.Labels[0], want)
			}
		}
	}
	for _, b := range c.of("output") {
		if b.Body.Attributes["description"] == nil {
			c.problem("output %s has no description", b.Labels[0])
		}
	}
	for _, b := range c.of("locals") {
		for local := range b.Body.Attributes {
			known["local."+local] = false
		}
	}
	for _, b := range c.of("resource") {
		known[strings.Join(b.Labels, ".")] = true
	}
	for _, b := range c.blocks {
		if b.Type != "variable" && b.Type != "terraform" {
			for _, ref := range referencesIn(b.Body) {
				c.reference(ref, known)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !known[name] {
			c.problem("%s is never used", name)
		}
	}
}

func (c *checker) reference(ref hcl.Traversal, known map[string]bool) {
	root := ref.RootName()
	if len(ref) < 2 || root != "var" && root != "local" && !strings.Contains(root, "_") || c.iterator(root) {
		return
	}
	second, ok := ref[1].(hcl.TraverseAttr)
	if !ok {
		c.problem("%s is indexed", root)
		return
	}
	address := root + "." + second.Name
	if _, ok := known[address]; !ok {
		c.problem("%s is nowhere declared", address)
	}
	known[address] = true
	last, ok := ref[len(ref)-1].(hcl.TraverseAttr)
	if of, isResource := c.resources[root]; isResource && ok && len(ref) > 2 && of.Attributes[last.Name].Type == nil {
		c.problem("%s has no attribute %s", address, last.Name)
	}
}

// iterator reports whether a name is that of a dynamic block, whose elements it stands for.
func (c *checker) iterator(name string) bool {
	var in func(*hclsyntax.Body) bool
	in = func(body *hclsyntax.Body) bool {
		return slices.ContainsFunc(body.Blocks, func(b *hclsyntax.Block) bool {
			return b.Type == "dynamic" && b.Labels[0] == name || in(b.Body)
		})
	}
	return slices.ContainsFunc(c.blocks, func(b *hclsyntax.Block) bool { return in(b.Body) })
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
