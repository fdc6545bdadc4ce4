package ansible

import (
	"fmt"
	"testing"

	"cuelang.org/go/cue/parser"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/raise"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func TestIsInventory(t *testing.T) {
	for _, c := range []struct {
		path, text string
		want       bool
	}{
		{"hosts", "[etcd]\na\n", true},
		{"hosts.ini", "web1\n[etcd:children]\nx\n", true},
		{"etcd.service", "[Unit]\n[Service]\n", false},
		{"etcd", "[Service]\nExecStart=etcd\n", false},
		{"ansible.cfg", "[defaults]\n", false},
		{"hosts.yml", "all:\n  hosts:\n    a:\n", true},
		{"compose.yml", "services:\n  etcd:\n    image: x\n", false},
		{"hosts.yml", "all: [", false},
	} {
		if got := IsInventory(c.path, []byte(c.text)); got != c.want {
			t.Errorf("%s %q: want %v, have %v", c.path, c.text, c.want, got)
		}
	}
}

// TestVariablesByNearness: a host's own variables count before its group's, and these before those of all.
func TestVariablesByNearness(t *testing.T) {
	files := []target.File{
		{Path: "hosts", Data: []byte("[etcd]\na ip=10.0.0.1\nb\nc\n[etcd:vars]\netcd_version=3.5.9\n")},
		{Path: "group_vars/all.yml", Data: []byte("ip: 10.0.0.9\netcd_version: 3.4.0\netcd_metrics_port: 2381\n")},
		{Path: "group_vars/etcd/main.yml", Data: []byte("ip: 10.0.0.8\n")},
		{Path: "host_vars/b.yml", Data: []byte("ip: 10.0.0.2\n")},
	}
	got, diags := Read(files)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	var addrs []string
	for _, m := range got.Etcd.Members {
		addrs = append(addrs, m.Name.V+"="+m.Address.V.String())
	}
	if want := "[a=10.0.0.1 b=10.0.0.2 c=10.0.0.8]"; fmt.Sprint(addrs) != want {
		t.Errorf("want %s, have %v", want, addrs)
	}
	if got.Etcd.Version.V != "3.5.9" || got.Etcd.MetricsPort.V != 2381 {
		t.Errorf("want 3.5.9 and 2381, have %v and %v", got.Etcd.Version, got.Etcd.MetricsPort)
	}
}

// FuzzRead: whatever an inventory holds, reading it ends, and a spec made of it is CUE.
func FuzzRead(f *testing.F) {
	f.Add("[etcd]\netcd[01:03] ansible_host=10.0.0.1 # x\n[lb:children]\netcd\n[all:vars]\netcd_lb_ip=10.0.0.9\n", "etcd_lb_host: a.example.com\n")
	f.Add("all: &a\n  children:\n    etcd: *a\n  hosts: {a: {ip: 10.0.0.1}}\n", "etcd_cert_alt_names: [a, b]\n")
	f.Fuzz(func(t *testing.T, hosts, variables string) {
		for _, name := range []string{"hosts", "hosts.yml"} {
			got, _ := Read([]target.File{{Path: name, Data: []byte(hosts)}, {Path: "group_vars/all.yml", Data: []byte(variables)}})
			draft, err := raise.Spec(&topology.Group{Sources: []*topology.Topology{got}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parser.ParseFile("spec.cue", draft.Text); err != nil {
				t.Errorf("%v\n%s", err, draft.Text)
			}
		}
	})
}
