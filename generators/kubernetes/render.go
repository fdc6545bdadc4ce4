package kubernetes

import (
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// way is one of the two ways from kube-apiserver to etcd.
type way struct {
	folder string
	about  []string
}

// ways are in the order of the spec's dialers.
var ways = []way{
	{"kubernetes/direct", []string{
		"kube-apiserver dials the members. Its etcd client checks each and fails over by itself, so nothing but etcd needs to",
		"be up: take this way wherever kube-apiserver may reach the members (clients.direct in the spec).",
	}},
	{"kubernetes/load-balancer", []string{
		"kube-apiserver dials the load balancer, which knows the members there are, and the members themselves as further",
		"endpoints, since with the load balancer alone the control plane is down whenever that is. The client spreads its",
		"requests over all endpoints and leaves out those that it cannot reach: take this way where only the load balancer is",
		"sure to be reached.",
	}},
}

func render(t *topology.Topology, options *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	var out []target.Artifact
	var diags diag.List
	for i, w := range ways {
		d := t.Dialers[i]
		overrides := overrides(d, options)
		for _, f := range []struct {
			name  string
			about []string
			root  *yaml.Node
		}{
			{"kube-apiserver.yaml", []string{
				"The flags of kube-apiserver that are about etcd, as they stand in its static pod. Take them over into",
				"/etc/kubernetes/manifests/kube-apiserver.yaml, where the rest of it stays as it is: it restarts by itself.",
			}, pod(d, overrides)},
			{"kubeadm.yaml", []string{
				"The part of kubeadm's configuration that is about etcd (kubeadm.k8s.io/v1beta4, Kubernetes 1.31 and later), for",
				"`kubeadm init --config` and `kubeadm init phase control-plane apiserver --config`.",
			}, clusterConfiguration(d, overrides)},
		} {
			head := append(append(append(header.Lines(), ""), f.about...), w.about...)
			text, err := target.YAMLText(head, f.root)
			if err != nil {
				diags.Error(options.At(t.Span), "unsupported", f.name+" cannot be printed: "+err.Error(), "")
			}
			out = append(out, target.Artifact{Path: path.Join(w.folder, f.name), Data: text})
		}
	}
	return out, diags
}

// overrides is the value of --etcd-servers-overrides: each resource with the endpoints of all the rest.
func overrides(d topology.Dialer, options *topology.Tree) string {
	var out []string
	for _, r := range options.Get("overrides").Items() {
		out = append(out, r.Leaf.(string)+"#"+strings.Join(endpoints(d), ";"))
	}
	return strings.Join(out, ",")
}

func endpoints(d topology.Dialer) []string {
	out := make([]string, len(d.Endpoints))
	for i, e := range d.Endpoints {
		out[i] = e.V
	}
	return out
}

// pod is the part of a static pod.
func pod(d topology.Dialer, overrides string) *yaml.Node {
	command := []string{"kube-apiserver", "--etcd-servers=" + strings.Join(endpoints(d), ",")}
	if overrides != "" {
		command = append(command, "--etcd-servers-overrides="+overrides)
	}
	if c := d.Certificate; c.CA.Known() {
		command = append(command, "--etcd-cafile="+c.CA.V, "--etcd-certfile="+c.Cert.V, "--etcd-keyfile="+c.Key.V)
	}
	word := target.YAMLWord
	return target.YAMLMap(
		field("apiVersion", word("v1")),
		field("kind", word("Pod")),
		field("metadata", target.YAMLMap(field("name", word("kube-apiserver")), field("namespace", word("kube-system")))),
		field("spec", target.YAMLMap(field("containers", target.YAMLList(target.YAMLMap(
			field("name", word("kube-apiserver")),
			field("command", target.YAMLStrings(command...)),
		))))),
	)
}

// clusterConfiguration is kubeadm's.
func clusterConfiguration(d topology.Dialer, overrides string) *yaml.Node {
	word, text := target.YAMLWord, target.YAMLString
	external := []target.YAMLEntry{field("endpoints", target.YAMLStrings(endpoints(d)...))}
	if c := d.Certificate; c.CA.Known() {
		external = append(external, field("caFile", text(c.CA.V)), field("certFile", text(c.Cert.V)), field("keyFile", text(c.Key.V)))
	}
	root := []target.YAMLEntry{
		field("apiVersion", word("kubeadm.k8s.io/v1beta4")),
		field("kind", word("ClusterConfiguration")),
		field("etcd", target.YAMLMap(field("external", target.YAMLMap(external...)))),
	}
	if overrides != "" {
		root = append(root, field("apiServer", target.YAMLMap(field("extraArgs", target.YAMLList(target.YAMLMap(
			field("name", text("etcd-servers-overrides")), field("value", text(overrides))))))))
	}
	return target.YAMLMap(root...)
}

func field(key string, value *yaml.Node) target.YAMLEntry {
	return target.YAMLEntry{Key: key, Value: value}
}
