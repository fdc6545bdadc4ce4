package golden

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// command is one of the commands at the head of a request.
var command = regexp.MustCompile(`(?m)^#   (openssl .*)$`)

// TestCertificates issues certificates by the commands that the requests tell, from a small CA, and lints them with the
// spec: nothing is amiss, unless a request is changed.
func TestCertificates(t *testing.T) {
	for name, tc := range map[string]struct{ old, new, want string }{
		"as built":              {"", "", ""},
		"no load balancer name": {"= etcd-lb.internal.example.com", "= another.example.com", "cert-lb-san"},
		"no load balancer VIP":  {"= 10.0.1.100", "= 10.0.1.99", "cert-lb-san"},
		"no address":            {"= 10.0.1.11", "= 10.0.1.99", "cert-member-san"},
		"no loopback":           {"= 127.0.0.1", "= 127.0.0.2", "cert-member-san"},
		"no client":             {"serverAuth, clientAuth", "serverAuth", "cert-client-auth"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, spec := builtWithCA(t, "ca.crt", "ca.key")
			broken := filepath.Join(dir, "certificates/openssl/members/etcd-2.cnf")
			data, err := os.ReadFile(broken)
			if err != nil || !strings.Contains(string(data), tc.old) {
				t.Fatal(err, "nothing to change")
			}
			if err := os.WriteFile(broken, []byte(strings.Replace(string(data), tc.old, tc.new, 1)), 0o644); err != nil {
				t.Fatal(err)
			}
			lintIssued(t, dir, spec, tc.want)
			if tc.want == "" {
				shown(t, dir, spec)
			}
		})
	}
}

// builtWithCA is a folder that a spec is built into, with a small CA in it.
func builtWithCA(t *testing.T, cert, key string) (dir, spec string) {
	t.Helper()
	openssl := need(t, "openssl")
	dir, spec = t.TempDir(), filepath.Join("build/full", specOf(t, "build/full"))
	if r := etcdlbgen(t, ".", "build", spec, "-o", dir); r.code != 0 {
		t.Fatal(r.stderr)
	}
	accepted(t, dir, openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test CA",
		"-keyout", key, "-out", cert, "-days", "1000")
	return dir, spec
}

// shown compares the issued certificates with what show says that they hold.
func shown(t *testing.T, dir, spec string) {
	t.Helper()
	r := etcdlbgen(t, ".", "show", "sans", "--format", "json", spec)
	var report struct {
		Clusters []struct {
			Facts []struct {
				Holder, CommonName    string
				DNSNames, IPAddresses []string
			}
		}
	}
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil || len(report.Clusters) != 1 || len(report.Clusters[0].Facts) < 6 {
		t.Fatalf("%v\n%s", err, r.stdout)
	}
	for _, want := range report.Clusters[0].Facts {
		data, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(want.Holder, "/", "-")+".crt"))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(data)
		issued, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		var addresses []string
		for _, a := range issued.IPAddresses {
			addresses = append(addresses, netip.MustParseAddr(a.String()).String())
		}
		for i, a := range want.IPAddresses {
			want.IPAddresses[i] = netip.MustParseAddr(a).String()
		}
		if issued.Subject.CommonName != want.CommonName || !slices.Equal(issued.DNSNames, want.DNSNames) || !slices.Equal(addresses, want.IPAddresses) {
			t.Errorf("%s: show says %q, %v and %v, the certificate holds %q, %v and %v", want.Holder,
				want.CommonName, want.DNSNames, want.IPAddresses, issued.Subject.CommonName, issued.DNSNames, addresses)
		}
	}
}

// lintIssued issues all certificates and compares what lint finds.
func lintIssued(t *testing.T, dir, spec, want string) {
	t.Helper()
	requests, err := filepath.Glob(filepath.Join(dir, "certificates/openssl/*/*.cnf"))
	if err != nil || len(requests) == 0 {
		t.Fatal(err, "no requests")
	}
	for _, file := range requests {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		commands := command.FindAllStringSubmatch(string(data), -1)
		if len(commands) != 2 {
			t.Fatalf("%s: %d commands", file, len(commands))
		}
		for _, c := range commands {
			accepted(t, dir, "sh", "-c", c[1])
		}
	}
	issued, err := filepath.Glob(filepath.Join(dir, "*.crt"))
	if err != nil || len(issued) != len(requests)+1 {
		t.Fatalf("%d certificates of %d requests and the CA; %v", len(issued), len(requests), err)
	}
	// The CA by the name under which the spec has it.
	if err := os.Rename(filepath.Join(dir, "ca.crt"), filepath.Join(dir, "root_ca.crt")); err != nil {
		t.Fatal(err)
	}
	r := etcdlbgen(t, ".", "lint", spec, dir, "--fail-on", "warning")
	found := regexp.MustCompile(`\[(cert-[a-z-]+)\]`).FindAllStringSubmatch(r.stdout+r.stderr, -1)
	switch {
	case want == "" && len(found) > 0:
		t.Errorf("lint finds\n%s%s", r.stdout, r.stderr)
	case want != "" && (len(found) != 1 || found[0][1] != want):
		t.Errorf("lint finds %v, want %s\n%s%s", found, want, r.stdout, r.stderr)
	case want == "" && strings.Contains(r.stderr, "cert-"):
		t.Errorf("certificates were not judged: %s", r.stderr)
	}
}
