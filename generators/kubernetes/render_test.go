package kubernetes_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/kubernetes"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
)

const spec = `
cluster: {
	name: "prod"
	members: {
		"etcd-1": address: "10.0.1.10"
		"etcd-2": {address: "10.0.1.11", drain: true}
		"etcd-3": address: "10.0.1.12"
		"etcd-4": {address: "10.0.1.13", learner: true}
	}
}
loadBalancer: host: "etcd-lb.example.com"
clients: certificate: {ca: "/etc/c/ca.crt", cert: "/etc/c/c.crt", key: "/etc/c/c.key"}
targets: kubernetes: overrides: ["/events", "coordination.k8s.io/leases"]
`

func build(t *testing.T, spec string) map[string][]byte {
	t.Helper()
	top, options := lowertest.Topology(t, spec, "kubernetes")
	artifacts, diags := kubernetes.Target.Render(top, options, target.Header{Spec: "spec.cue"})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	files := map[string][]byte{}
	for _, a := range artifacts {
		files[a.Path] = a.Data
	}
	return files
}

// strict decodes a file whose fields must all be known.
func strict(t *testing.T, data []byte, to any) {
	t.Helper()
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(to); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
}

// clusterConfiguration is the part of kubeadm's type of that name, v1beta4, that is about etcd.
type clusterConfiguration struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Etcd       struct {
		External struct {
			Endpoints []string
			CAFile    string `yaml:"caFile"`
			CertFile  string `yaml:"certFile"`
			KeyFile   string `yaml:"keyFile"`
		}
	}
	APIServer struct {
		ExtraArgs []struct{ Name, Value string } `yaml:"extraArgs"`
	} `yaml:"apiServer"`
}

// pod is the part of a Pod that a static pod of kube-apiserver needs here.
type pod struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name, Namespace string }
	Spec       struct {
		Containers []struct {
			Name    string
			Command []string
		}
	}
}

func TestBothWays(t *testing.T) {
	files := build(t, spec)
	const direct = "https://10.0.1.10:2379 https://10.0.1.11:2379 https://10.0.1.12:2379"
	for folder, servers := range map[string]string{
		"kubernetes/direct":        direct,
		"kubernetes/load-balancer": "https://etcd-lb.example.com:2379 " + direct,
	} {
		endpoints := strings.Fields(servers)
		own := strings.Join(endpoints, ";")
		overrides := "/events#" + own + ",coordination.k8s.io/leases#" + own
		var c clusterConfiguration
		strict(t, files[folder+"/kubeadm.yaml"], &c)
		e := c.Etcd.External
		if c.APIVersion != "kubeadm.k8s.io/v1beta4" || c.Kind != "ClusterConfiguration" || !slices.Equal(e.Endpoints, endpoints) ||
			e.CAFile != "/etc/c/ca.crt" || e.CertFile != "/etc/c/c.crt" || e.KeyFile != "/etc/c/c.key" ||
			len(c.APIServer.ExtraArgs) != 1 || c.APIServer.ExtraArgs[0].Name != "etcd-servers-overrides" || c.APIServer.ExtraArgs[0].Value != overrides {
			t.Errorf("%s: kubeadm has %+v", folder, c)
		}
		var p pod
		strict(t, files[folder+"/kube-apiserver.yaml"], &p)
		want := []string{
			"kube-apiserver", "--etcd-servers=" + strings.Join(endpoints, ","), "--etcd-servers-overrides=" + overrides,
			"--etcd-cafile=/etc/c/ca.crt", "--etcd-certfile=/etc/c/c.crt", "--etcd-keyfile=/etc/c/c.key",
		}
		if p.Kind != "Pod" || len(p.Spec.Containers) != 1 || p.Spec.Containers[0].Name != "kube-apiserver" {
			t.Fatalf("%+v", p)
		}
		if d := cmp.Diff(want, p.Spec.Containers[0].Command); d != "" {
			t.Errorf("%s: %s", folder, d)
		}
	}
	if len(files) != 4 {
		t.Errorf("files %v", slices.Sorted(maps.Keys(files)))
	}
}

// Without certificates and resources apart there are no flags for them.
func TestPlain(t *testing.T) {
	files := build(t, `
cluster: {name: "dev", scheme: "http", members: etcd: address: "10.0.1.10"}
loadBalancer: {host: "localhost", placement: "local", port: 12379}
targets: kubernetes: {}
`)
	var p pod
	strict(t, files["kubernetes/load-balancer/kube-apiserver.yaml"], &p)
	if got := p.Spec.Containers[0].Command; !slices.Equal(got, []string{"kube-apiserver", "--etcd-servers=http://localhost:12379,http://10.0.1.10:2379"}) {
		t.Errorf("command %q", got)
	}
	var c clusterConfiguration
	strict(t, files["kubernetes/direct/kubeadm.yaml"], &c)
	if e := c.Etcd.External; !slices.Equal(e.Endpoints, []string{"http://10.0.1.10:2379"}) || e.CAFile != "" || c.APIServer.ExtraArgs != nil {
		t.Errorf("kubeadm has %+v", c)
	}
}

// What kubeadm is given beside the external etcd wins over it, as in kubeadm.
func TestExtraArgumentsWin(t *testing.T) {
	top := read(t, `apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
etcd: {external: {endpoints: ["https://10.0.1.10:2379"], caFile: /a, certFile: /b, keyFile: /c}}
apiServer:
  extraArgs:
  - {name: etcd-servers, value: "https://10.0.1.11:2379,https://10.0.1.12:2379"}
  - {name: etcd-cafile, value: /d}
`)
	if len(top.Dialers) != 1 {
		t.Fatalf("%d clients", len(top.Dialers))
	}
	d := top.Dialers[0]
	if texts(d.Endpoints) != "https://10.0.1.11:2379 https://10.0.1.12:2379" || d.Certificate.CA.V != "/d" || d.Certificate.Key.V != "/c" {
		t.Errorf("%+v", d)
	}
}
