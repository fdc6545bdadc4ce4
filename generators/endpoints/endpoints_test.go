package endpoints

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
)

const minimal = `
cluster: {
	name: "prod"
	members: {
		"etcd-1": address: "10.0.1.10"
		"etcd-2": address: "10.0.1.11"
		"etcd-3": address: "10.0.1.12"
	}
}
loadBalancer: {
	host: "etcd-lb.internal.example.com"
	vip:  "10.0.1.100"
}
`

// load renders a spec and sources the file as a strict shell does; it returns what the shell then has.
func load(t *testing.T, spec string) map[string]string {
	t.Helper()
	top, options := lowertest.Topology(t, spec, "endpoints")
	files, diags := Target.Render(top, options, target.Header{Spec: "spec.cue"})
	if len(diags) > 0 || len(files) != 1 || files[0].Path != "endpoints/endpoints.env" || files[0].Exec {
		t.Fatalf("files %v, diagnostics %v", files, diags)
	}
	file := filepath.Join(t.TempDir(), "endpoints.env")
	if err := os.WriteFile(file, files[0].Data, 0o600); err != nil {
		t.Fatal(err)
	}
	sh := exec.Command("sh", "-u", "-e", "-c", `set -a; . "$0"; env`, file)
	sh.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("sh: %v\n%s", err, out)
	}
	got := variables(string(out))
	// systemd takes what follows the first = as it stands: the shell must see the same.
	if plain := variables(string(files[0].Data)); !maps.Equal(got, plain) {
		t.Errorf("sh reads %v\nwhere the file says %v", got, plain)
	}
	return got
}

func variables(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && strings.HasPrefix(name, "ETCD") {
			out[name] = value
		}
	}
	return out
}

func TestVariables(t *testing.T) {
	tests := map[string]struct {
		spec string
		want map[string]string
	}{
		"minimal": {minimal, map[string]string{
			"ETCD_ACCESS_ADDRESSES":        "https://etcd-lb.internal.example.com:2379",
			"ETCD_LB_ADDRESS":              "https://etcd-lb.internal.example.com:2379",
			"ETCD_ACCESS_ADDRESSES_DIRECT": "https://10.0.1.10:2379,https://10.0.1.11:2379,https://10.0.1.12:2379",
			"ETCD_PEER_ADDRESSES":          "etcd-1=https://10.0.1.10:2380,etcd-2=https://10.0.1.11:2380,etcd-3=https://10.0.1.12:2380",
		}},
		"the load balancer has an address only, and a port of its own": {`
cluster: {name: "v6", scheme: "http", members: "1": address: "fd00::10"}
loadBalancer: {vip: "fd00::100", port: 12379}
targets: endpoints: {}
`, map[string]string{
			"ETCD_ACCESS_ADDRESSES":        "http://[fd00::100]:12379",
			"ETCD_LB_ADDRESS":              "http://[fd00::100]:12379",
			"ETCD_ACCESS_ADDRESSES_DIRECT": "http://[fd00::10]:2379",
			"ETCD_PEER_ADDRESSES":          "1=http://[fd00::10]:2380",
		}},
		"learners are peers and serve nobody, drained members serve whoever asks them": {minimal + `
cluster: members: "etcd-2": drain: true
cluster: members: "etcd-3": learner: true
`, map[string]string{
			"ETCD_ACCESS_ADDRESSES":        "https://etcd-lb.internal.example.com:2379",
			"ETCD_LB_ADDRESS":              "https://etcd-lb.internal.example.com:2379",
			"ETCD_ACCESS_ADDRESSES_DIRECT": "https://10.0.1.10:2379,https://10.0.1.11:2379",
			"ETCD_PEER_ADDRESSES":          "etcd-1=https://10.0.1.10:2380,etcd-2=https://10.0.1.11:2380,etcd-3=https://10.0.1.12:2380",
		}},
		"stated URLs and certificates": {`
cluster: {
	name: "prod"
	members: a: {
		address: "10.0.1.10"
		advertiseClientURLs: ["https://a.example.com:2379"]
		initialAdvertisePeerURLs: ["https://a.example.com:2380", "https://a6.example.com:2380"]
	}
}
loadBalancer: {host: "etcd"}
clients: certificate: {ca: "/etc/etcd/ca.crt", cert: "/etc/etcd/client.crt", key: "/etc/etcd/client.key"}
`, map[string]string{
			"ETCD_ACCESS_ADDRESSES":        "https://etcd:2379",
			"ETCD_LB_ADDRESS":              "https://etcd:2379",
			"ETCD_ACCESS_ADDRESSES_DIRECT": "https://a.example.com:2379",
			"ETCD_PEER_ADDRESSES":          "a=https://a.example.com:2380,a=https://a6.example.com:2380",
			"ETCD_ACCESS_CACERT":           "/etc/etcd/ca.crt",
			"ETCD_ACCESS_CERT":             "/etc/etcd/client.crt",
			"ETCD_ACCESS_KEY":              "/etc/etcd/client.key",
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := load(t, tc.spec); !maps.Equal(got, tc.want) {
				t.Errorf("got  %v\nwant %v", got, tc.want)
			}
		})
	}
}

// etcdctl stops when a variable of its own and a flag both say something, so the file must hold none.
func TestLeavesEtcdctlFlagsFree(t *testing.T) {
	for name := range load(t, minimal) {
		if strings.HasPrefix(name, "ETCDCTL_") {
			t.Errorf("%s: shadows a flag of etcdctl", name)
		}
	}
}
