package lint_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/lint"
	"github.com/etcdlbgen/etcdlbgen/schema"
)

const (
	minimal = `cluster: {
	name: "prod"
	members: {
		"etcd-1": address: "10.0.1.10"
		"etcd-2": address: "10.0.1.11"
		"etcd-3": address: "10.0.1.12"
	}
}
loadBalancer: host: "etcd-lb.example.com"
`
	// haproxy has one finding, in line 4.
	haproxy = `defaults
    mode tcp
    timeout connect 1s
    timeout client 30s
    timeout server 30s
listen etcd
    bind *:2379
    balance leastconn
    option httpchk GET /health?exclude=NOSPACE
    default-server check port 2381 on-marked-down shutdown-sessions
    server etcd-1 10.0.1.10:2379
    server etcd-2 10.0.1.11:2379
    server etcd-3 10.0.1.12:2379
global
    maxconn 20000
    hard-stop-after 30m
`
	finding = "haproxy.cfg:4 error watch-timeout"
)

// in makes a folder with files and goes there.
func in(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// run lints and returns "file:line severity rule" of each finding.
func run(t *testing.T, o lint.Options) (*lint.Result, []string) {
	t.Helper()
	r, err := lint.Run(o)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range r.Diagnostics {
		out = append(out, fmt.Sprintf("%s:%d %s %s", d.Span.File, d.Span.Line, d.Severity, d.Rule))
	}
	return r, out
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func isUsage(err error) bool {
	var usage *schema.UsageError
	return errors.As(err, &usage)
}

func TestWalk(t *testing.T) {
	in(t, map[string]string{
		"repo/.git/config":                    "",
		"repo/.gitignore":                     "/build\n*.bak.cfg\n!keep/\n",
		"repo/sub/.gitignore":                 "local/**\n",
		"repo/sub/haproxy.cfg":                haproxy,
		"repo/sub/local/a/haproxy.cfg":        haproxy,
		"repo/sub/haproxy-old.bak.cfg":        haproxy,
		"repo/sub/build/haproxy.cfg":          haproxy,
		"repo/build/haproxy.cfg":              haproxy,
		"repo/vendor/haproxy.cfg":             haproxy,
		"repo/.terraform/modules/haproxy.cfg": haproxy,
		"repo/notes.txt":                      "listen etcd on 2379",
	})
	if err := os.Symlink(".", "repo/sub/loop"); err != nil {
		t.Fatal(err)
	}
	r, got := run(t, lint.Options{Paths: []string{"repo"}})
	expect(t, got, "repo/sub/build/haproxy.cfg:4 error watch-timeout", "repo/sub/haproxy.cfg:4 error watch-timeout")
	if r.Read != 2 {
		t.Errorf("%d files read, want 2", r.Read)
	}
	t.Chdir("repo/sub")
	_, got = run(t, lint.Options{})
	expect(t, got, "build/haproxy.cfg:4 error watch-timeout", "haproxy.cfg:4 error watch-timeout")
	_, got = run(t, lint.Options{Paths: []string{"./local/a/haproxy.cfg", "local/a/haproxy.cfg"}})
	expect(t, got, "local/a/haproxy.cfg:4 error watch-timeout") // what is named is read, once
}

func TestUsage(t *testing.T) {
	in(t, map[string]string{"notes.txt": "hello", "empty/notes.txt": "", "haproxy.cfg": haproxy})
	for name, o := range map[string]lint.Options{
		"missing":        {Paths: []string{"no.cfg"}},
		"unknown format": {Paths: []string{"notes.txt"}},
		"nothing":        {Paths: []string{"empty"}},
		"unknown rule":   {Paths: []string{"haproxy.cfg"}, Rules: []string{"no-rule"}},
		"not disabled":   {Paths: []string{"haproxy.cfg"}, Disable: []string{"no-rule"}},
		"endpoint":       {Paths: []string{"haproxy.cfg"}, Endpoints: []string{"https://"}},
		"version":        {Paths: []string{"haproxy.cfg"}, EtcdVersion: "latest"},
		"stdin":          {Paths: []string{"-"}, Stdin: strings.NewReader("hello")},
	} {
		if _, err := lint.Run(o); !isUsage(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStandardInput(t *testing.T) {
	_, got := run(t, lint.Options{Paths: []string{"-"}, Stdin: strings.NewReader(haproxy), StdinFilename: "haproxy.cfg"})
	expect(t, got, finding)
	_, got = run(t, lint.Options{Paths: []string{"-"}, Stdin: strings.NewReader(minimal)})
	if len(got) != 1 || !strings.HasSuffix(got[0], "check-tcp-only") {
		t.Errorf("got %v", got)
	}
	_, got = run(t, lint.Options{Paths: []string{"lb-1=-"}, Stdin: strings.NewReader(haproxy), StdinFilename: "haproxy.cfg"})
	expect(t, got, finding)
	for _, paths := range [][]string{{"-", "-"}, {"-", "lb-1=-"}} {
		_, err := lint.Run(lint.Options{Paths: paths, Stdin: strings.NewReader(haproxy), StdinFilename: "haproxy.cfg"})
		if !isUsage(err) {
			t.Errorf("%v: %v", paths, err)
		}
	}
}

// An editor lints what is not saved yet: the name tells the language, and what is on disk under it does not count.
func TestSpecOnStandardInput(t *testing.T) {
	in(t, map[string]string{"spec.cue": minimal})
	const yaml = "cluster: {name: prod, members: {m: {address: 10.0.0.1}}}\nloadBalancer: {host: a, hots: a}\n"
	for name, text := range map[string]string{
		"spec.cue":      `cluster: name: "prod", cluster: members: m: address: "10.0.0.1", loadBalancer: {host: "a", hots: "a"}`,
		"new/spec.yaml": yaml,
		"spec.json":     `{"cluster": {"name": "prod", "members": {"m": {"address": "10.0.0.1"}}}, "loadBalancer": {"host": "a", "hots": "a"}}`,
	} {
		for _, paths := range [][]string{{"-"}, {".", "-"}} {
			o := lint.Options{Paths: paths, Stdin: strings.NewReader(text), StdinFilename: name, Rules: []string{"spec"}}
			_, got := run(t, o)
			if len(got) != 1 || !strings.HasPrefix(got[0], name+":") || !strings.HasSuffix(got[0], "spec") {
				t.Errorf("%s: %v", name, got)
			}
		}
	}
}

// An input that no parser should see is refused, with all others still linted.
func TestHostile(t *testing.T) {
	deep := strings.Repeat("{", 1_000_000)
	for name, tc := range map[string]struct{ file, text string }{
		"a line of 100 MB": {"haproxy-big.cfg", "defaults " + strings.Repeat("x", 100<<20)},
		"brackets":         {"nginx-deep.conf", "stream " + deep},
		"HCL brackets":     {"deep.tf", "a = " + deep},
		"HCL operators":    {"deep.tf", "a = " + strings.Repeat("!", 1_000_000)},
		"HCL templates":    {"deep.tf", "a = " + strings.Repeat(`"${`, 1_000_000)},
		"CUE labels":       {"spec.cue", "cluster: members: " + strings.Repeat("a: ", 1_000_000)},
		"CUE labels, down": {"spec.cue", "cluster: members: " + strings.Repeat("a:\n", 1_000_000)},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, map[string]string{"haproxy.cfg": haproxy, tc.file: tc.text})
			_, got := run(t, lint.Options{})
			refused := func(s string) bool { return strings.HasPrefix(s, tc.file+":0 error syntax") }
			if len(got) != 2 || !slices.ContainsFunc(got, refused) {
				t.Errorf("got %v", got)
			}
		})
	}
	t.Run("brackets in YAML", func(t *testing.T) {
		in(t, map[string]string{"haproxy.cfg": haproxy, "a.yaml": "cluster: " + strings.Repeat("[", 1_000_000), "b.json": deep})
		_, got := run(t, lint.Options{})
		expect(t, got, finding)
	})
	t.Run("random bytes", func(t *testing.T) {
		noise := make([]byte, 100_000)
		for i := range noise {
			noise[i] = byte(i*i>>3 ^ i)
		}
		in(t, map[string]string{"haproxy.cfg": haproxy, "a.cue": string(noise), "haproxy-x.cfg": string(noise), "x.tf": "a = " + string(noise)})
		_, got := run(t, lint.Options{})
		if len(got) == 0 || !strings.Contains(strings.Join(got, "\n"), finding) {
			t.Errorf("got %v", got)
		}
	})
}

func TestUnreadable(t *testing.T) {
	in(t, map[string]string{"haproxy.cfg": haproxy})
	for name, to := range map[string]string{"haproxy-loop.cfg": "haproxy-loop.cfg", "notes": "nowhere", "haproxy-gone.cfg": "nowhere"} {
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
	_, got := run(t, lint.Options{})
	expect(t, got, "haproxy-gone.cfg:0 error syntax", "haproxy-loop.cfg:0 error syntax", finding)
	if _, err := lint.Run(lint.Options{Paths: []string{"haproxy-loop.cfg"}}); !isUsage(err) {
		t.Errorf("a named file that cannot be read: %v", err)
	}
}

// A spec that cannot be parsed is no silence: in a folder where its words say what it is, and wherever it is named.
func TestBrokenSpec(t *testing.T) {
	for name, text := range map[string]string{
		"spec.yaml:5":  "cluster:\n  name: a\n  members:\n    m: {address: 10.0.0.1}\n    n: {address: 10.0.0.2\nloadBalancer:\n  host: lb\n",
		"spec.yml:6":   "clusters:\n  eu:\n    cluster:\n      name: a\n    loadBalancer:\n     - host: \"lb\n",
		"spec.json:1":  `{"cluster": {"name": "a"}, "loadBalancer": {"host": "lb"`,
		"spec.cue:2":   "cluster: {name: \"a\", members: {\nloadBalancer: host \"lb\"\n",
		"named.cue:1":  "cluster: {name: \"a\n",
		"named.yaml:0": "cluster: {name: \"a\n",
	} {
		file, line, _ := strings.Cut(name, ":")
		in(t, map[string]string{file: text, "haproxy.cfg": haproxy})
		for _, paths := range [][]string{nil, {file}} {
			res, err := lint.Run(lint.Options{Paths: paths, Rules: []string{"syntax"}})
			if line == "0" || paths == nil && strings.HasPrefix(name, "named") { // nothing says that it is a spec
				if paths == nil && (err != nil || len(res.Diagnostics) > 0) || paths != nil && !isUsage(err) {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if err != nil || len(res.Diagnostics) == 0 || res.Diagnostics[0].Span.File != file || fmt.Sprint(res.Diagnostics[0].Span.Line) != line {
				t.Errorf("%s %v: %v %v", name, paths, err, res)
			}
		}
	}
}

func TestWhichFileIsASpec(t *testing.T) {
	lines := strings.SplitAfter(minimal, "loadBalancer")
	for name, tc := range map[string]struct {
		files map[string]string
		want  string // the file of the spec's one warning, or "" where there is none
	}{
		"a file":     {map[string]string{"a.cue": minimal}, "a.cue"},
		"a package":  {map[string]string{"a.cue": "package x\n" + strings.TrimSuffix(lines[0], "loadBalancer"), "b.cue": "package x\nloadBalancer" + lines[1]}, "b.cue"},
		"yaml":       {map[string]string{"a.yaml": "cluster: {name: p, members: {a: {address: 10.0.0.1}, b: {address: 10.0.0.2}, c: {address: 10.0.0.3}}}\nloadBalancer: {host: lb.example.com}\n"}, "a.yaml"},
		"fleet":      {map[string]string{"a.yaml": "clusters:\n  p:\n    cluster: {members: {a: {address: 10.0.0.1}, b: {address: 10.0.0.2}, c: {address: 10.0.0.3}}}\n    loadBalancer: {host: lb.example.com}\n"}, "a.yaml"},
		"kubeconfig": {map[string]string{"a.yaml": "apiVersion: v1\nkind: Config\nclusters: [{name: a}]\n"}, ""},
		"kubernetes": {map[string]string{"a.cue": "apiVersion: \"x/v1\"\nkind: \"Cluster\"\ncluster: members: 3\nloadBalancer: {}\n"}, ""},
		"other CUE":  {map[string]string{"a.cue": "package y\nx: 1\n"}, ""},
		"other YAML": {map[string]string{"a.yaml": "cluster: a\n"}, ""},
		"two packages": {map[string]string{
			"a.cue": minimal, "b.cue": "package z\ncluster: 1\n",
		}, "a.cue"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.files["haproxy.cfg"] = haproxy
			in(t, tc.files)
			_, got := run(t, lint.Options{Disable: []string{"watch-timeout"}})
			if tc.want == "" {
				expect(t, got)
			} else if len(got) != 1 || !strings.HasPrefix(got[0], tc.want+":") || !strings.HasSuffix(got[0], "warning check-tcp-only") {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestBrokenSpecIsReported(t *testing.T) {
	in(t, map[string]string{"a.cue": strings.Replace(minimal, "10.0.1.10", "10.0.1.300", 1), "haproxy.cfg": haproxy})
	_, got := run(t, lint.Options{})
	expect(t, got, "a.cue:4 error spec", finding)
}

// Several faults of one place are all reported, while one setting that governs several proxies is one finding.
func TestOnePlace(t *testing.T) {
	in(t, map[string]string{
		"a.cue": "cluster: {\n\tname: \"p\"\n\tmembers: {\"a\": address: \"10.0.0.1\"}\n\tx: 1\n\ty: 1\n}\nloadBalancer: {}\ntargets: haproxy: {a: 1, b: 1}\n",
		"b.cue": strings.Replace(minimal, "10.0.1.1", "10.7.7.1", 3) + "loadBalancer: timeouts: idle: \"30s\"\ntargets: {haproxy: {}, nginx: edition: \"plus\"}\n",
	})
	r, _ := run(t, lint.Options{})
	messages := map[string]int{}
	for _, d := range r.Diagnostics {
		messages[d.Span.File+" "+d.Rule]++
	}
	if messages["a.cue spec"] < 4 || messages["b.cue watch-timeout"] != 1 {
		t.Errorf("got %v", messages)
	}
}

func TestHostOfADump(t *testing.T) {
	foreign := strings.NewReplacer("30s", "10m", "10.0.1.1", "10.9.9.1").Replace(haproxy)
	in(t, map[string]string{"a.cue": minimal + "clients: keepalive: \"none\"\n", "haproxy.cfg": foreign})
	o := lint.Options{Paths: []string{"a.cue", "etcd-1=haproxy.cfg"}, Rules: []string{"watch-timeout"}}
	_, got := run(t, o)
	expect(t, got, "haproxy.cfg:4 warning watch-timeout")
	o.Paths[1] = "elsewhere=haproxy.cfg"
	_, got = run(t, o)
	expect(t, got)
}

func TestPlaceholdersAreUnknown(t *testing.T) {
	in(t, map[string]string{"haproxy.cfg.j2": strings.ReplaceAll(haproxy, "30s", "{{ etcd_idle }}")})
	r, got := run(t, lint.Options{})
	expect(t, got)
	if !strings.Contains(r.Summary(), "watch-timeout (") {
		t.Errorf("summary %q does not say what was not judged", r.Summary())
	}
}

// Facts of the spec hold for the files that are about its cluster, and no others.
func TestGroups(t *testing.T) {
	never := minimal + "clients: keepalive: \"none\"\n"
	idle := strings.ReplaceAll(haproxy, "30s", "10m") // too short for clients that never ping
	other := strings.ReplaceAll(idle, "10.0.1.1", "10.9.9.1")
	lone := strings.NewReplacer("    server etcd-2 10.0.1.11:2379\n", "", "    server etcd-3 10.0.1.12:2379\n", "").Replace(idle)
	second := strings.NewReplacer("prod", "second", "10.0.1.1", "10.0.2.1", "etcd-lb", "etcd-lb2").Replace(minimal)
	for name, tc := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"by member":  {map[string]string{"a.cue": never, "haproxy.cfg": idle}, []string{"haproxy.cfg:4 warning watch-timeout"}},
		"not at all": {map[string]string{"a.cue": never, "haproxy.cfg": other}, nil},
		"by manifest": {map[string]string{
			"a.cue": never, "out/.etcdlbgen.json": `{"version":1,"files":{"a/haproxy.cfg":{},"b/haproxy.cfg":{}}}`,
			"out/a/haproxy.cfg": other, "out/b/haproxy.cfg": idle,
		}, []string{"out/a/haproxy.cfg:4 warning watch-timeout", "out/b/haproxy.cfg:4 warning watch-timeout"}},
		"by a shared address, to neither": {map[string]string{
			"a.cue": never, "b.cue": strings.Replace(second, "10.0.2.10", "10.0.1.10", 1), "haproxy.cfg": lone,
		}, nil},
		"the other spec's": {map[string]string{"a.cue": minimal, "b.cue": second + "clients: keepalive: \"none\"\n", "haproxy.cfg": idle}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, tc.files)
			_, got := run(t, lint.Options{Rules: []string{"watch-timeout"}})
			expect(t, got, tc.want...)
		})
	}
}

func TestEndpointOfAnotherClusterIsNotMissed(t *testing.T) {
	in(t, map[string]string{"haproxy.cfg": haproxy, "a.cue": minimal})
	r, _ := run(t, lint.Options{Endpoints: []string{"https://a.example.com:2379,b.example.com:2379"}})
	if !strings.Contains(r.Summary(), "cert-lb-san (no server certificate given)") {
		t.Errorf("summary %q", r.Summary())
	}
}

func TestSummary(t *testing.T) {
	in(t, map[string]string{"haproxy.cfg": haproxy})
	r, _ := run(t, lint.Options{})
	if want := "1 file read; 1 error, 0 warnings. Not judged: cert-lb-san (no server certificate given); " +
		"check-unreachable (where members listen is not known: lint etcd's configuration, too); " +
		"pool-incomplete (which members there are is not known: lint the spec, too)"; r.Summary() != want {
		t.Errorf("got %q, want %q", r.Summary(), want)
	}
}

func TestIncludedFilesAreOneSource(t *testing.T) {
	server := "server { listen 2379; proxy_pass etcd; proxy_timeout 20s; }\n"
	in(t, map[string]string{
		"nginx/nginx.conf":         "events {}\nstream {\n  include stream.d/*.conf;\n}\n",
		"nginx/stream.d/etcd.conf": "upstream etcd { server 10.0.1.10:2379; }\n" + server,
		"nginx/stream.d/x.txt":     server,
		"other/stream.d/etcd.conf": "upstream etcd { server 10.0.1.10:2379; }\n" + server,
	})
	o := lint.Options{Paths: []string{"nginx/nginx.conf"}, Rules: []string{"watch-timeout"}}
	r, got := run(t, o)
	expect(t, got, "nginx/stream.d/etcd.conf:2 error watch-timeout")
	if r.Read != 2 {
		t.Errorf("%d files read, want 2", r.Read)
	}
}

func TestExplain(t *testing.T) {
	var b bytes.Buffer
	if err := lint.ExplainAll(&b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if len(strings.Fields(line)) < 3 {
			t.Errorf("line %q", line)
		}
	}
	if !strings.Contains(b.String(), "watch-timeout") {
		t.Error("watch-timeout is not listed")
	}
}
