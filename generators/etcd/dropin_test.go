package etcd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// systemd finds the drop-in beside etcd's unit, the member's file where the drop-in says, and nothing to complain of.
func TestDropIn(t *testing.T) {
	files, _ := build(t, minimal)
	const name = "etcd.service.d/etcd-lb-prod.conf"
	text := files["etcd/"+name]
	_, file, ok := strings.Cut(text, "EnvironmentFile=")
	if file = strings.TrimSpace(file); !ok || file != "/etc/etcd-lb/prod/etcd.env" {
		t.Fatalf("loads %q\n%s", file, text)
	}
	// Flags are written once: in the member's file.
	if got := variables(text); len(got) > 0 {
		t.Errorf("sets %v", got)
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	verify := func() string {
		cmd := exec.Command(analyze, "verify", filepath.Join(dir, "etcd.service"))
		cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return err.Error() + "\n" + string(out)
		}
		return string(out)
	}
	write("etcd.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n")
	write(name, text)
	if out := verify(); out != "" {
		t.Errorf("systemd-analyze verify: %s", out)
	}
	write(name, strings.Replace(text, "EnvironmentFile=", "EnvironmentFiles=", 1))
	if out := verify(); !strings.Contains(out, "EnvironmentFiles") {
		t.Errorf("systemd does not read the drop-in: %q", out)
	}
}
