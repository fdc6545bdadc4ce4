//go:build unix

package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// lines is a file that begins with a head and goes on with numbered lines, of which it has 4 MiB at most.
func lines(head string, most int, line string) string {
	var b strings.Builder
	b.WriteString(head)
	for i := 0; i < most && b.Len() < 4<<20-len(line)-20; i++ {
		fmt.Fprintf(&b, line, i)
	}
	return b.String()
}

// hostile are the files that cost most among those that lint reads: each is just below what is refused, or one that
// asks for endless work.
var hostile = map[string]func() (name, text string){
	"haproxy": func() (string, string) {
		return "haproxy.cfg", lines("defaults\n mode tcp\n", 13_000, "listen l%[1]d\n bind :2379\n server a 10.0.0.1:2379 check\n")
	},
	"nginx": func() (string, string) {
		return "nginx.conf", lines("events {}\nstream {\n", 9_900, "upstream u%[1]d { server 10.0.0.1:2379; }\nserver { listen 2379; proxy_pass u%[1]d; }\n") + "}\n"
	},
	"terraform": func() (string, string) {
		return "main.tf", lines("", 9_900, "resource \"aws_lb_target_group\" \"a%d\" {\n count = 4000\n port = 2379\n}\n")
	},
	"iptables": func() (string, string) {
		return "rules.v4", lines("*filter\n:INPUT DROP\n", 79_000, "-A INPUT -s 10.1.2.%d -p tcp --dport 2379 -j ACCEPT\n")
	},
	"script": func() (string, string) {
		return "firewall.sh", lines("#!/bin/sh\niptables -F\n", 44_000, "iptables -D INPUT -p udp -s 10.0.0.%[1]d\niptables -A INPUT -p tcp\n")
	},
	"nftables": func() (string, string) {
		return "rules.nft", lines("table inet filter {\n chain input { type filter hook input priority 0; policy drop;\n", 74_000, "ip saddr 10.1.2.%d tcp dport 2379 accept\n") + "}\n}\n"
	},
	"prometheus": func() (string, string) {
		return "rules.yml", lines("groups:\n- name: a\n  rules:\n", 19_000, "  - alert: a%d\n    expr: haproxy_server_status == 0\n")
	},
	"spec": func() (string, string) {
		return "spec.yaml", lines("loadBalancer: {host: a.b}\ncluster:\n  name: prod\n  members:\n", 90_000, "    m%d: {address: 10.0.0.1}\n")
	},
	"fleet": func() (string, string) {
		return "spec.cue", lines("", 5000, "clusters: c%[1]d: {\n\tcluster: members: {\n\t\ta: address: \"a.c%[1]d.b\"\n\t\tb: address: \"b.c%[1]d.b\"\n\t}\n\tloadBalancer: host: \"c%[1]d.b\"\n}\n")
	},
	"ports": func() (string, string) {
		return "haproxy.cfg", strings.Repeat("listen a\n bind :1-65535\n", 13_000)
	},
	"one line": func() (string, string) {
		return "rules.yml", lines("groups:\n- rules:\n  - alert: a\n    expr: up\n- {name: b, rules: [", 15_000, "{alert: a%d, expr: haproxy_server_status == 0}, ") + "]}\n"
	},
	"templates": func() (string, string) {
		return "main.tf", "resource \"aws_lb\" \"a\" {\n" + strings.Repeat("{{a}}${b}<%c%>", 30_000)
	},
	"cue": func() (string, string) {
		return "spec.cue", "import \"list\"\ncluster: name: \"a\"\nloadBalancer: host: \"a.b\"\nb: list.Range(0, 1000, 1)\n" +
			"c: [for x in b for y in b for z in b for u in b {x + y + z + u}]\n"
	},
}

// BenchmarkHostile states what files cost that are made to cost much: the bars are two seconds and 200 MiB.
func BenchmarkHostile(b *testing.B) {
	program := buildProgram(b)
	for _, kind := range slices.Sorted(maps.Keys(hostile)) {
		b.Run(kind, func(b *testing.B) {
			dir := b.TempDir()
			name, text := hostile[kind]()
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				cmd := exec.Command(program, "lint")
				cmd.Dir = dir
				out, _ := cmd.Output() // the exit code is looked at below
				if code := cmd.ProcessState.ExitCode(); code < exitClean || code > exitUsage {
					b.Fatalf("exit code %d: %.1000s", code, out)
				}
				s := cmd.ProcessState
				b.ReportMetric((s.UserTime() + s.SystemTime()).Seconds(), "cpu-s")
				b.ReportMetric(float64(s.SysUsage().(*syscall.Rusage).Maxrss>>10), "MiB")
			}
		})
	}
}
