package golden

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// issuers issue all certificates of a folder that was built, each to NAME.crt, from ca.crt and ca.crt.key.
var issuers = map[string]func(t *testing.T, dir string) (names []string){
	"step-ca":      issueByStep,
	"cert-manager": issueByCertManager,
}

// What a step-ca and a cert-manager issue of what was built for them, lints clean.
func TestIssuers(t *testing.T) {
	for name, issue := range issuers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, spec := builtWithCA(t, "root_ca.crt", "root_ca.crt.key")
			requests, err := filepath.Glob(filepath.Join(dir, "certificates/openssl/*/*.cnf"))
			if err != nil {
				t.Fatal(err)
			}
			if names := issue(t, dir); len(names) != len(requests) || len(names) == 0 {
				t.Fatalf("%v are issued, but there are %d requests for openssl", names, len(requests))
			}
			r := etcdlbgen(t, ".", "lint", spec, dir, "--fail-on", "warning")
			if strings.Contains(r.stdout+r.stderr, "[cert-") {
				t.Errorf("%s%s", r.stdout, r.stderr)
			}
		})
	}
}

// issueByStep runs the script for each certificate that it lists.
func issueByStep(t *testing.T, dir string) []string {
	t.Helper()
	stand, err := filepath.Abs("testdata/step.sh")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(stand, filepath.Join(dir, "step")); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "certificates/step-ca.sh")
	list, err := exec.Command(script).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Fatalf("%v\n%s", err, list)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^  (\S+/\S+) `).FindAllSubmatch(list, -1) {
		name := string(m[1])
		names = append(names, name)
		file := filepath.Base(name) + ".crt"
		cmd := exec.Command(script, name, file, file+".key")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "CA=root_ca.crt")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	return names
}

// usages are cert-manager's words in OpenSSL's.
var usages = strings.NewReplacer("digital signature", "digitalSignature", "key encipherment", "keyEncipherment",
	"server auth", "serverAuth", "client auth", "clientAuth")

// issueByCertManager issues what the objects say, and nothing of its own.
func issueByCertManager(t *testing.T, dir string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "certificates/cert-manager.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for d := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var object struct {
			Spec struct {
				SecretName  string   `yaml:"secretName"`
				CommonName  string   `yaml:"commonName"`
				DNSNames    []string `yaml:"dnsNames"`
				IPAddresses []string `yaml:"ipAddresses"`
				Usages      []string
			}
		}
		err := d.Decode(&object)
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		s := object.Spec
		names = append(names, s.SecretName)
		args := []string{
			"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90",
			"-subj", "/CN=" + s.CommonName, "-addext", "basicConstraints=CA:FALSE", "-CA", "root_ca.crt", "-CAkey", "root_ca.crt.key",
			"-out", s.SecretName + ".crt", "-keyout", s.SecretName + ".crt.key",
		}
		var sans, keys, extended []string
		for _, name := range s.DNSNames {
			sans = append(sans, "DNS:"+name)
		}
		for _, address := range s.IPAddresses {
			sans = append(sans, "IP:"+address)
		}
		for _, usage := range s.Usages {
			if u := usages.Replace(usage); strings.HasSuffix(u, "Auth") {
				extended = append(extended, u)
			} else {
				keys = append(keys, u)
			}
		}
		for extension, words := range map[string][]string{"subjectAltName": sans, "keyUsage": keys, "extendedKeyUsage": extended} {
			if len(words) > 0 {
				args = append(args, "-addext", extension+"="+strings.Join(words, ","))
			}
		}
		accepted(t, dir, args...)
	}
}
