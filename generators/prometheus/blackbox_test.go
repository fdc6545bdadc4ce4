package prometheus

import (
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const blackbox = "prometheus-blackbox-exporter"

// The exporter itself takes each file of modules.
func TestBlackboxExporterTakesModules(t *testing.T) {
	need(t, blackbox)
	for name, spec := range specs {
		if !strings.Contains(spec, "probe:") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			top, files, _ := rendered(t, spec)
			path := "prometheus/blackbox/etcd-lb-" + top.Name.V + ".yml"
			dir := folder(t, map[string][]byte{path: files[path]})
			if out, err := exec.Command(blackbox, "--config.check", "--config.file", filepath.Join(dir, path)).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s\n%s", err, out, files[path])
			}
		})
	}
}

// A probe of a real etcd succeeds, one of nobody fails, and both give what the alerts read.
func TestBlackboxExporterProbes(t *testing.T) {
	top, files, _ := rendered(t, specs["probe without TLS"])
	path := "prometheus/blackbox/etcd-lb-" + top.Name.V + ".yml"
	dir := folder(t, map[string][]byte{path: files[path]})
	exporter, client, peer := freePort(t), freePort(t), freePort(t)
	at := func(port int) string { return fmt.Sprintf("http://127.0.0.1:%d", port) }
	start(t, "etcd", "--data-dir", t.TempDir(), "--listen-client-urls", at(client), "--advertise-client-urls", at(client),
		"--listen-peer-urls", at(peer), "--initial-advertise-peer-urls", at(peer), "--initial-cluster", "default="+at(peer))
	start(t, blackbox, "--config.file", filepath.Join(dir, path), "--web.listen-address", fmt.Sprintf("127.0.0.1:%d", exporter))
	exposition(t, at(exporter)) // both answer
	exposition(t, at(client))
	probe := func(port int) string {
		query := url.Values{"module": {"etcd-" + top.Name.V}, "target": {at(port) + "/health?exclude=NOSPACE"}}
		resp, err := http.Get(at(exporter) + "/probe?" + query.Encode())
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var out strings.Builder
		if err := resp.Write(&out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	eventually(t, func() bool { return strings.Contains(probe(client), "\nprobe_success 1\n") })
	if body := probe(freePort(t)); !strings.Contains(body, "\nprobe_success 0\n") {
		t.Errorf("a probe of nobody: %s", body)
	}
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for range 100 {
		if ok() {
			return
		}
	}
	t.Error("a hundred probes, and no success")
}
