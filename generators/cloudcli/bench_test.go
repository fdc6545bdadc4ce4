package cloudcli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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
	fake = filepath.Join(dir, "fake")
	out, err := exec.Command("go", "build", "-o", fake, "./cloudclitest/fake").CombinedOutput()
	if err != nil {
		panic(fmt.Sprint(err, "\n", string(out)))
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// fake is the program that pretends to be aws and gcloud.
var fake string

// bench runs the script of a spec on a cloud.
type bench struct {
	t   *testing.T
	dir string
	env []string
}

func newBench(t *testing.T, env ...string) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), env: env}
	for _, name := range []string{"aws", "gcloud"} {
		if err := os.Symlink(fake, filepath.Join(b.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return b
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
		if err := os.WriteFile(filepath.Join(b.dir, filepath.Base(a.Path)), a.Data, 0o700); err != nil {
			b.t.Fatal(err)
		}
	}
}

// outcome is what came of a run.
type outcome struct {
	code           int
	stdout, stderr string
	calls          []cloudclitest.Call // all that were made
	changed        []string            // those that change something, without --quiet
}

// run runs a script: its name, then its words.
func (b *bench) run(words ...string) outcome {
	b.t.Helper()
	log := filepath.Join(b.dir, "log")
	if err := os.RemoveAll(log); err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.Command("sh", append([]string{filepath.Join(b.dir, words[0])}, words[1:]...)...)
	cmd.Env = slices.Concat([]string{"PATH=" + b.dir + ":" + os.Getenv("PATH"), cloudclitest.StateFile + "=" + filepath.Join(b.dir, "state"), cloudclitest.LogFile + "=" + log}, b.env)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.t.Fatal(err)
	}
	out := outcome{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	data, err := os.ReadFile(log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var args []string
		if err := json.Unmarshal([]byte(line), &args); err != nil {
			b.t.Fatal(err)
		}
		c := cloudclitest.Parse(args)
		out.calls = append(out.calls, c)
		if c.Changes() {
			out.changed = append(out.changed, strings.TrimSuffix(strings.Join(args, " "), " --quiet"))
		}
	}
	return out
}

// must fails the test where a run does not end well.
func (b *bench) must(words ...string) outcome {
	b.t.Helper()
	out := b.run(words...)
	if out.code != 0 {
		b.t.Fatalf("%v: exit code %d\n%s%s", words, out.code, out.stdout, out.stderr)
	}
	return out
}

// state is what the cloud has.
func (b *bench) state() string {
	b.t.Helper()
	data, err := os.ReadFile(filepath.Join(b.dir, "state"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Fatal(err)
	}
	return string(data)
}

func (b *bench) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}
