package ansible

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
)

// Names that YAML or Ansible could take for something else.
const spec = `
cluster: {
	name: "prod"
	members: {
		"1": address: "10.0.1.10"
		"on": address: "10.0.1.11"
		"null": {address: "fd00::12", learner: true}
	}
}
loadBalancer: {
	host: "etcd-lb.example.com"
	vip:  "10.0.1.100"
	aliases: ["etcd"]
	nodes: {"lb-1": address: "10.0.1.101", "0x1": address: "10.0.1.102"}
}
clients: kubeApiServers: ["10.0.2.10", "10.0.1.11"]
targets: ansible: {}
`

func build(t *testing.T, spec string) (map[string]string, diag.List) {
	t.Helper()
	top, options := lowertest.Topology(t, spec, "ansible")
	artifacts, diags := Target.Render(top, options, target.Header{Spec: "spec.cue"})
	files := map[string]string{}
	for _, a := range artifacts {
		files[a.Path] = string(a.Data)
	}
	return files, diags
}

var want = map[string]any{
	"etcd_lb_enabled":              true,
	"etcd_lb_host":                 "etcd-lb.example.com",
	"etcd_lb_port":                 2379,
	"etcd_lb_ip":                   "10.0.1.100",
	"etcd_cert_alt_names":          []any{"etcd-lb.example.com", "etcd"},
	"etcd_cert_alt_ips":            []any{"10.0.1.100"},
	"etcd_access_addresses":        "https://etcd-lb.example.com:2379",
	"etcd_lb_address":              "https://etcd-lb.example.com:2379",
	"etcd_access_addresses_direct": "https://10.0.1.10:2379,https://10.0.1.11:2379",
	"etcd_peer_addresses":          "1=https://10.0.1.10:2380,null=https://[fd00::12]:2380,on=https://10.0.1.11:2380",
}

func TestVariables(t *testing.T) {
	files, diags := build(t, spec)
	var got map[string]any
	if err := yaml.Unmarshal([]byte(files["ansible/group_vars/all/etcd_lb.yml"]), &got); err != nil || len(diags) > 0 {
		t.Fatal(err, diags)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestVariablesOfAnAddressWithoutTLS(t *testing.T) {
	files, _ := build(t, `
cluster: {name: "dev", scheme: "http", members: etcd: address: "10.0.1.10"}
loadBalancer: {vip: "fd00::100", port: 12379}
targets: ansible: {}
`)
	var got map[string]any
	if err := yaml.Unmarshal([]byte(files["ansible/group_vars/all/etcd_lb.yml"]), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"etcd_lb_enabled": true, "etcd_lb_port": 12379, "etcd_lb_ip": "fd00::100",
		"etcd_access_addresses": "http://[fd00::100]:12379", "etcd_lb_address": "http://[fd00::100]:12379",
		"etcd_access_addresses_direct": "http://10.0.1.10:2379", "etcd_peer_addresses": "etcd=http://10.0.1.10:2380",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Ansible itself takes the folder for an inventory: each host in its group, with its address and all variables.
func TestAnsibleReadsTheInventory(t *testing.T) {
	program, err := exec.LookPath("ansible-inventory")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	files, _ := build(t, spec)
	dir := t.TempDir()
	files["ansible.cfg"] = "" // this machine's own says nothing here
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "-i", "ansible/hosts.yml", "--list")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "LC_ALL=C.UTF-8", "ANSIBLE_CONFIG="+filepath.Join(dir, "ansible.cfg"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Meta struct {
			Hostvars map[string]map[string]any
		} `json:"_meta"`
		Etcd    struct{ Hosts []string }
		LB      struct{ Hosts []string } `json:"etcd_lb"`
		Clients struct{ Hosts []string } `json:"etcd-clients"`
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	groups := [][]string{got.Etcd.Hosts, got.LB.Hosts, got.Clients.Hosts}
	if want := [][]string{{"1", "null", "on"}, {"0x1", "lb-1"}, {"kube-apiserver-1", "on"}}; !reflect.DeepEqual(groups, want) {
		t.Errorf("groups %v, want %v", groups, want)
	}
	for host, address := range map[string]string{
		"1": "10.0.1.10", "on": "10.0.1.11", "null": "fd00::12", "lb-1": "10.0.1.101", "0x1": "10.0.1.102", "kube-apiserver-1": "10.0.2.10",
	} {
		vars := got.Meta.Hostvars[host]
		if vars["ansible_host"] != address || vars["etcd_peer_addresses"] != want["etcd_peer_addresses"] {
			t.Errorf("host %s has %v", host, vars)
		}
	}
}

// Ansible would take two machines of one name for one.
func TestMachinesOfOneName(t *testing.T) {
	files, diags := build(t, `
cluster: {name: "prod", members: a: address: "10.0.1.10"}
loadBalancer: {host: "etcd-lb", nodes: a: address: "10.0.1.101"}
targets: ansible: {}
`)
	if len(files) > 0 || !diags.Has(diag.Error) || diags[0].Rule != "unsupported" || diags[0].Span.Line != 3 {
		t.Errorf("files %v, diagnostics %v", files, diags)
	}
}
