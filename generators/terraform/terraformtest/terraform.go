package terraformtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Terraform is the program with providers of its own: no cloud, no network.
type Terraform struct {
	program, config string
}

// Start builds the providers. Where Terraform is absent the test is skipped, unless in CI, where that is a failure.
func Start(t testing.TB) *Terraform {
	t.Helper()
	program, err := exec.LookPath("terraform")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("terraform is not here")
		}
		t.Skip("terraform is not here")
	}
	dir := t.TempDir()
	replay := filepath.Join(dir, "replay")
	_, here, _, _ := runtime.Caller(0)
	build := exec.Command("go", "build", "-mod=readonly", "-ldflags=-s -w", "-o", replay, ".")
	build.Dir = filepath.Join(filepath.Dir(here), "replay")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the replay provider does not build: %v\n%s", err, out)
	}
	mirror := filepath.Join(dir, "mirror")
	for _, p := range Providers {
		install(t, p, replay, mirror)
	}
	tf := &Terraform{program: program, config: filepath.Join(dir, "terraformrc")}
	write(t, tf.config, fmt.Appendf(nil, "provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror))
	return tf
}

// install puts a provider where Terraform looks for that version of it, with its schema beside it.
func install(t testing.TB, p Provider, program, mirror string) {
	t.Helper()
	resources, err := p.Resources()
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]any{"resources": resources})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(mirror, "registry.terraform.io", "hashicorp", p.Name, p.Version, runtime.GOOS+"_"+runtime.GOARCH)
	write(t, filepath.Join(dir, "schema.json"), data)
	if err := os.Link(program, filepath.Join(dir, "terraform-provider-"+p.Name+"_v"+p.Version)); err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Run runs a command of Terraform in a folder, which must succeed, and returns what it prints.
func (tf *Terraform) Run(t testing.TB, dir string, args ...string) []byte {
	t.Helper()
	out, err := tf.try(dir, args...)
	if err != nil {
		t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// Env is what the program needs in its environment, for who starts it by other ways.
func (tf *Terraform) Env() []string {
	return []string{"TF_CLI_CONFIG_FILE=" + tf.config, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"}
}

func (tf *Terraform) try(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command(tf.program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), tf.Env()...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return append(out.Bytes(), problems.Bytes()...), err
	}
	return out.Bytes(), nil
}

// Init installs the providers of a module. A lock file of another run would name what is built anew each time.
func (tf *Terraform) Init(t testing.TB, dir string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, ".terraform.lock.hcl")); err != nil {
		t.Fatal(err)
	}
	tf.Run(t, dir, "init", "-backend=false", "-input=false", "-json")
}

// Accept takes a module through everything that its user would do before the first apply: it is formatted, it is valid
// without a warning, and its own tests pass.
func (tf *Terraform) Accept(t testing.TB, dir string) {
	t.Helper()
	tf.Run(t, dir, "fmt", "-check", "-diff", "-recursive")
	tf.Init(t, dir)
	var valid struct {
		Valid       bool
		Diagnostics []struct{ Summary, Detail string }
	}
	out := tf.Run(t, dir, "validate", "-json")
	if err := json.Unmarshal(out, &valid); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !valid.Valid || len(valid.Diagnostics) > 0 {
		t.Fatalf("%s", out)
	}
	// Some run must have been, and all passed.
	if out := tf.Run(t, dir, "test", "-json"); !bytes.Contains(out, []byte(`"status":"pass"`)) {
		t.Fatalf("no test ran:\n%s", out)
	}
}
