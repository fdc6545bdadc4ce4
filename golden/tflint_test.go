package golden

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// everyRule turns on all of TFLint's own rules, the recommended ones among them.
const everyRule = "plugin \"terraform\" {\n  enabled = true\n  preset  = \"all\"\n}\n"

// TestTFLint: TFLint has nothing to say about the modules of the golden specs.
func TestTFLint(t *testing.T) {
	tflint := built(t, filepath.Join("..", ".tools", "tflint"), "tflint")
	config := filepath.Join(t.TempDir(), "tflint.hcl")
	if err := os.WriteFile(config, []byte(everyRule), 0o644); err != nil {
		t.Fatal(err)
	}
	lint := func(files map[string]string) (string, error) {
		dir := t.TempDir()
		rewrite(t, dir, files)
		out, err := exec.Command(tflint, "--config="+config, "--chdir="+dir).CombinedOutput()
		return string(out), err
	}
	clouds := map[string]map[string]string{}
	for _, dir := range cases(t) {
		res, diags, err := schema.Load(schema.Input{Paths: []string{filepath.Join(dir, specOf(t, dir))}})
		if err != nil || diags.Has(diag.Error) {
			t.Fatal(diags, err)
		}
		for _, c := range res.Clusters {
			for cloud, files := range modules(c) {
				clouds[cloud] = files
				if out, err := lint(files); err != nil {
					t.Errorf("%s, %s: %v\n%s", dir, cloud, err, out)
				}
			}
		}
	}
	if len(clouds) < 4 {
		t.Fatalf("want modules for three clouds and DNS, have %d", len(clouds))
	}
	clouds["aws"]["variables.tf"] += "variable \"unused\" {}\n"
	if out, err := lint(clouds["aws"]); err == nil || !strings.Contains(out, "terraform_unused_declarations") {
		t.Errorf("TFLint does not see an unused variable: %v\n%s", err, out)
	}
}

// built is a program that a folder's go.mod pins, out of Go's cache.
func built(t testing.TB, folder, tool string) string {
	t.Helper()
	cmd := exec.Command("go", "tool", "-n", tool)
	cmd.Dir = folder
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		missing(t, fmt.Sprintf("%s cannot be built: %v\n%s", tool, err, said.String()))
	}
	return strings.TrimSpace(string(out))
}
