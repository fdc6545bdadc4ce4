package golden

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// imports are the golden cases whose proxy configuration comes back from a spec that is imported from it and from the
// files beside it, with what no file says.
var imports = map[string]struct {
	endpoint string
	from     []string
}{
	"minimal":     {"https://etcd-lb.internal.example.com:2379", []string{"haproxy"}},
	"nine":        {"https://etcd-lb.internal.example.com:2379", []string{"haproxy", "etcd"}},
	"names":       {"https://etcd-lb.internal.example.com:2379", []string{"haproxy", "etcd"}},
	"mixed":       {"https://etcd-lb.internal.example.com:2379", []string{"haproxy", "etcd"}},
	"five-ipv6":   {"https://etcd-lb.internal.example.com:2379", []string{"haproxy", "etcd"}},
	"dual-stack":  {"https://etcd-lb.internal.example.com:2379", []string{"haproxy", "etcd"}},
	"observe":     {"https://etcd-lb.internal.example.com:2379", []string{"haproxy"}},
	"termination": {"https://etcd-lb.example.com:2379", []string{"haproxy"}},
}

// suppression is a comment of the spec's author, which is no setting.
var suppression = regexp.MustCompile(`(?m)^ *# etcdlbgen:ignore .*\n`)

// TestImportBuildsTheSame: what we built, imported and built again, is what it was.
func TestImportBuildsTheSame(t *testing.T) {
	for name, c := range imports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := filepath.Join("build", name, "want")
			args := []string{"import", "--endpoint", c.endpoint}
			for _, folder := range c.from {
				abs, err := filepath.Abs(filepath.Join(want, folder))
				if err != nil {
					t.Fatal(err)
				}
				args = append(args, abs)
			}
			dir := t.TempDir()
			imported := etcdlbgen(t, dir, args...)
			if imported.code != 0 || strings.Contains(imported.stderr, "Not carried over") {
				t.Fatalf("exit code %d\n%s\n%s", imported.code, imported.stderr, imported.stdout)
			}
			if err := os.WriteFile(filepath.Join(dir, "spec.cue"), []byte(imported.stdout), 0o644); err != nil {
				t.Fatal(err)
			}
			if r := etcdlbgen(t, dir, "build", "spec.cue", "--target", "haproxy", "-o", "out"); r.code != 0 {
				t.Fatalf("exit code %d\n%s\n%s", r.code, r.stderr, imported.stdout)
			}
			built := tree(t, filepath.Join(want, "haproxy"))
			built["haproxy.cfg"] = suppression.ReplaceAllString(built["haproxy.cfg"], "")
			compare(t, built, tree(t, filepath.Join(dir, "out", "haproxy")))
		})
	}
}
