package prometheus

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/lower"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const (
	metrics     = `cluster: metrics: port: 2381` + "\n"
	certificate = `clients: certificate: {ca: "/etc/ca.crt", cert: "/etc/prom.crt", key: "/etc/prom.key"}` + "\n"
	nodes       = `loadBalancer: nodes: {
	"lb-1": {address: "10.0.1.201", interface: "eth0", priority: 150}
	"lb-2": {address: "10.0.1.202", interface: "eth0", priority: 100}
}
`
	monitoring = `monitoring: networks: ["10.0.8.0/24"]` + "\n"
)

// members is a spec's cluster of n members and a load balancer.
func members(n int) string {
	var out strings.Builder
	out.WriteString("cluster: name: \"prod\"\nloadBalancer: host: \"etcd-lb.example.com\"\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&out, "cluster: members: \"etcd-%d\": address: \"10.0.1.%d\"\n", i, 9+i)
	}
	return out.String()
}

// specs are the shapes of clusters that the rules must fit.
var specs = func() map[string]string {
	out := map[string]string{
		"minimal":     members(3),
		"full":        members(3) + metrics + certificate + nodes + monitoring + "targets: {haproxy: {}, prometheus: labels: {team: \"infra\"}}",
		"certificate": members(3) + certificate,
		"https": members(3) + certificate + `cluster: metrics: {port: 2381, scheme: "https"}
			loadBalancer: healthCheck: certificate: {ca: "/etc/ca.crt", cert: "/etc/lb.pem", key: "/etc/lb.pem.key"}`,
		"drained":  members(5) + metrics + `cluster: members: {"etcd-2": drain: true, "etcd-4": drain: true}`,
		"one left": members(2) + metrics + `cluster: members: "etcd-1": drain: true`,
		"learner":  members(4) + metrics + `cluster: members: "etcd-4": learner: true`,
		"only learner's job": members(4) + `cluster: members: "etcd-4": learner: true
			targets: {haproxy: {}, prometheus: select: etcd: job: "etcd"}`,
		"probe": members(3) + metrics + certificate + "targets: {haproxy: {}, prometheus: probe: {}}",
		"probe of TLS": members(3) + certificate + `cluster: ports: clientHTTP: 2382
			targets: {nginx: {}, prometheus: probe: {exporter: "fd00::9", port: 9116}}`,
		"probe without TLS": members(3) + `cluster: scheme: "http"
			targets: {prometheus: probe: {}}`,
		"no haproxy": members(3) + metrics + `targets: prometheus: {}`,
		"nothing":    members(3) + `targets: prometheus: {}`,
		"plaintext":  members(3) + `cluster: scheme: "http"`,
		"local":      members(3) + metrics + `loadBalancer: placement: "local"`,
		"local open": members(3) + metrics + monitoring + `loadBalancer: placement: "local"`,
		"odd names": `cluster: {name: "1", metrics: port: 2381, members: {
			"1": address: "10.0.1.10", "default": address: "10.0.1.11", "null": address: "10.0.1.12", "true": address: "10.0.1.13"}}
			loadBalancer: vip: "10.0.1.100"`,
		"IPv6": `cluster: {name: "six", metrics: port: 2381, members: {
			"a": address: "fd00::10", "b": address: "fd00::11", "c": address: "fd00::12"}}
			loadBalancer: vip6: "fd00::100"
			monitoring: networks: ["fd00:8::/64"]`,
		"own jobs": members(3) + metrics + `targets: {haproxy: {}, prometheus: select: {
			haproxy: job: "lb \"x\"", etcd: {job: "etcd", dc: "eu\\1"}}}`,
		"own label": members(3) + metrics + `targets: {haproxy: {}, prometheus: select: {haproxy: team: "x", etcd: cluster: "eu"}}`,
		"free text": members(3) + `targets: {haproxy: {}, prometheus: labels: {
			a: "{{ $labels.x }} {{{", b: "'\"#: - \\ ä ", c: "true", d: "", e: "| >", f: " 0x1"}}`,
	}
	for _, n := range []int{1, 2, 5, 8, 9} { // the others are above
		out[fmt.Sprintf("%d members", n)] = members(n) + metrics
	}
	return out
}()

// lowered is the topology of a spec and the options of the target.
func lowered(t testing.TB, spec string) (*topology.Topology, *topology.Tree) {
	t.Helper()
	res, diags, err := schema.Load(schema.Input{Paths: []string{"-"}, Stdin: strings.NewReader(spec)})
	if err != nil || diags.Has(diag.Error) || len(res.Clusters) != 1 {
		t.Fatalf("the spec does not load: %v %v", err, diags)
	}
	top, diags := lower.Topology(res.Clusters[0])
	if diags.Has(diag.Error) {
		t.Fatalf("the spec does not lower: %v", diags)
	}
	return top, res.Clusters[0].Targets["prometheus"]
}

// rendered are the files of a spec by path.
func rendered(t testing.TB, spec string) (*topology.Topology, map[string][]byte, diag.List) {
	t.Helper()
	top, options := lowered(t, spec)
	artifacts, diags := render(top, options, target.Header{Spec: "spec.cue"})
	files := map[string][]byte{}
	for _, a := range artifacts {
		files[a.Path] = a.Data
	}
	return top, files, diags
}

// folder writes files to the disk and returns where.
func folder(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for path, data := range files {
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// need skips a test whose oracle is not installed, but not where tests must be complete.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// promtool runs the real tool and returns what it prints.
func promtool(t *testing.T, args ...string) (string, error) {
	t.Helper()
	need(t, "promtool")
	out, err := exec.Command("promtool", args...).CombinedOutput()
	return string(out), err
}
