package schema

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

var stated = regexp.MustCompile(`Default: (.+?)\.(?: |$)`)

// TestDefaultsAreStated compares the comments of the schema with the table that holds.
func TestDefaultsAreStated(t *testing.T) {
	s, err := spec()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	var visit func(sh *shape, path string)
	visit = func(sh *shape, path string) {
		if sh.elem != nil && !sh.list {
			visit(sh.elem, path+"*.")
		}
		for _, f := range sh.fields {
			if m := stated.FindStringSubmatch(f.doc + " "); m != nil {
				found[path+f.name] = m[1]
			}
			visit(f.shape, path+f.name+".")
		}
	}
	visit(s.def("#Spec"), "")
	for path, v := range defaults {
		if found[path] != quote(v) {
			t.Errorf("%s: the comment says %q, the table %s", path, found[path], quote(v))
		}
	}
	for path := range found {
		if _, ok := defaults[path]; !ok {
			t.Errorf("%s: the comment states a default that the table lacks", path)
		}
	}
}

// TestSchemaHoldsTypesOnly: a default or condition in the schema would hide what the user left out.
func TestSchemaHoldsTypesOnly(t *testing.T) {
	for i, line := range strings.Split(string(Source), "\n") {
		code, _, _ := strings.Cut(line, "//")
		if regexp.MustCompile(`(^|[:|(\s])\*["0-9a-z]|\bif\b|\blist\.|#\w+\?:\s*_`).MatchString(code) {
			t.Errorf("line %d: %s", i+1, line)
		}
	}
}

