package etcd

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
)

const minimal = `
cluster: {
	name: "prod"
	members: {
		"etcd-1": address: "10.0.1.10"
		"etcd-2": address: "10.0.1.11"
	}
}
loadBalancer: host: "etcd-lb.internal.example.com"
targets: {haproxy: {}, etcd: {}}
`

func build(t *testing.T, spec string) (map[string]string, diag.List) {
	t.Helper()
	top, options := lowertest.Topology(t, spec, "etcd")
	files, diags := Target.Render(top, options, target.Header{Spec: "spec.cue"})
	out := map[string]string{}
	for _, f := range files {
		out[f.Path] = string(f.Data)
	}
	return out, diags
}

// source returns what a strict shell has after loading a file, and fails unless systemd, which takes what follows the
// first = as it stands, would have the same.
func source(t *testing.T, text string) map[string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "member.env")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sh := exec.Command("sh", "-u", "-e", "-c", `set -a; . "$0"; env`, file)
	sh.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("sh: %v\n%s", err, out)
	}
	got := variables(string(out))
	if plain := variables(text); !maps.Equal(got, plain) {
		t.Errorf("sh reads %v\nwhere the file says %v", got, plain)
	}
	return got
}

func variables(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && strings.HasPrefix(name, "ETCD_") {
			out[name] = value
		}
	}
	return out
}

func TestOneFileAMember(t *testing.T) {
	files, diags := build(t, minimal)
	if len(diags) > 0 || len(files) != 3 || files["etcd/etcd-1.env"] == "" || files["etcd/etcd-2.env"] == "" {
		t.Fatalf("files %v, diagnostics %v", files, diags)
	}
	want := map[string]string{
		"ETCD_NAME":                        "etcd-2",
		"ETCD_LISTEN_CLIENT_URLS":          "https://10.0.1.11:2379,https://127.0.0.1:2379",
		"ETCD_ADVERTISE_CLIENT_URLS":       "https://10.0.1.11:2379",
		"ETCD_LISTEN_PEER_URLS":            "https://10.0.1.11:2380",
		"ETCD_INITIAL_ADVERTISE_PEER_URLS": "https://10.0.1.11:2380",
		"ETCD_GRPC_KEEPALIVE_INTERVAL":     "10m",
		"ETCD_GRPC_KEEPALIVE_TIMEOUT":      "20s",
	}
	if got := source(t, files["etcd/etcd-2.env"]); !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// Each case adds to the minimal spec; want is what the file of etcd-1 then says, "" for nothing.
func TestFlags(t *testing.T) {
	tests := map[string]struct {
		more string
		want map[string]string
	}{
		"the health check asks at the member's address": {`cluster: metrics: port: 2381`, map[string]string{
			"ETCD_LISTEN_METRICS_URLS": "http://10.0.1.10:2381",
		}},
		"HTTP on a port of its own": {`cluster: ports: clientHTTP: 2382`, map[string]string{
			"ETCD_LISTEN_CLIENT_HTTP_URLS": "https://10.0.1.10:2382",
		}},
		"two families": {`cluster: {members: "etcd-1": address6: "fd00::10", metrics: port: 2381}`, map[string]string{
			"ETCD_LISTEN_CLIENT_URLS":    "https://10.0.1.10:2379,https://[fd00::10]:2379,https://127.0.0.1:2379,https://[::1]:2379",
			"ETCD_ADVERTISE_CLIENT_URLS": "https://10.0.1.10:2379",
			"ETCD_LISTEN_METRICS_URLS":   "http://10.0.1.10:2381,http://[fd00::10]:2381",
		}},
		"stated URLs": {`cluster: members: "etcd-1": {
			advertiseClientURLs: ["https://etcd-1.example.com:2379"]
			initialAdvertisePeerURLs: ["https://etcd-1.example.com:2380"]
		}`, map[string]string{
			"ETCD_LISTEN_PEER_URLS":            "https://10.0.1.10:2380",
			"ETCD_ADVERTISE_CLIENT_URLS":       "https://etcd-1.example.com:2379",
			"ETCD_INITIAL_ADVERTISE_PEER_URLS": "https://etcd-1.example.com:2380",
		}},
		"a proxy on the member's machine has the port on loopback": {`loadBalancer: placement: "local"`, map[string]string{
			"ETCD_LISTEN_CLIENT_URLS": "https://10.0.1.10:2379",
		}},
		"a local proxy on another port leaves loopback to etcd": {`loadBalancer: {placement: "local", port: 12379}`, map[string]string{
			"ETCD_LISTEN_CLIENT_URLS": "https://10.0.1.10:2379,https://127.0.0.1:2379",
		}},
		"client certificates": {`cluster: tls: trustedCAFile: "/etc/etcd/ca.crt"`, map[string]string{
			"ETCD_CLIENT_CERT_AUTH": "true",
			"ETCD_TRUSTED_CA_FILE":  "/etc/etcd/ca.crt",
		}},
		"nothing is said of client certificates": {``, map[string]string{
			"ETCD_CLIENT_CERT_AUTH": "", "ETCD_TRUSTED_CA_FILE": "",
		}},
		"plaintext has no certificates": {`cluster: {scheme: "http", tls: clientCertAuth: true}`, map[string]string{
			"ETCD_CLIENT_CERT_AUTH": "", "ETCD_LISTEN_CLIENT_URLS": "http://10.0.1.10:2379,http://127.0.0.1:2379",
		}},
		"pings come three times within the idle timeout": {`loadBalancer: timeouts: idle: "5m"`, map[string]string{
			"ETCD_GRPC_KEEPALIVE_INTERVAL": "1m40s",
		}},
		"clients that ping fast are not cut off": {`clients: keepalive: "2s"`, map[string]string{
			"ETCD_GRPC_KEEPALIVE_MIN_TIME": "2s",
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			files, diags := build(t, minimal+tc.more)
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			got := source(t, files["etcd/etcd-1.env"])
			for variable, want := range tc.want {
				if got[variable] != want {
					t.Errorf("%s is %q, want %q", variable, got[variable], want)
				}
			}
		})
	}
}

func TestTrustedCAWithoutCertAuthIsReported(t *testing.T) {
	files, diags := build(t, minimal+`cluster: tls: {clientCertAuth: false, trustedCAFile: "/etc/etcd/ca.crt"}`)
	got := source(t, files["etcd/etcd-1.env"])
	if got["ETCD_CLIENT_CERT_AUTH"] != "false" || got["ETCD_TRUSTED_CA_FILE"] != "" {
		t.Errorf("etcd would demand certificates all the same: %v", got)
	}
	if len(diags) != 1 || diags[0].Rule != "unsupported" || diags[0].Span.Line == 0 {
		t.Errorf("diagnostics %v, want one at the spec's line", diags)
	}
}
