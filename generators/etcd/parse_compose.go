package etcd

import (
	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/process"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var (
	hasService = pattern.New(`(?m)^\s+(image|build)\s*:`)
	hasServer  = pattern.New(`\b(etcd|kube-apiserver)["',]?\s+-{1,2}[a-z]|--(listen-client-urls|etcd-servers)\b|\bETCD_(NAME|LISTEN|ADVERTISE|INITIAL)`)
)

// compose reads the services of a Compose file; the first version had them at its root.
func compose(f target.File, facts *process.Facts) diag.List {
	y, diags := target.ParseYAML(f, "Compose")
	for _, root := range y.Roots {
		services := target.Resolve(target.Field(root, "services"))
		if services == nil {
			services = root
		}
		if services.Kind != yaml.MappingNode {
			continue
		}
		for i := 1; i < len(services.Content); i += 2 {
			s := services.Content[i]
			if image := target.Field(s, "image"); image != nil {
				facts.Run(service(y, s, y.Text(image)))
			} else if target.Field(s, "build") != nil {
				facts.Run(service(y, s, topology.Value[string]{}))
			}
		}
	}
	return diags
}

// service is how a container is started.
func service(y *target.YAML, n *yaml.Node, image topology.Value[string]) process.Run {
	run := process.Run{Image: image, Env: serviceEnv(y, target.Field(n, "environment")), Span: y.Span(n)}
	for _, key := range []string{"entrypoint", "command"} {
		value := target.Field(n, key)
		if list := target.Items(value); list != nil {
			for _, w := range list {
				run.Words = append(run.Words, y.Text(w))
			}
			continue
		}
		run.Words = append(run.Words, y.Words(value)...)
	}
	if own, _ := process.Variables(run.Env); process.OfImage(image.V) == "" && own.Has("listen-client-urls") {
		run.Program = process.Etcd // another image with etcd in it
	}
	return run
}

// serviceEnv is a mapping, or a list of assignments.
func serviceEnv(y *target.YAML, n *yaml.Node) process.Settings {
	var words []topology.Value[string]
	for _, w := range target.Items(n) {
		words = append(words, y.Text(w))
	}
	return append(mapping(y, n, ""), settings(words)...)
}
