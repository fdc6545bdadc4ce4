package rules

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const exporterConfig = `defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend metrics
    bind 127.0.0.1:%d
    http-request use-service prometheus-exporter
backend etcd
    server etcd-1 127.0.0.1:1 check
`

// TestExporters: the real built-in exporter gives what the list of its metrics and the replacements of retired ones
// say, with the labels that the rules ask for, and nothing that is said to be retired.
func TestExporters(t *testing.T) {
	page := exposition(t)
	given := func(name string) bool {
		return strings.Contains(page, "\n"+name+"{") || strings.Contains(page, "\n"+name+" ")
	}
	for _, name := range builtIn {
		if !given(name) {
			t.Errorf("HAProxy does not give %s", name)
		}
	}
	for old, instead := range retired {
		if given(old) {
			t.Errorf("HAProxy gives %s", old)
		}
		if name, _, _ := strings.Cut(instead, "{"); name != "up" && !given(name) {
			t.Errorf("HAProxy does not give %s", name)
		}
	}
	for line := range strings.Lines(page) {
		name, labels, _ := strings.Cut(line, "{")
		if !strings.HasPrefix(line, "#") && bySection(name) && (!strings.Contains(labels, "proxy=") || strings.Contains(labels, "backend=")) {
			t.Errorf("not labelled by proxy: %s", line)
		}
	}
	for _, name := range states {
		if !strings.Contains(page, "\n"+name+"{") || !strings.Contains(page, `state="UP"`) {
			t.Errorf("%s is not told apart by state", name)
		}
	}
}

// afterCheck is a metric that is there once a server has been checked.
const afterCheck = "haproxy_server_check_duration_seconds{"

// exposition is the metrics page of a HAProxy that has checked its server.
func exposition(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("haproxy"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	config := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(config, fmt.Appendf(nil, exporterConfig, port), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("haproxy", "-db", "-f", config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", port))
		if err == nil {
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			if page := string(body); strings.Contains(page, "\n"+afterCheck) || time.Now().After(deadline) {
				return page
			}
			continue
		}
		if time.Now().After(deadline) {
			t.Fatalf("no answer: %v", err)
		}
	}
}
