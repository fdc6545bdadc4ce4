package terraformtest

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Apply makes, of nothing, what a module says. Its state lies in the folder.
func (tf *Terraform) Apply(t testing.TB, dir string) {
	t.Helper()
	tf.Init(t, dir)
	tf.Run(t, dir, "apply", "-auto-approve", "-input=false", "-json")
}

// Plan is what would happen to resources, by address: "create", "update", "delete", or several with commas.
func (tf *Terraform) Plan(t testing.TB, dir string) map[string]string {
	t.Helper()
	tf.Run(t, dir, "plan", "-input=false", "-out=plan.bin")
	var plan struct {
		Changes []struct {
			Address string
			Change  struct{ Actions []string }
		} `json:"resource_changes"`
	}
	out := tf.Run(t, dir, "show", "-json", "plan.bin")
	if err := json.Unmarshal(out, &plan); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	changes := map[string]string{}
	for _, c := range plan.Changes {
		if !slices.Equal(c.Change.Actions, []string{"no-op"}) {
			changes[c.Address] = strings.Join(c.Change.Actions, ",")
		}
	}
	return changes
}

// Variables are those that a test file of a module sets for all its runs, as a file of variables.
func Variables(t testing.TB, testFile []byte) []byte {
	t.Helper()
	f, diags := hclsyntax.ParseConfig(testFile, "test", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var out []byte
	for _, b := range f.Body.(*hclsyntax.Body).Blocks {
		if b.Type != "variables" {
			continue
		}
		for _, a := range b.Body.Attributes {
			out = append(append(out, a.SrcRange.SliceBytes(testFile)...), '\n')
		}
	}
	return out
}
