package certificates

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const spec = `
cluster: {
	name: "prod"
	members: {
		"1": {address: "10.0.1.10", address6: "fd00::10", hostname: "Etcd-1.example.com"}
		client: {address: "10.0.1.11", advertiseClientURLs: ["https://other.example.com:2379", "https://10.0.7.7:2379"]}
		"etcd-3": {address: "fd00::12", learner: true}
	}
}
loadBalancer: {
	host: "etcd-lb.example.com"
	vip:  "10.0.1.100"
	healthCheck: certificate: {ca: "/etc/lb/ca.crt", cert: "/etc/lb/check.crt", key: "/etc/lb/check.crt.key"}
}
clients: {
	kubeApiServers: ["10.0.2.10"]
	certificate: {ca: "/etc/c/ca.crt", cert: "/etc/c/c.crt", key: "/etc/c/c.key"}
}
targets: certificates: {}
`

// build returns the files by path.
func build(t *testing.T, spec string) (*topology.Topology, map[string]target.Artifact) {
	t.Helper()
	top, options := lowertest.Topology(t, spec, "certificates")
	artifacts, diags := Target.Render(top, options, target.Header{Spec: "spec.cue"})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	files := map[string]target.Artifact{}
	for _, a := range artifacts {
		files[a.Path] = a
	}
	return top, files
}

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return path
}

func TestRequired(t *testing.T) {
	top, _ := build(t, spec)
	want := []struct {
		holder, name string
		usages, sans []string
	}{
		{"members/1", "1", []string{"serverAuth", "clientAuth"}, []string{
			"etcd-1.example.com", "etcd-lb.example.com", "localhost", "10.0.1.10", "fd00::10", "10.0.1.100", "127.0.0.1", "::1",
		}},
		{"members/client", "client", []string{"serverAuth", "clientAuth"}, []string{
			"other.example.com", "etcd-lb.example.com", "localhost", "10.0.1.11", "10.0.7.7", "10.0.1.100", "127.0.0.1",
		}},
		{"members/etcd-3", "etcd-3", []string{"serverAuth", "clientAuth"}, []string{
			"etcd-lb.example.com", "localhost", "fd00::12", "10.0.1.100", "::1",
		}},
		{"load-balancer/check", "etcd-lb-check", []string{"clientAuth"}, nil},
		{"clients/kube-apiserver", "kube-apiserver-etcd-client", []string{"clientAuth"}, nil},
		{"clients/client", "etcd-client", []string{"clientAuth"}, nil},
	}
	if len(top.Required) != len(want) {
		t.Fatalf("%d certificates, want %d", len(top.Required), len(want))
	}
	for i, w := range want {
		r := top.Required[i]
		if r.Holder.Path() != w.holder || r.Name != w.name || !slices.Equal(r.Usages(), w.usages) || !slices.Equal(r.SANs(), w.sans) {
			t.Errorf("got %s %s %v %v\nwant %v", r.Holder.Path(), r.Name, r.Usages(), r.SANs(), w)
		}
	}
}

