package golden

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators"
	"github.com/etcdlbgen/etcdlbgen/schema"
)

// secret is what secrets look like: keys and certificates in PEM, passwords in the settings of each format and in URLs,
// and what clouds hand out.
var secret = regexp.MustCompile(`-----BEGIN |\bstats auth\b|\bauth_pass\b|(?i)\b(password|passwd|passphrase|secret_key|client_secret|` +
	`access_key|bearer_token|api_?key)\b["']?\s*[:=]\s*["']?[^\s"',]|://[^/\s"'@]+:[^/\s"'@]+@|\bAKIA[0-9A-Z]{16}\b|\beyJ[\w-]{20,}`)

// TestSecretIsFound keeps the pattern honest.
func TestSecretIsFound(t *testing.T) {
	for _, text := range []string{
		"-----BEGIN PRIVATE KEY-----", "stats auth admin:x", "auth_pass x", `password = "x"`, "--password=x", "basic_auth: {password: x}",
		"https://user:pass@host", "AKIAABCDEFGHIJKLMNOP", "access_key: x",
	} {
		if !secret.MatchString(text) {
			t.Errorf("%q passes", text)
		}
	}
}

// TestNoSecrets holds all that is built against what secrets look like: of golden cases and of random specs.
func TestNoSecrets(t *testing.T) {
	eachCluster(t, func(t testing.TB, c *schema.Cluster) {
		_, files, _ := generators.Compile(c, "spec.cue", nil)
		for _, f := range files {
			if found := secret.Find(f.Data); found != nil {
				t.Errorf("%s holds %q", f.Path, found)
			}
		}
	})
}

// TestFilesAreNamedNotRead builds specs whose certificates and keys all exist, with a mark in each, and in the
// environment: the files are named in what is built, the mark is nowhere.
func TestFilesAreNamedNotRead(t *testing.T) {
	const mark = "c4n4ry-0f-a-k3y"
	t.Setenv("ETCDCTL_PASSWORD", mark)
	t.Setenv("ETCD_LB_PASSWORD", mark)
	for _, file := range []string{"dedicated.json", "termination.json"} {
		t.Run(file, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			spec, dir := object{}, t.TempDir()
			if err := json.Unmarshal(data, &spec); err != nil {
				t.Fatal(err)
			}
			paths := replant(t, spec, dir, mark)
			if len(paths) < 5 {
				t.Fatalf("only %v", paths)
			}
			text, err := json.Marshal(spec)
			if err != nil {
				t.Fatal(err)
			}
			path, out := filepath.Join(dir, "spec.json"), filepath.Join(dir, "out")
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
			r := etcdlbgen(t, dir, "build", path, "-o", out)
			if r.code != 0 {
				t.Fatal(r.stderr)
			}
			all := r.stdout + r.stderr
			for name, text := range tree(t, out) {
				all += name + text
			}
			if strings.Contains(all, mark) {
				t.Error("a file's content, or a variable, is in what was built")
			}
			for _, p := range paths {
				if !strings.Contains(all, p) {
					t.Errorf("%s is named nowhere", p)
				}
			}
		})
	}
}

// replant moves the files that a spec names into a folder, where they exist with a mark in them, and returns their
// paths.
func replant(t *testing.T, o object, dir, mark string) []string {
	t.Helper()
	var paths []string
	for key, value := range o {
		switch v := value.(type) {
		case object:
			paths = append(paths, replant(t, v, dir, mark)...)
		case string:
			if !strings.HasPrefix(v, "/etc/") {
				continue
			}
			path := filepath.Join(dir, v)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, fmt.Appendf(nil, "-----BEGIN PRIVATE KEY-----\n%s\n", mark), 0o600); err != nil {
				t.Fatal(err)
			}
			o[key] = path
			paths = append(paths, path)
		}
	}
	return paths
}
