package kubernetes

import (
	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/process"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// kubeadm reads a ClusterConfiguration: etcd beside each control plane, or elsewhere.
func (r *reader) kubeadm(root *yaml.Node) {
	own := append(r.arguments(target.Field(root, "apiServer", "extraArgs")), r.arguments(target.Field(root, "apiServerExtraArgs"))...)
	d := process.APIServerOf(own, r.Span(root))
	for _, path := range [][]string{{"etcd", "external"}, {"etcd"}} { // the first version had no kinds of etcd
		if external := target.Field(root, path...); target.Field(external, "endpoints") != nil {
			d.Span = r.Span(external)
			r.external(external, &d)
			break
		}
	}
	r.facts.Dialer(d)
	if local := target.Field(root, "etcd", "local"); local != nil {
		own := r.arguments(target.Field(local, "extraArgs"))
		if !own.Has("listen-metrics-urls") {
			own = append(own, process.Setting{Name: "listen-metrics-urls", Value: topology.DefaultAt(metricsURL, r.Span(local))})
		}
		r.facts.Etcd(own, r.Span(local))
	}
}

// external reads where etcd is elsewhere. Extra arguments win over it.
func (r *reader) external(n *yaml.Node, d *topology.Dialer) {
	if len(d.Endpoints) == 0 {
		for _, e := range target.Items(target.Field(n, "endpoints")) {
			d.Endpoints = append(d.Endpoints, process.Plain(r.Text(e)))
		}
	}
	for name, to := range map[string]*topology.Value[string]{
		"caFile": &d.Certificate.CA, "certFile": &d.Certificate.Cert, "keyFile": &d.Certificate.Key,
	} {
		if to.Span == (diag.Span{}) { // no argument
			*to = process.Plain(r.Text(target.Field(n, name)))
		}
	}
}

// metricsURL is where kubeadm lets etcd serve metrics and health.
const metricsURL = "http://127.0.0.1:2381"

// arguments are flags: a mapping, or since v1beta4 a list of names and values.
func (r *reader) arguments(n *yaml.Node) process.Settings {
	var out process.Settings
	n = target.Resolve(n)
	if n != nil && n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			out = append(out, process.Setting{Name: n.Content[i].Value, Value: r.Text(n.Content[i+1])})
		}
	}
	for _, item := range target.Items(n) {
		if name := target.Field(item, "name"); name != nil {
			out = append(out, process.Setting{Name: name.Value, Value: r.Text(target.Field(item, "value"))})
		}
	}
	return out
}