// TestBackstop: what the three phases accept, CUE's own validation against the schema accepts as well.
func TestBackstop(t *testing.T) {
	specs, err := filepath.Glob("../golden/build/*/spec.*")
	if err != nil || len(specs) < 10 {
		t.Fatalf("want the golden specs, have %v %v", specs, err)
	}
	for _, path := range specs {
		res, diags, err := Load(Input{Paths: []string{path}})
		if err != nil || diags.Has(diag.Error) || len(res.Clusters) == 0 {
			t.Errorf("%s: %v %v", path, diags, err)
			continue
		}
		ctx := cuecontext.New()
		whole := ctx.CompileBytes(Source).LookupPath(cue.ParsePath(map[bool]string{false: "#Spec", true: "#Fleet"}[res.Fleet]))
		l := &loader{in: Input{Paths: []string{path}}, src: &sources{files: map[string]*source{}}, ctx: ctx}
		v, err := l.load()
		if err != nil {
			t.Fatal(err)
		}
		if res.Fleet { // whose entries are complete only with the defaults
			v = v.LookupPath(cue.ParsePath("defaults"))
			whole = whole.LookupPath(cue.MakePath(cue.Str("defaults").Optional()))
			if err := whole.Unify(v).Validate(); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		if err := whole.Unify(v).Validate(cue.Concrete(true)); err != nil {
			t.Errorf("%s: CUE refuses what we accept: %v", path, err)
		}
	}
}

func TestUsage(t *testing.T) {
	empty, dir := t.TempDir(), t.TempDir()
	path, other := filepath.Join(dir, "spec.cue"), filepath.Join(dir, "hosts")
	for _, p := range []string{path, other} {
		if err := os.WriteFile(p, []byte(holds), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, in := range map[string]Input{
		"missing file": {Paths: []string{path + "x"}},
		"unknown tag":  {Paths: []string{path}, Tags: []string{"env=prod"}},
		"tag alone":    {Paths: []string{path}, Tags: []string{"env"}},
		"other name":   {Paths: []string{other}},
		"no CUE":       {Paths: []string{empty}},
		"no package":   {Paths: []string{dir}},
	} {
		_, _, err := Load(in)
		var usage *UsageError
		if !errors.As(err, &usage) {
			t.Errorf("%s: want a usage error, have %v", name, err)
			continue
		}
		if rest, _ := strings.CutPrefix(usage.Message, in.Paths[0]); strings.Contains(rest, dir) {
			t.Errorf("%s: repeats the path: %s", name, usage.Message)
		}
	}
}

func TestInputs(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("pkg/a.cue", "package etcd\n"+strings.Split(holds, "loadBalancer")[0])
	write("pkg/b.cue", "package etcd\nloadBalancer: vip: \"10.0.1.100\"\n")
	cueFile := write("spec.cue", "_env: *\"dev\" | string @tag(env)\ncluster: {name: _env, members: m: address: string}\nloadBalancer: host: \"lb\"\n")
	jsonFile := write("members.json", `{"cluster": {"members": {"m": {"address": "10.0.0.7"}}}}`)
	yamlFile := write("spec.yaml", "cluster:\n  name: prod\n  members:\n    m: {address: \"10.0.0.7\"}\nloadBalancer: {host: LB.Example.com.}\n")
	wideFile := write("wide.cue", "\xff\xfe"+strings.Join(strings.Split(holds, ""), "\x00")+"\x00")
	markedFile := write("marked.json", "\ufeff"+`{"cluster": {"members": {"m": {"address": "10.0.0.8"}}}}`)
	directiveFile := write("directive.yml", "%YAML 1.1\n---\ncluster:\n  name: prod\n  members: {m: {address: 10.0.0.7}}\nloadBalancer: {host: lb}\n")
	for name, c := range map[string]struct {
		in   Input
		want string
	}{
		"package folder": {Input{Paths: []string{filepath.Join(dir, "pkg")}}, "prod 10.0.1.10 pkg"},
		"several":        {Input{Paths: []string{cueFile, jsonFile}, Tags: []string{"env=stage"}}, "stage 10.0.0.7 spec.cue"},
		"yaml":           {Input{Paths: []string{yamlFile}}, "prod 10.0.0.7 spec.yaml"},
		"standard input": {Input{Paths: []string{"-", "-"}, Stdin: strings.NewReader(holds)}, "prod 10.0.1.10 standard input"},
		"UTF-16":         {Input{Paths: []string{wideFile}}, "prod 10.0.1.10 wide.cue"},
		"marked JSON":    {Input{Paths: []string{markedFile, cueFile}, Tags: []string{"env=stage"}}, "stage 10.0.0.8 marked.json"},
		"YAML directive": {Input{Paths: []string{directiveFile}}, "prod 10.0.0.7 directive.yml"},
	} {
		t.Run(name, func(t *testing.T) {
			res, diags, err := Load(c.in)
			if name == "yaml" { // a final dot is no part of the allow-list
				if !diags.Has(diag.Error) {
					t.Error("a host with a final dot is accepted")
				}
				return
			}
			if err != nil || len(res.Clusters) != 1 {
				t.Fatal(diags, err)
			}
			got := fmt.Sprintf("%s %s %s", res.Clusters[0].Name.V, res.Clusters[0].Etcd.Members[0].Address.V, res.Name)
			if got != c.want {
				t.Errorf("want %s, have %s", c.want, got)
			}
		})
	}
}

// TestFleetDefaults: an entry wins over the shared value, leaf by leaf, and a list is a leaf.
func TestFleetDefaults(t *testing.T) {
	res, diags := loadText(t, "spec.cue", `
defaults: {
	cluster: ports: {client: 2479, peer: 2480}
	loadBalancer: timeouts: {idle: "2h", connect: "2s"}
	clients: networks: ["10.0.0.0/8", "10.1.0.0/16"]
	targets: {haproxy: metricsPort: 9000, prometheus: {}}
}
clusters: {
	us: {
		cluster: {members: a: address: "10.0.0.2", ports: client: 2579}
		loadBalancer: {host: "us", timeouts: idle: "6h"}
		clients: networks: ["10.2.0.0/16"]
	}
	eu: {cluster: members: a: address: "10.0.0.1", loadBalancer: host: "eu"}
}
`)
	if len(diags) > 0 || !res.Fleet || len(res.Clusters) != 2 {
		t.Fatal(diags)
	}
	var got []string
	for _, c := range res.Clusters {
		got = append(got, fmt.Sprintln(c.Name.V, c.Etcd.ClientPort.V, c.Etcd.PeerPort.V, c.LoadBalancer.Idle.V, c.LoadBalancer.Connect.V,
			len(c.Clients.Networks), c.Targets["haproxy"].Get("metricsPort").Leaf, len(c.Targets)))
	}
	want := "eu 2479 2480 2h0m0s 2s 2 9000 2\nus 2579 2480 6h0m0s 2s 1 9000 2\n"
	if strings.Join(got, "") != want {
		t.Errorf("want\n%s\nhave\n%s", want, strings.Join(got, ""))
	}
}

// TestSpelling: what a place would admit in another spelling says how.
func TestSpelling(t *testing.T) {
	for text, want := range map[string]string{
		`cluster: version: 3.6`:              `"3.6"`,
		`cluster: ports: client: "2379"`:     "write 2379, without quotes",
		`cluster: ports: client: 2379.0`:     "",
		`cluster: ports: client: "70000"`:    "",
		`cluster: auth: "yes"`:               "write true, without quotes",
		`cluster: members: m: drain: "off"`:  "write false, without quotes",
		`loadBalancer: timeouts: idle: 3600`: `"3600s"`,
		`loadBalancer: vip6: null`:           "leave it out",
	} {
		_, diags := loadText(t, "spec.cue", holds+text+"\n")
		if len(diags) != 1 || (diags[0].Hint == "") != (want == "") || !strings.Contains(diags[0].Hint, want) {
			t.Errorf("%s: want the hint %q, have %+v", text, want, diags)
		}
	}
}

// TestModule: what is wrong in a file that the spec imports, or in its module's own, stands there, by the path from here.
func TestModule(t *testing.T) {
	for name, c := range map[string]struct{ module, lib, at, message string }{
		"syntax of a package": {"language: version: \"v0.9.0\"", "Host: [", "app/a.cue:2", "expected ']'"},
		"value of a package":  {"language: version: \"v0.9.0\"", "Host: \"a b\"", "lib/l.cue:2", "need a DNS name"},
		"module file":         {"garbage {", "Host: \"a\"", "cue.mod/module.cue:2", "invalid module file"},
		"future language":     {"language: version: \"v0.99.0\"", "Host: \"a\"", "app:1", "too new"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for file, text := range map[string]string{
				"cue.mod/module.cue": "module: \"example.com/m@v0\"\n" + c.module + "\n",
				"lib/l.cue":          "package lib\n" + c.lib + "\n",
				"app/a.cue": "package app\nimport \"example.com/m/lib\"\n" +
					"cluster: {name: \"a\", members: m: address: \"10.0.0.1\"}\nloadBalancer: host: lib.Host\n",
			} {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			_, diags, err := Load(Input{Paths: []string{"app"}})
			if err != nil || len(diags) != 1 {
				t.Fatal(diags, err)
			}
			at := fmt.Sprintf("%s:%d", diags[0].Span.File, diags[0].Span.Line)
			if at != c.at || !strings.Contains(diags[0].Message, c.message) {
				t.Errorf("want %s %q, have %s %q", c.at, c.message, at, diags[0].Message)
			}
			for _, r := range diags[0].Related {
				if filepath.IsAbs(r.Span.File) {
					t.Errorf("an absolute path: %s", r.Span.File)
				}
			}
		})
	}
}

// TestGiveUp: what loading does not end for is a diagnostic, whatever it waits for.
func TestGiveUp(t *testing.T) {
	never, end := io.Pipe()
	defer end.Close()
	giveUp := make(chan string, 1)
	giveUp <- "enough"
	res, diags, err := Load(Input{Paths: []string{"-"}, Stdin: never, GiveUp: giveUp})
	if err != nil || !res.GivenUp || len(diags) != 1 || diags[0].Message != "enough" || len(res.Files()) > 0 {
		t.Errorf("%+v, %v, %v", res, diags, err)
	}
}

// TestScrambled: where very much is no CUE the parser, which would take long, is not asked.
func TestScrambled(t *testing.T) {
	for text, want := range map[string]int{
		"cluster: name: \"a\"\n":                      -1,
		"a: 1\n" + strings.Repeat("%\n", 20):          -1, // the parser tells each
		"a: 1\n" + strings.Repeat("%\n", 21):          5,
		"a: \"\n" + strings.Repeat("b: 'c\n", 10_000): 3,
		"a: 1\x00": 4,
	} {
		at, fault := Scrambled([]byte(text))
		if fault == "" {
			at = -1
		}
		if at != want {
			t.Errorf("%.20q: at %d, want %d: %s", text, at, want, fault)
		}
	}
}
