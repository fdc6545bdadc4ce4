package prometheus

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

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const haproxyConfig = `global
    maxconn 100
defaults
    mode tcp
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend etcd-prod
    bind 127.0.0.1:%d
    default_backend etcd-prod
frontend etcd-prod-metrics
    mode http
    bind 127.0.0.1:%d
    http-request use-service prometheus-exporter
backend etcd-prod
    server etcd-1 127.0.0.1:1 check
`

// The exporters really give each metric that an alert reads, with each label it selects by.
func TestExportersGiveWhatAlertsRead(t *testing.T) {
	proxy, metrics := freePort(t), freePort(t)
	config := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(config, fmt.Appendf(nil, haproxyConfig, proxy, metrics), 0o644); err != nil {
		t.Fatal(err)
	}
	start(t, "haproxy", "-db", "-f", config)
	client, peer := freePort(t), freePort(t)
	url := func(port int) string { return fmt.Sprintf("http://127.0.0.1:%d", port) }
	start(t, "etcd", "--data-dir", t.TempDir(), "--listen-client-urls", url(client), "--advertise-client-urls", url(client),
		"--listen-peer-urls", url(peer), "--initial-advertise-peer-urls", url(peer), "--initial-cluster", "default="+url(peer))
	exported := append(exposition(t, url(metrics)), exposition(t, url(client))...)

	top, _ := lowered(t, specs["full"])
	for _, a := range top.Alerts {
		for _, r := range a.Reads {
			if r.Metric != "up" && !contains(exported, r) { // which the scrape itself gives
				t.Errorf("%s: no exporter gives %s%v", a.Name.V, r.Metric, r.Labels)
			}
		}
	}
}

func contains(exported []labels.Labels, r topology.Selector) bool {
	for _, series := range exported {
		ok := series.Get(model.MetricNameLabel) == r.Metric
		for name, value := range r.Labels {
			ok = ok && (name == "job" || series.Get(name) == value) // the scrape adds the job
		}
		if ok {
			return true
		}
	}
	return false
}

// exposition are the series an exporter gives, once it answers.
func exposition(t *testing.T, url string) []labels.Labels {
	t.Helper()
	client := http.Client{Timeout: 5 * time.Second}
	deadline := time.Now().Add(30 * time.Second)
	for {
		resp, err := client.Get(url + "/metrics")
		if err == nil {
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			return seriesOf(t, string(body))
		}
		if time.Now().After(deadline) {
			t.Fatalf("no answer: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func seriesOf(t *testing.T, body string) []labels.Labels {
	t.Helper()
	var out []labels.Labels
	for line := range strings.Lines(body) {
		end := strings.LastIndexByte(strings.TrimSpace(line), ' ')
		if strings.HasPrefix(line, "#") || end < 0 {
			continue
		}
		series, err := promql.ParseMetric(line[:end])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out = append(out, series)
	}
	return out
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// start runs a server until the test ends.
func start(t *testing.T, program string, args ...string) {
	t.Helper()
	need(t, program)
	cmd := exec.Command(program, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}
