// Package golden holds what etcdlbgen writes and says, as files: whole output trees of specs below build/, findings
// below lint/. The tests compare them with what the program does now; go test ./golden -update rewrites them.
package golden

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aymanbagabas/go-udiff"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// program is the built binary.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	// A run of the tests draws the same specs each time; make fuzz, which asks for more of them, draws new ones.
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := flag.Set("rapid.seed", "20261123"); err != nil {
			panic(err)
		}
	}
	os.Exit(withProgram(m.Run))
}

// withProgram builds the binary for the time of the tests.
func withProgram(tests func() int) int {
	dir, err := os.MkdirTemp("", "etcdlbgen-golden-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "etcdlbgen")
	build := exec.Command("go", "build", "-o", program, "../cmd/etcdlbgen")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "go build:", err)
		return 1
	}
	return tests()
}

// result is one run of the program.
type result struct {
	code           int
	stdout, stderr string
}

// etcdlbgen runs the program in dir.
func etcdlbgen(t testing.TB, dir string, args ...string) result {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// specOf is the spec of a case below build/.
func specOf(t testing.TB, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "spec.*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: want one spec, have %v", dir, found)
	}
	return filepath.Base(found[0])
}

func cases(t testing.TB) []string {
	t.Helper()
	dirs, err := filepath.Glob("build/*")
	if err != nil || len(dirs) < 10 {
		t.Fatalf("want at least ten cases below build, have %d", len(dirs))
	}
	return dirs
}

// TestBuild compares the whole output tree of each case, and what build says, with the golden ones.
func TestBuild(t *testing.T) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			r := etcdlbgen(t, dir, "build", specOf(t, dir), "-o", out)
			if r.code != 0 {
				t.Fatalf("exit code %d:\n%s", r.code, r.stderr)
			}
			got := tree(t, out)
			got["stderr.txt"] = strings.ReplaceAll(r.stderr, out, "out")
			for name := range got {
				if strings.HasPrefix(filepath.Base(name), ".etcdlbgen.") {
					delete(got, name) // hashes of what stands beside them
				}
			}
			want := filepath.Join(dir, "want")
			if *update {
				rewrite(t, want, got)
				return
			}
			compare(t, tree(t, want), got)
		})
	}
}

// tree reads all files below dir by their paths with slashes; an executable one carries a mark.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func compare(t testing.TB, want, got map[string]string) {
	t.Helper()
	for name, text := range got {
		switch old, ok := want[name]; {
		case !ok:
			t.Errorf("%s is new", name)
		case old != text:
			t.Errorf("%s differs:\n%s", name, udiff.Unified("want", "got", old, text))
		}
	}
	for name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is gone", name)
		}
	}
	if t.Failed() {
		t.Log("if that is right: go test ./golden -update, and read the diff")
	}
}

// rewrite makes dir hold just those files.
func rewrite(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	overwrite(t, dir, files)
}

// overwrite writes files into dir and leaves what else is there.
func overwrite(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := fs.FileMode(0o644)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
}
