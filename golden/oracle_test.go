package golden

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/etcdlbgen/etcdlbgen/generators"
	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// need looks a real tool up. Where it is absent its tests are skipped, unless in CI, where that is a failure.
func need(t testing.TB, program string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/", "/sbin/"} {
		if path, err := exec.LookPath(dir + program); err == nil {
			return path
		}
	}
	missing(t, program+" is not here")
	return ""
}

// missing ends a test for lack of a tool.
func missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// accepted runs a tool, which must succeed.
func accepted(t testing.TB, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out.Bytes())
	}
}

// TestOracles gives what golden and random specs compile to to the programs that would read it.
func TestOracles(t *testing.T) {
	o := newOracles(t)
	var all []sample
	for _, dir := range cases(t) {
		res, diags, err := schema.Load(schema.Input{Paths: []string{filepath.Join(dir, specOf(t, dir))}})
		if err != nil || diags.Has(diag.Error) {
			t.Fatal(diags, err)
		}
		for _, c := range res.Clusters {
			all = append(all, sample{filepath.Base(dir) + "/" + c.Name.V, c})
		}
	}
	scratch := t.TempDir()
	for range 3 { // a few hundred
		rapid.Check(t, func(rt *rapid.T) {
			c, err := load(scratch, randomSpec(rt))
			if err != nil {
				rt.Fatal(err)
			}
			all = append(all, sample{fmt.Sprintf("random-%d", len(all)), c})
		})
	}
	root := t.TempDir()
	for i, s := range all {
		_, files, diags := generators.Compile(s.cluster, "spec.cue", nil)
		if diags.Has(diag.Error) {
			continue // said to be beyond the target
		}
		dir := filepath.Join(root, fmt.Sprint(i))
		written := map[string]string{}
		for _, f := range files {
			written[f.Path] = o.reachable(t, string(f.Data))
		}
		rewrite(t, dir, written)
		o.check(t, s.name, dir, written, i)
	}
	o.finish(t, root)
}

type sample struct {
	name    string
	cluster *schema.Cluster
}

// oracles are the real tools and what they need around them.
type oracles struct {
	haproxy, nginx, unshare, promtool, terraform, shellcheck string
	certificates                                             string // a folder that holds what configurations load
	pem                                                      []byte
	rules, tests, scripts, restores, routers, rulesets       []string
	shells                                                   map[string]bool
	openssl, key                                             string // the key is a file of one
}

