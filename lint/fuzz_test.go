package lint_test

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/etcdlbgen/etcdlbgen/generators"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/lint"
	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// One fuzz target a reader, over all that lint does with a file: it is detected, masked, parsed, judged, printed and
// fixed. Whatever the file holds, nothing panics, and what is said points into the text.

func FuzzHAProxy(f *testing.F)    { fuzz(f, "haproxy", "haproxy.cfg") }
func FuzzNGINX(f *testing.F)      { fuzz(f, "nginx", "nginx.conf") }
func FuzzTerraform(f *testing.F)  { fuzz(f, "terraform", "main.tf") }
func FuzzDump(f *testing.F)       { fuzz(f, "iptables", "rules.v4") }
func FuzzScript(f *testing.F)     { fuzz(f, "iptables", "firewall.sh") }
func FuzzNftables(f *testing.F)   { fuzz(f, "nftables", "rules.nft") }
func FuzzPrometheus(f *testing.F) { fuzz(f, "prometheus", "rules.yml") }
func FuzzPEM(f *testing.F)        { fuzz(f, "pem", "server.crt") }
func FuzzEtcd(f *testing.F)       { fuzz(f, "etcd", "etcd.conf.yml") }
func FuzzEtcdUnit(f *testing.F)   { fuzz(f, "etcd", "etcd.service") }
func FuzzKubernetes(f *testing.F) { fuzz(f, "kubernetes", "kube-apiserver.yaml") }
func FuzzKeepalived(f *testing.F) { fuzz(f, "keepalived", "keepalived.conf") }

// fuzz begins with the files of a format in the golden cases.
func fuzz(f *testing.F, format, name string) {
	for _, text := range golden(f, format, filepath.Ext(name)) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		told := map[string]bool{}
		for range 10 {
			r := lintText(t, name, text)
			if r == nil {
				return
			}
			fixed, _ := r.Fix(func(string) bool { return false })
			if len(fixed) == 0 {
				return
			}
			if told[string(text)] {
				t.Fatalf("edits go in a circle:\n%s", text)
			}
			told[string(text)] = true
			syntax := count(r.Diagnostics, "syntax")
			text = fixed[0].Data
			if after := lintText(t, name, text); after == nil || count(after.Diagnostics, "syntax") > syntax {
				t.Fatalf("the fixed file cannot be read:\n%s", text)
			}
		}
		t.Fatalf("there is something to fix for ever:\n%s", text)
	})
}

// golden are the files of a format in the cases of lint, those with the extension first; at least one.
func golden(f *testing.F, format, ext string) (texts [][]byte) {
	f.Helper()
	archives, err := filepath.Glob("../golden/lint/*/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range archives {
		a, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			if t := detected(file); t != nil && t.Name == format && filepath.Ext(file.Name) == ext {
				texts = append(texts, file.Data)
			}
		}
	}
	if len(texts) == 0 {
		f.Fatalf("no case of %s with a file %s", format, ext)
	}
	return texts
}

func detected(file txtar.File) *target.Target {
	for i, t := range generators.Targets {
		if t.Detect != nil && t.Parse != nil && t.Detect(file.Name, file.Data) {
			return &generators.Targets[i]
		}
	}
	return nil
}

// lintText lints a text and checks what is said of it; nil where it is of no known format.
func lintText(t *testing.T, name string, text []byte) *lint.Result {
	t.Helper()
	r, err := lint.Run(lint.Options{
		Paths: []string{"-"}, Stdin: bytes.NewReader(text), StdinFilename: name,
		Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	var usage *schema.UsageError
	if errors.As(err, &usage) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))), "\n")
	for _, d := range r.Diagnostics {
		if d.Rule == "" || d.Message == "" || d.Severity != diag.Error && d.Severity != diag.Warning {
			t.Errorf("unfinished diagnostic %+v", d)
		}
		spans := []diag.Span{d.Span}
		for _, related := range d.Related {
			spans = append(spans, related.Span)
		}
		for _, s := range spans {
			if s.File != name { // an include that names a file which is here
				continue
			}
			if s.Line > len(lines) || s.Line > 0 && s.Col > utf8.RuneCountInString(lines[s.Line-1])+1 {
				t.Errorf("%+v is outside of the text: %s [%s]", s, d.Message, d.Rule)
			}
		}
	}
	if err := diag.Text(io.Discard, r.Diagnostics, r.Source, false); err != nil {
		t.Error(err)
	}
	return r
}

func count(l diag.List, rule string) (n int) {
	for _, d := range l {
		if d.Rule == rule {
			n++
		}
	}
	return n
}
