package cloudclitest

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
)

// Build makes the program that pretends to be the commands of clouds, in a folder.
func Build(dir string) (program string, err error) {
	program = filepath.Join(dir, "fake")
	out, err := exec.Command("go", "build", "-o", program, "github.com/etcdlbgen/etcdlbgen/generators/cloudcli/cloudclitest/fake").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return program, nil
}

// Bench runs the script of a spec on a cloud.
type Bench struct {
	Dir string   // where scripts lie
	Env []string // what they are told
	t   testing.TB
}

// New is a bench whose clouds' programs are the fake.
func New(t testing.TB, fake string, env ...string) *Bench {
	t.Helper()
	b := &Bench{Dir: t.TempDir(), Env: env, t: t}
	for _, name := range []string{"aws", "gcloud"} {
		if err := os.Symlink(fake, filepath.Join(b.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// Outcome is what came of a run.
type Outcome struct {
	Code           int
	Stdout, Stderr string
	Calls          []Call   // all that were made
	Changed        []string // those of them that change something, without --quiet
}

// Run runs a script: its name, then its words.
func (b *Bench) Run(words ...string) Outcome {
	b.t.Helper()
	log := filepath.Join(b.Dir, "log")
	if err := os.RemoveAll(log); err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.Command("sh", append([]string{filepath.Join(b.Dir, words[0])}, words[1:]...)...)
	cmd.Env = slices.Concat([]string{"PATH=" + b.Dir + ":" + os.Getenv("PATH"), StateFile + "=" + filepath.Join(b.Dir, "state"), LogFile + "=" + log}, b.Env)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.t.Fatal(err)
	}
	out := Outcome{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
	data, err := os.ReadFile(log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var args []string
		if err := json.Unmarshal([]byte(line), &args); err != nil {
			b.t.Fatal(err)
		}
		c := Parse(args)
		out.Calls = append(out.Calls, c)
		if c.Changes() {
			out.Changed = append(out.Changed, strings.TrimSuffix(strings.Join(args, " "), " --quiet"))
		}
	}
	return out
}

// Must fails the test where a run does not end well.
func (b *Bench) Must(words ...string) Outcome {
	b.t.Helper()
	out := b.Run(words...)
	if out.Code != 0 {
		b.t.Fatalf("%v: exit code %d\n%s%s", words, out.Code, out.Stdout, out.Stderr)
	}
	return out
}

// State is what the cloud has.
func (b *Bench) State() string {
	b.t.Helper()
	data, err := os.ReadFile(filepath.Join(b.Dir, "state"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Fatal(err)
	}
	return string(data)
}

// Write writes a file of the bench.
func (b *Bench) Write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.Dir, name), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}
