//go:build unix

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcdlbgen/etcdlbgen/generators"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/lint"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// The speed of lint is stated against reading and parsing the same files alone, in runs that alternate.

// benchNow is the clock of certificates and of the linter.
var benchNow = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// benchTexts are files without etcd, by name; %d is the number of the machine.
var benchTexts = map[string]string{
	"haproxy.cfg": `global
    maxconn 20000
    hard-stop-after 30m
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
frontend web%[1]d
    bind :80
    acl api path_beg /api
    use_backend api if api
    default_backend web
backend web
    balance roundrobin
    option httpchk GET /status
    server web-1 10.9.%[2]d.10:8080 check inter 2s
    server web-2 10.9.%[2]d.11:8080 check inter 2s
backend api
    balance leastconn
    server api-1 10.9.%[2]d.20:9090 check
    server api-2 10.9.%[2]d.21:9090 check
`,
	"nginx.conf": `worker_processes auto;
worker_rlimit_nofile 40000;
events { worker_connections 16384; }
stream {
    upstream postgres {
        least_conn;
        server 10.9.%[2]d.30:5432 max_fails=2 fail_timeout=10s;
        server 10.9.%[2]d.31:5432 max_fails=2 fail_timeout=10s;
    }
    server {
        listen 5432;
        proxy_pass postgres;
        proxy_timeout 1h;
    }
}
`,
	"web.tf": `resource "aws_lb" "web" {
  name               = "web-%[1]d"
  internal           = true
  load_balancer_type = "network"
  security_groups    = [aws_security_group.web.id]
  subnets            = var.subnets
}
resource "aws_security_group" "web" {
  vpc_id = var.vpc_id
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.9.%[2]d.0/24"]
  }
}
resource "aws_lb_target_group" "web" {
  port     = 443
  protocol = "TCP"
  vpc_id   = var.vpc_id
  health_check {
    protocol = "TCP"
    interval = 10
  }
}
`,
	"rules.v4": `*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -s 10.9.%[2]d.0/24 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A INPUT -p icmp -j ACCEPT
COMMIT
`,
	"rules.yml": `groups:
- name: web-%[1]d
  rules:
  - alert: WebDown
    expr: sum by (instance) (up{job="web-%[1]d"}) < 1
    for: 5m
    annotations: {summary: "web is down on {{ $labels.instance }}"}
  - alert: WebSlow
    expr: histogram_quantile(0.99, rate(http_request_duration_seconds_bucket{job="web-%[1]d"}[5m])) > 2
    for: 10m
`,
	"keepalived.conf": `vrrp_instance web {
    state BACKUP
    interface eth0
    virtual_router_id 77
    priority 100
    unicast_peer { 10.9.%[2]d.51 }
    virtual_ipaddress { 10.9.%[2]d.100/24 }
}
`,
	"apiserver.yaml": `apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver-%[1]d
  namespace: kube-system
spec:
  containers:
  - name: kube-apiserver
    command:
    - kube-apiserver
    - --advertise-address=10.9.%[2]d.40
    - --secure-port=6443
`,
}

// benchEtcd is a haproxy.cfg with etcd, for one machine in ten.
const benchEtcd = `global
    maxconn 20000
    hard-stop-after 30m
defaults
    mode tcp
    timeout connect 2s
    timeout client 1h
    timeout server 1h
frontend etcd-%[1]d
    bind :2379
    default_backend etcd-%[1]d
backend etcd-%[1]d
    balance leastconn
    option tcp-check
    default-server inter 2s fall 3 rise 2 on-marked-down shutdown-sessions
    server etcd-1 10.8.%[2]d.10:2379 check
    server etcd-2 10.8.%[2]d.11:2379 check
    server etcd-3 10.8.%[2]d.12:2379 check
`

// benchTree writes n files of some names, one of each name for a machine, below a folder. With etcd one machine in ten
// has a haproxy.cfg for it.
func benchTree(b *testing.B, n int, etcd bool, names ...string) string {
	b.Helper()
	texts := maps.Clone(benchTexts)
	texts["web.pem"] = benchCertificate(b)
	dir := memory(b)
	for i := range n {
		name, machine := names[i%len(names)], i/len(names)
		text := texts[name]
		if etcd && name == "haproxy.cfg" && machine%10 == 0 {
			text = benchEtcd
		}
		if strings.Contains(text, "%[") {
			text = fmt.Sprintf(text, machine, machine%250)
		}
		path := filepath.Join(dir, fmt.Sprintf("host-%d", machine), name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// benchCertificate is a certificate of a web server.
func benchCertificate(b *testing.B) string {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "web.example.com"}, DNSNames: []string{"web.example.com"},
		NotBefore: benchNow.AddDate(-1, 0, 0), NotAfter: benchNow.AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		b.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// readAndParse reads each file below a folder and parses those of a known format, each by itself.
func readAndParse(b *testing.B, dir string) (parsed int) {
	b.Helper()
	var kept []*topology.Topology
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(generators.Targets, func(t target.Target) bool {
			return t.Parse != nil && t.Detect != nil && t.Detect(path, data)
		})
		if i >= 0 {
			t, _ := generators.Targets[i].Parse(target.Source{Path: path, Files: []target.File{{Path: path, Data: data}}})
			kept = append(kept, t)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return len(kept)
}

func runLint(b *testing.B, dir string) *lint.Result {
	b.Helper()
	r, err := lint.Run(lint.Options{Paths: []string{dir}, Now: benchNow})
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// took is the wall time of a call, which begins with an empty heap.
func took(do func()) float64 {
	runtime.GC()
	start := time.Now()
	do()
	return time.Since(start).Seconds()
}

// BenchmarkLint states the time of linting 2,000 mixed files, of which 25 are about etcd, against reading and parsing.
func BenchmarkLint(b *testing.B) {
	names := append(slices.Sorted(maps.Keys(benchTexts)), "web.pem")
	dir := benchTree(b, 2000, true, names...)
	for b.Loop() {
		var ours, bare []float64
		for range 7 {
			bare = append(bare, took(func() { readAndParse(b, dir) }))
			ours = append(ours, took(func() { runLint(b, dir) }))
		}
		slices.Sort(ours)
		slices.Sort(bare)
		b.ReportMetric(ours[len(ours)/2]/bare[len(bare)/2], "wall/parsing")
	}
}

// BenchmarkLintMemory states what is in memory at once for each file without etcd: the difference of 1,000 and 3,000 files
// in the most that any collection of garbage leaves.
func BenchmarkLintMemory(b *testing.B) {
	for _, name := range append(slices.Sorted(maps.Keys(benchTexts)), "web.pem") {
		b.Run(name, func(b *testing.B) {
			few, many := benchTree(b, 1000, false, name), benchTree(b, 3000, false, name)
			for b.Loop() {
				b.ReportMetric((peak(b, many)-peak(b, few))/2000, "B/file")
			}
		})
	}
}

// peak is the most bytes that a collection of garbage leaves while a folder is linted.
func peak(b *testing.B, dir string) float64 {
	b.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(2)) // collect all the time
	runtime.GC()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	before, most := live[0].Value.Uint64(), uint64(0)
	done := make(chan *lint.Result)
	go func() { done <- runLint(b, dir) }()
	for {
		select {
		case r := <-done:
			runtime.KeepAlive(r)
			return float64(most - before)
		default:
			metrics.Read(live)
			most = max(most, live[0].Value.Uint64())
			runtime.Gosched()
		}
	}
}