func newOracles(t *testing.T) *oracles {
	o := &oracles{
		haproxy: need(t, "haproxy"), nginx: need(t, "nginx"), unshare: need(t, "unshare"), promtool: need(t, "promtool"),
		terraform: need(t, "terraform"), shellcheck: need(t, "shellcheck"), openssl: need(t, "openssl"),
		certificates: t.TempDir(), pem: certificate(t), shells: map[string]bool{},
	}
	o.key = filepath.Join(o.certificates, "key.pem")
	if err := os.WriteFile(o.key, o.pem, 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

var certificatePath = regexp.MustCompile(`\b(crt|ca-file|\w*ssl_\w*certificate\w*) (/[A-Za-z0-9._@+/-]+)`)

// reachable lets the certificates that HAProxy and NGINX load exist.
func (o *oracles) reachable(t *testing.T, text string) string {
	t.Helper()
	return certificatePath.ReplaceAllStringFunc(text, func(found string) string {
		word, path, _ := strings.Cut(found, " ")
		real := filepath.Join(o.certificates, filepath.Base(path))
		if err := os.WriteFile(real, o.pem, 0o600); err != nil {
			t.Fatal(err)
		}
		return word + " " + real
	})
}

// check asks the tools that take one file at a time.
func (o *oracles) check(t *testing.T, name, dir string, files map[string]string, nth int) {
	t.Helper()
	for path, text := range files {
		full := filepath.Join(dir, path)
		switch {
		case strings.HasPrefix(path, "haproxy/conf.d/"):
			o.haproxyFragment(t, name, full)
		case strings.HasPrefix(path, "haproxy/"):
			accepted(t, dir, o.haproxy, "-c", "-f", full)
		case strings.HasPrefix(path, "nginx/") && !strings.Contains(text, "health_check"):
			o.nginxTest(t, dir, full, text)
		case strings.HasPrefix(path, "nftables/"):
			o.rulesets = append(o.rulesets, full)
		case strings.HasPrefix(path, "keepalived/"):
			o.routers = append(o.routers, full)
		case strings.HasSuffix(path, ".restore"):
			o.restores = append(o.restores, full)
		case strings.HasPrefix(path, "prometheus/rules/"):
			o.rules = append(o.rules, full)
		case strings.HasPrefix(path, "prometheus/tests/"):
			if nth < 30 || nth%8 == 0 { // a second each
				o.tests = append(o.tests, full)
			}
		case strings.HasPrefix(path, "certificates/openssl/"):
			if nth%8 == 0 {
				accepted(t, dir, o.openssl, "req", "-new", "-config", full, "-key", o.key, "-out", os.DevNull)
			}
		case path == "certificates/step-ca.sh":
			if nth%16 == 0 { // no two are alike, and one takes a second
				o.scripts = append(o.scripts, full)
			}
		case strings.HasSuffix(path, ".sh"):
			if plain := regexp.MustCompile(`[0-9]+`).ReplaceAllString(text, "0"); !o.shells[plain] && len(o.scripts) < 12 {
				o.shells[plain] = true
				o.scripts = append(o.scripts, full)
			}
		}
	}
}

// haproxyFragment loads a fragment between two foreign files, whose own defaults must keep their meaning.
func (o *oracles) haproxyFragment(t *testing.T, name, fragment string) {
	t.Helper()
	dir := t.TempDir()
	first, last := filepath.Join(dir, "10.cfg"), filepath.Join(dir, "90.cfg")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(first, "global\n\tmaxconn 100000\ndefaults\n\tmode http\n\ttimeout connect 5s\n\ttimeout client 7s\n\ttimeout server 7s\n"+
		"frontend web\n\tbind 127.0.0.1:18080\n\tdefault_backend web\nbackend web\n\tserver a 127.0.0.1:18081\n")
	// An HTTP rule in the last file is refused when the fragment has turned its section into TCP.
	write(last, "frontend more\n\tbind 127.0.0.1:18082\n\thttp-request deny if { path /private }\n\tdefault_backend web\n")
	cmd := exec.Command(o.haproxy, "-c", "-f", first, "-f", fragment, "-f", last)
	out, err := cmd.CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("more")) {
		t.Fatalf("%s: between foreign files: %v\n%s", name, err, out)
	}
}

func (o *oracles) nginxTest(t *testing.T, dir, config, text string) {
	t.Helper()
	const around = "load_module modules/ngx_stream_module.so;\nworker_rlimit_nofile 400000;\npid /run/nginx.pid;\nevents {}\n" +
		"http { access_log off; server { listen 127.0.0.1:18083; }\n"
	switch {
	case strings.Contains(config, "stream.d"):
		text = around + "}\nstream {\n" + text + "}\n"
	case strings.Contains(config, "http.d"):
		text = around + text + "}\n"
	}
	// What the test opens is below dir, and what it binds in a network of its own.
	text = strings.NewReplacer("/run/nginx.pid", dir+"/nginx.pid", "/var/log/nginx/", dir+"/").Replace(text)
	whole := filepath.Join(dir, "whole.conf")
	if err := os.WriteFile(whole, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	accepted(t, dir, o.unshare, "--map-root-user", "--net", "--mount", "sh", "-c",
		`mount -t tmpfs none /var/lib/nginx; echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind; echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind; exec "$@"`, "sh",
		o.nginx, "-t", "-q", "-c", whole, "-g", "error_log stderr; user root;") // the only user there is
}

// finish asks the tools that take many files at a time.
func (o *oracles) finish(t *testing.T, root string) {
	if len(o.rules) == 0 || len(o.tests) == 0 || len(o.scripts) == 0 || len(o.restores) == 0 || len(o.routers) == 0 || len(o.rulesets) == 0 {
		t.Fatal("no rules, tests, scripts, firewalls or virtual routers were written")
	}
	need(t, "iptables-restore")
	inBatches(o.restores, func(batch []string) {
		accepted(t, root, append([]string{
			o.unshare, "--map-root-user", "--net", "sh", "-c",
			`PATH=$PATH:/usr/sbin:/sbin; set -e; for f; do tool=iptables; case $f in */v6.restore) tool=ip6tables ;; esac
			$tool-restore --noflush --test <"$f" || { echo "$f"; exit 1; }; done`, "sh",
		}, batch...)...)
	})
	need(t, "nft")
	inBatches(o.rulesets, func(batch []string) {
		accepted(t, root, append([]string{
			o.unshare, "--map-root-user", "--net", "sh", "-c",
			`PATH=$PATH:/usr/sbin:/sbin; for f; do nft -c -f "$f" || { echo "$f"; exit 1; }; done`, "sh",
		}, batch...)...)
	})
	need(t, "keepalived")
	need(t, "curl") // whose permissions keepalived checks
	inBatches(o.routers, func(batch []string) {
		accepted(t, root, append([]string{o.unshare, "--net", "sh", "-c", routerTest, "sh"}, batch...)...)
	})
	inBatches(o.rules, func(batch []string) { accepted(t, root, append([]string{o.promtool, "check", "rules"}, batch...)...) })
	inBatches(o.tests, func(batch []string) { accepted(t, root, append([]string{o.promtool, "test", "rules"}, batch...)...) })
	accepted(t, root, append([]string{o.shellcheck}, o.scripts...)...)
	accepted(t, root, o.terraform, "fmt", "-check", "-recursive", "-diff", root)
}

// routerTest gives keepalived files with the interface that each names, one end of a pair. Any word of it is a complaint.
const routerTest = `PATH=$PATH:/usr/sbin:/sbin; set -e; for f; do
	interface=$(awk '$1 == "interface" { print $2; exit }' "$f")
	ip link show "$interface" >/dev/null 2>&1 || ip link add "$interface" type veth
	said=$(keepalived -t -f "$f" 2>&1) && [ -z "$said" ] || { echo "$f: $said"; exit 1; }
done`

// inBatches runs do on both cores, so many files at a time.
func inBatches(files []string, do func([]string)) {
	const size = 20
	var wg sync.WaitGroup
	slots := make(chan struct{}, 2)
	for i := 0; i < len(files); i += size {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(files[i:min(i+size, len(files))])
		})
	}
	wg.Wait()
}

// certificate is a self-signed one with its key, good enough for tools that only load it.
func certificate(t testing.TB) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
}