// Where the load balancer ends TLS, clients meet its certificate, and members' ones need hold nothing of it.
func TestRequiredOfTermination(t *testing.T) {
	top, _ := build(t, `
cluster: {name: "prod", members: a: address: "10.0.1.10"}
loadBalancer: {
	host: "etcd-lb.example.com", vip: "10.0.1.100", mode: "termination"
	termination: {
		certificate: {cert: "/etc/lb/lb.crt", key: "/etc/lb/lb.crt.key"}
		clientCA: "/etc/lb/ca.crt"
		backendCertificate: {cert: "/etc/lb/etcd.crt", key: "/etc/lb/etcd.crt.key"}
	}
}
targets: {haproxy: {}, certificates: {}}
`)
	var got []string
	for _, r := range top.Required {
		got = append(got, strings.Join(slices.Concat([]string{r.Holder.Path(), r.Files.Cert.V}, r.Usages(), r.SANs()), " "))
	}
	want := []string{
		"members/a  serverAuth clientAuth localhost 10.0.1.10 127.0.0.1",
		"load-balancer/server /etc/lb/lb.crt serverAuth etcd-lb.example.com 10.0.1.100",
		"load-balancer/etcd /etc/lb/etcd.crt clientAuth",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// openssl makes of each file a request that carries what is required.
func TestOpenSSL(t *testing.T) {
	openssl := program(t, "openssl")
	top, files := build(t, spec)
	dir := t.TempDir()
	for _, r := range top.Required {
		a := files["certificates/openssl/"+r.Holder.Path()+".cnf"]
		file := filepath.Join(dir, "request.cnf")
		if err := os.WriteFile(file, a.Data, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(openssl, "req", "-new", "-config", file, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
			"-nodes", "-keyout", filepath.Join(dir, "key")).Output()
		if err != nil {
			t.Fatalf("%s: %v", a.Path, err)
		}
		block, _ := pem.Decode(out)
		request, err := x509.ParseCertificateRequest(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		var sans []string
		sans = append(sans, request.DNSNames...)
		for _, ip := range request.IPAddresses {
			sans = append(sans, ip.String())
		}
		if request.Subject.CommonName != r.Name || !slices.Equal(sans, r.SANs()) {
			t.Errorf("%s: requests %s %v\nwant %s %v", a.Path, request.Subject.CommonName, sans, r.Name, r.SANs())
		}
	}
}

// The script hands step what is required, and what it is given itself.
func TestStep(t *testing.T) {
	top, files := build(t, spec)
	dir := t.TempDir()
	a := files["certificates/step-ca.sh"]
	script := filepath.Join(dir, "step-ca.sh")
	recorder := "#!/bin/sh\nprintf '%s\\n' \"$@\"\n"
	for file, text := range map[string]string{script: string(a.Data), filepath.Join(dir, "step"): recorder} {
		if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(program(t, "shellcheck"), script).CombinedOutput(); err != nil || !a.Exec {
		t.Errorf("%v\n%s", err, out)
	}
	run := func(args ...string) (string, error) {
		cmd := exec.Command(script, args...)
		cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, r := range top.Required {
		out, err := run(r.Holder.Path(), "a.crt", "a.key", "--not-after=24h")
		if err != nil {
			t.Fatal(err, out)
		}
		want := []string{"ca", "certificate"}
		for _, san := range r.SANs() {
			want = slices.Insert(want, 2, "--san", san)
		}
		want = append(want, "--not-after=24h", r.Name, "a.crt", "a.key")
		if got := strings.Fields(out); !slices.Equal(got, want) {
			t.Errorf("step is given %v\nwant %v", got, want)
		}
	}
	for _, args := range [][]string{nil, {"members/1"}, {"members/9", "a.crt", "a.key"}} {
		out, err := run(args...)
		if err == nil || !strings.Contains(out, "members/etcd-3") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// The schema is that of cert-manager's own definition.
func TestCertManager(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("testdata/certificate.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	top, files := build(t, spec)
	dec := yaml.NewDecoder(bytes.NewReader(files["certificates/cert-manager.yaml"].Data))
	names := map[string]bool{}
	for _, r := range top.Required {
		var object map[string]any
		if err := dec.Decode(&object); err != nil {
			t.Fatal(err)
		}
		plain, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Error(err)
		}
		var got struct {
			Spec struct {
				SecretName  string
				CommonName  string
				DNSNames    []string `json:"dnsNames"`
				IPAddresses []string `json:"ipAddresses"`
				Usages      []string
			}
		}
		if err := json.Unmarshal(plain, &got); err != nil {
			t.Fatal(err)
		}
		usages := []string{"digital signature", "key encipherment"}
		for _, u := range r.Usages() {
			usages = append(usages, map[string]string{"serverAuth": "server auth", "clientAuth": "client auth"}[u])
		}
		s := got.Spec
		if s.CommonName != r.Name || !slices.Equal(slices.Concat(s.DNSNames, s.IPAddresses), r.SANs()) || !reflect.DeepEqual(s.Usages, usages) {
			t.Errorf("%+v\nwant %s %v %v", s, r.Name, r.SANs(), usages)
		}
		names[s.SecretName] = true
	}
	if len(names) != len(top.Required) {
		t.Errorf("%d secrets for %d certificates", len(names), len(top.Required))
	}
}

func TestNothingToIssue(t *testing.T) {
	top, options := lowertest.Topology(t, `
cluster: {name: "dev", scheme: "http", members: etcd: address: "10.0.1.10"}
loadBalancer: host: "etcd-lb.example.com"
targets: certificates: {}
`, "certificates")
	files, diags := Target.Render(top, options, target.Header{Spec: "spec.cue"})
	if len(files) > 0 || len(diags) != 1 || diags[0].Rule != "unsupported" || diags[0].Span.Line != 4 {
		t.Errorf("files %v, diagnostics %v", files, diags)
	}
}
