package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etcdlbgen/etcdlbgen/lint"
)

// folder is so many Terraform files that hold a text so many times.
func folder(files, times int, text string) map[string]string {
	out := map[string]string{}
	for i := range files {
		out[fmt.Sprintf("%d.tf", i)] = strings.Repeat(text, times)
	}
	return out
}

// numbered is a text so many times, each with its number.
func numbered(text string, times int) string {
	var b strings.Builder
	for i := range times {
		fmt.Fprintf(&b, text, i)
	}
	return b.String()
}

// TestBounds: what is too much of anything is refused with a word on what and how much, in files that others include, too.
func TestBounds(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  string
		read  int
	}{
		"lines":      {map[string]string{"haproxy.cfg": strings.Repeat("a\n", 40_001)}, "40001 lines", 1},
		"words":      {map[string]string{"haproxy.cfg": "listen a\n" + strings.Repeat("a ", 500_000)}, "500002 words", 1},
		"quotes":     {map[string]string{"main.tf": "a = " + strings.Repeat(`"`, 500_000)}, "500002 words", 1},
		"dump":       {map[string]string{"rules.v4": "*filter\n" + strings.Repeat("a ", 800_000)}, "800001 words", 1},
		"brackets":   {map[string]string{"nginx.conf": "stream {" + strings.Repeat("{}", 250_000)}, "500002 words", 1},
		"depth":      {map[string]string{"main.tf": "a = " + strings.Repeat("[", 201)}, "201 deep", 1},
		"size":       {map[string]string{"rules.nft": strings.Repeat("#", 4<<20+1)}, "4 MiB", 1},
		"faults":     {map[string]string{"main.tf": strings.Repeat("\"a\n", 5000)}, "more errors of syntax follow", 1},
		"PEM, lines": {map[string]string{"a.crt": "-----BEGIN CERTIFICATE-----\n" + strings.Repeat("\n", 40_000)}, "40001 lines", 1},
		"included": {map[string]string{
			"nginx.conf": "events {}\nstream {\n\tinclude more;\n}\n", "more": strings.Repeat("a;\n", 40_001),
		}, "40001 lines", 2},
		"YAML spec": {map[string]string{
			"prod.yaml": "cluster: {name: prod}\nloadBalancer: {host: a.b}\n" + strings.Repeat("#\n", 200_000),
		}, "200002 lines", 1},
		"JSON spec": {map[string]string{
			"prod.json": "{\"cluster\": {},\n\"loadBalancer\": {}" + strings.Repeat("\n", 200_001) + "}",
		}, "200002 lines", 1},
		"no CUE":            {map[string]string{"a.cue": "cluster: {}\nloadBalancer: {}\n" + strings.Repeat("%\n", 30)}, "more than 20 characters are no CUE", 1},
		"blocks":            {map[string]string{"nginx.conf": "events {}\nstream {\n" + strings.Repeat("upstream a {}\n", 20_000) + "}\n"}, "20000 blocks", 1},
		"chains":            {map[string]string{"r.nft": strings.Repeat("table ip a {\nchain b {\ntype filter hook input priority 0;\n}\n}\n", 41)}, "40 chains", 1},
		"resources":         {map[string]string{"main.tf": numbered("resource \"aws_lb\" \"a%d\" {\n}\n", 10_001)}, "10000 resources", 1},
		"here-document":     {map[string]string{"main.tf": "a = <<A\n" + strings.Repeat("b\n", 10_001) + "A\n"}, "10000 lines", 1},
		"of several, bytes": {folder(3, 3<<20, "#"), "9 MiB", 3},
		"of several, words": {folder(3, 200_000, "a "), "3 files that belong together have 600000 words", 3},
		"includes": {map[string]string{
			"nginx.conf": "events {}\nstream {\n" + numbered("include a%d.conf;\n", 5001) + "}\n",
		}, "5000 files or patterns", 1},
		"patterns": {map[string]string{
			"nginx.conf": "events {}\nstream {\ninclude " + strings.Repeat("*a", 300) + ";\n}\n",
		}, "5000 files or patterns", 1},
		".gitignore": {map[string]string{".git/HEAD": "", ".gitignore": strings.Repeat("**/a*b\n", 10_000), "haproxy.cfg": "defaults\n"}, "68 KiB of rules", 1},
		".etcdlbgen": {map[string]string{".etcdlbgen.json": strings.Repeat("[", 201)}, "201 deep", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for path, text := range tc.files {
				if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			r, err := lint.Run(lint.Options{Paths: []string{dir}, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
			if err != nil {
				t.Fatal(err)
			}
			said := fmt.Sprint(r.Diagnostics)
			if n := count(r.Diagnostics, "syntax"); n > 101 || !strings.Contains(said, tc.want) || r.Read != tc.read {
				t.Errorf("%d files read, %d errors of syntax, %.1000s", r.Read, count(r.Diagnostics, "syntax"), said)
			}
		})
	}
}

// TestLeftOut: of very many findings of one rule in one file the first are told, and how many there are more.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	text := "events {}\nstream {\n" + numbered("upstream u%[1]d { server 10.0.0.1:2379; }\nserver { listen 2379; proxy_pass u%[1]d; }\n", 1500) + "}\n"
	r := lintText(t, "nginx.conf", []byte(text))
	n := count(r.Diagnostics, "check-tcp-only")
	if want := fmt.Sprintf("check-tcp-only (%d more findings in nginx.conf after the first 1000)", 500); n != 1000 || !strings.Contains(r.Summary(), want) {
		t.Errorf("%d findings, %s", n, r.Summary())
	}
}

// TestFewComplaints: the same goes for comments that suppress nothing.
func TestFewComplaints(t *testing.T) {
	t.Parallel()
	r := lintText(t, "haproxy.cfg", []byte("defaults\n"+strings.Repeat("# etcdlbgen:ignore watch-timeout none here\n\n", 1200)))
	n := count(r.Diagnostics, "unused-ignore")
	if want := "unused-ignore (200 more findings in haproxy.cfg after the first 1000)"; n != 1000 || !strings.Contains(r.Summary(), want) {
		t.Errorf("%d complaints, %s", n, r.Summary())
	}
}

// TestNotOurs: a large file of another kind is no business of ours, unless it is named.
func TestNotOurs(t *testing.T) {
	in(t, map[string]string{
		"haproxy.cfg":       haproxy,
		"package-lock.json": `{"dependencies": {"cluster": {"version": "1"}` + strings.Repeat(",\n\"a\": {}", 200_001) + "}}",
		"pods.json":         `{"apiVersion": "v1", "clusters": {}, "loadBalancer": {}` + strings.Repeat("\n", 200_001) + "}",
		"values.yaml":       "cluster: {}\n" + strings.Repeat("a: b\n", 200_001),
	})
	_, got := run(t, lint.Options{})
	expect(t, got, finding)
	_, got = run(t, lint.Options{Paths: []string{"values.yaml"}})
	expect(t, got, "values.yaml:0 error syntax")
}
