package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// need looks a real tool up. Where it is absent its tests are skipped, unless in CI, where that is a failure.
func need(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not here", program)
	}
	t.Skipf("%s is not here", program)
	return ""
}

// buildProgram builds the program as users have it.
func buildProgram(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "etcdlbgen")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// TestHermetic traces a build whose spec imports a module that only a registry has: nothing is dialled, and nothing is
// read or written but the spec, the output, and what the runtime asks the kernel about itself.
func TestHermetic(t *testing.T) {
	strace := need(t, "strace")
	program := buildProgram(t)
	dir, home := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		"spec/cue.mod/module.cue": "module: \"example.com/spec@v0\"\nlanguage: version: \"v0.12.0\"\n" +
			"deps: \"example.com/remote@v1\": v: \"v1.0.0\"\n",
		"spec/own/own.cue":    "package own\nname: \"prod\"\n",
		"spec/good.cue":       "import \"example.com/spec/own\"\ncluster: {name: own.name, members: m: address: \"10.0.0.1\", metrics: port: 2381}\nloadBalancer: host: \"lb\"\n",
		"spec/bad.cue":        "import \"example.com/remote/x\"\ncluster: {name: x.name, members: m: address: \"10.0.0.1\"}\nloadBalancer: host: \"lb\"\n",
		"elsewhere/other.cue": "package other\n",
	} {
		put(t, dir, name, text)
	}
	run := func(spec, out string) (trace, stderr string, err error) {
		log := filepath.Join(t.TempDir(), "trace")
		cmd := exec.Command(strace, "-f", "-qq", "-e", "trace=%network,%file", "-o", log, program, "build", spec, "-o", out)
		cmd.Dir = dir
		cmd.Env = []string{"HOME=" + home, "XDG_CACHE_HOME=" + home + "/cache", "CUE_REGISTRY=registry.invalid", "CUE_CACHE_DIR=" + home + "/cue"}
		var buf bytes.Buffer
		cmd.Stderr = &buf
		err = cmd.Run()
		data, readErr := os.ReadFile(log)
		if readErr != nil {
			t.Fatal(readErr)
		}
		return string(data), buf.String(), err
	}
	allowed := regexp.MustCompile(`^(/proc$|/proc/|/sys/|/dev/|/etc/localtime$|/usr/share/zoneinfo|/usr/local/go/lib/time|/etc/ld\.so|/lib|/usr/lib)`)
	for _, c := range []struct {
		spec, out, stderr string
		ok                bool
	}{
		{"spec/good.cue", "out", "", true},
		{"spec/bad.cue", "never", "spec/bad.cue:1:8: error: ", false},
	} {
		trace, stderr, err := run(c.spec, c.out)
		if (err == nil) != c.ok || !strings.Contains(stderr, c.stderr) {
			t.Errorf("%s: %v\n%s", c.spec, err, stderr)
		}
		for _, call := range []string{"socket(", "connect(", "sendto("} {
			if strings.Contains(trace, call) {
				t.Errorf("%s: the network is used: %s", c.spec, call)
			}
		}
		for _, m := range regexp.MustCompile(`\b(?:open|openat|stat|newfstatat|access|readlinkat|mkdirat|unlinkat|renameat2?)\([^"]*"([^"]*)"`).FindAllStringSubmatch(trace, -1) {
			path := m[1]
			if !filepath.IsAbs(path) || allowed.MatchString(path) || within(dir, path) || path == program {
				continue
			}
			t.Errorf("%s: touches %s", c.spec, path)
		}
	}
	for _, gone := range []string{filepath.Join(dir, "never")} {
		if _, err := os.Stat(gone); err == nil {
			t.Errorf("%s exists", gone)
		}
	}
	left, err := os.ReadDir(home)
	if err != nil || len(left) > 0 {
		t.Errorf("the home folder holds %v %v", left, err)
	}
}

// within reports whether path is dir, below it, or on the way to it: a module's root is looked for upward.
func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel) || strings.HasPrefix(dir, path) || filepath.Base(path) == "cue.mod" || filepath.Base(path) == "module.cue"
}

// TestEverywhereTheSame: what is built depends on the spec alone.
func TestEverywhereTheSame(t *testing.T) {
	program := buildProgram(t)
	dir := t.TempDir()
	spec, err := os.ReadFile("../../golden/build/full/spec.cue")
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "spec.cue", string(spec))
	put(t, dir, "deep/er/x", "")
	build := func(cwd, path string, env ...string) string {
		cmd := exec.Command(program, "build", path, "-o", "-")
		cmd.Dir = filepath.Join(dir, cwd)
		cmd.Env = append([]string{"HOME=/nowhere"}, env...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	want := build(".", "spec.cue")
	for name, got := range map[string]string{
		"working directory": build("deep/er", "../../spec.cue"),
		"absolute path":     build("deep", filepath.Join(dir, "spec.cue")),
		"one core":          build(".", "spec.cue", "GOMAXPROCS=1"),
		"many cores":        build(".", "spec.cue", "GOMAXPROCS=16"),
		"locale, zone":      build(".", "spec.cue", "LC_ALL=tr_TR.UTF-8", "LANG=de_DE.UTF-8", "TZ=Asia/Kathmandu"),
		"host, user":        build(".", "spec.cue", "HOSTNAME=elsewhere", "USER=somebody"),
		"again":             build(".", "spec.cue"),
	} {
		if got != want {
			t.Errorf("the output depends on: %s", name)
		}
	}
}
