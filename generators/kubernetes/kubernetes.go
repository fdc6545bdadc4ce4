// Package kubernetes writes how kube-apiserver reaches etcd, as flags and as kubeadm's configuration, and reads the
// manifests of etcd and of its clients.
package kubernetes

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/process"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Target is manifests.
var Target = target.Target{
	Name:    name,
	Doc:     "how kube-apiserver reaches etcd: its flags and kubeadm's configuration; reads manifests of etcd and etcdctl, too",
	Render:  render,
	Detect:  detect,
	Parse:   parse,
	Facts:   topology.FDialers,
	Comment: "#",
}

const name = "kubernetes"

var (
	hasPods    = pattern.New(`(?m)(^|[\s"-])(containers|initContainers)"?:`)
	hasKind    = pattern.New(`(?m)^\s*"?kind"?:\s*"?(Pod|Deployment|DaemonSet|StatefulSet|ReplicaSet|Job|CronJob|List)\b`)
	hasProgram = pattern.New(`\b(etcd|etcdctl|kube-apiserver)\b`)
	hasKubeadm = pattern.New(`(?m)^\s*"?kind"?:\s*"?(Cluster|Master)Configuration\b`)

	kubeadmKinds = []string{"ClusterConfiguration", "MasterConfiguration"} // the latter until Kubernetes 1.12
)

func detect(file string, head []byte) bool {
	switch target.Extension(file) {
	case ".yaml", ".yml", ".json", ".manifest":
		return hasKubeadm.Match(head) || (hasPods.Match(head) || hasKind.Match(head)) && hasProgram.Match(head)
	}
	return false
}

// reader gathers what the runs of a file say.
type reader struct {
	*target.YAML
	facts *process.Facts
	seen  map[*yaml.Node]bool // containers
	words int                 // that may still be read
}

// maxWords is how many words of command lines are read of a file, more than any has that is no attack.
const maxWords = 20000

func parse(src target.Source) (*topology.Topology, diag.List) {
	t := &topology.Topology{Format: name, Span: diag.Span{File: src.Path}}
	var facts process.Facts
	var diags diag.List
	for _, f := range src.Files {
		y, more := target.ParseYAML(f, "Kubernetes")
		diags = append(diags, more...)
		facts.Written, facts.Branches = f.At, f.Branches()
		r := reader{y, &facts, map[*yaml.Node]bool{}, maxWords}
		for _, root := range y.Roots {
			if kind := target.Field(root, "kind"); kind != nil && slices.Contains(kubeadmKinds, kind.Value) {
				r.kubeadm(root)
				continue
			}
			r.pods(root)
		}
	}
	facts.Fill(t)
	return t, diags
}

// pods finds the containers below a node, whatever kind of object they are part of.
func (r *reader) pods(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		for _, list := range []string{"initContainers", "containers"} {
			for _, c := range r.items(target.Field(n, list)) {
				r.container(c)
			}
		}
	}
	for _, c := range n.Content {
		r.pods(c)
	}
}

// container reads what a container runs: its command, and what its probes and hooks start.
func (r *reader) container(n *yaml.Node) {
	if n.Kind != yaml.MappingNode || r.seen[n] {
		return
	}
	r.seen[n] = true
	var env process.Settings
	for _, v := range r.items(target.Field(n, "env")) {
		if name := target.Field(v, "name"); name != nil {
			env = append(env, process.Setting{Name: name.Value, Value: r.Text(target.Field(v, "value"))})
		}
	}
	name := r.Text(target.Field(n, "name"))
	r.run(process.Run{
		Program: process.Known(name.V),
		Image:   r.Text(target.Field(n, "image")),
		Env:     env,
		Span:    r.Span(n),
	}, target.Field(n, "command"), target.Field(n, "args"))
	for _, probe := range [][]string{
		{"livenessProbe"}, {"readinessProbe"}, {"startupProbe"}, {"lifecycle", "postStart"}, {"lifecycle", "preStop"},
	} {
		if command := target.Field(n, append(probe, "exec", "command")...); command != nil {
			r.run(process.Run{Span: r.Span(command)}, command)
		}
	}
}

// items are the entries of a list, none where too many were read already: aliases may repeat a list without end.
func (r *reader) items(n *yaml.Node) []*yaml.Node {
	if n = target.Resolve(n); n == nil || len(n.Content) > r.words {
		return nil
	}
	r.words -= len(n.Content)
	return target.Items(n)
}

// run reads the words of lists as one command line.
func (r *reader) run(run process.Run, lists ...*yaml.Node) {
	for _, list := range lists {
		for _, w := range r.items(list) {
			lines := r.Lines(w)
			if len(lines) > 1 {
				run.Words = append(run.Words, process.Script(lines)...)
				r.words -= len(lines)
			} else if len(lines) == 1 && lines[0].Known() {
				run.Words = append(run.Words, lines[0])
			}
		}
	}
	r.facts.Run(run)
}
