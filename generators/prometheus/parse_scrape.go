package prometheus

import (
	"maps"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// scrapes are the jobs of a configuration, of a file for scrape_config_files, or of a bare list.
func (r reader) scrapes(root *yaml.Node) []topology.Scrape {
	jobs := target.Items(root)
	if root.Kind == yaml.MappingNode {
		jobs = target.Items(target.Field(root, "scrape_configs"))
	}
	var out []topology.Scrape
	for _, job := range jobs {
		if target.Field(job, "job_name") != nil {
			out = append(out, r.scrape(job))
		}
	}
	return out
}

func (r reader) scrape(n *yaml.Node) topology.Scrape {
	s := topology.Scrape{
		Job:    r.text(target.Field(n, "job_name")),
		Scheme: r.textOr(target.Field(n, "scheme"), "http", n),
		Path:   r.textOr(target.Field(n, "metrics_path"), "/metrics", n),
		Certificate: topology.KeyPair{
			CA:   r.text(target.Field(n, "tls_config", "ca_file")),
			Cert: r.text(target.Field(n, "tls_config", "cert_file")),
			Key:  r.text(target.Field(n, "tls_config", "key_file")),
		},
		Span: r.span(n),
	}
	if v := r.text(target.Field(n, "tls_config", "insecure_skip_verify")); v.Known() {
		s.Insecure = topology.SetAt(v.V == "true", v.Span)
	}
	r.probe(&s, n)
	for i, static := range target.Items(target.Field(n, "static_configs")) {
		for _, endpoint := range target.Items(target.Field(static, "targets")) {
			s.Targets = append(s.Targets, r.endpoint(endpoint))
		}
		labels := r.labels(target.Field(static, "labels"))
		if i == 0 {
			s.Labels = labels
			continue
		}
		maps.DeleteFunc(s.Labels, func(name, value string) bool { return labels[name] != value })
	}
	if job, ok := s.Labels["job"]; ok {
		s.Job.V = job
		delete(s.Labels, "job")
	}
	return s
}

// probe reads what makes a job one of an exporter that probes: a module, and an address in the place of the targets.
func (r reader) probe(s *topology.Scrape, n *yaml.Node) {
	if modules := target.Items(target.Field(n, "params", "module")); len(modules) == 1 {
		s.Module = r.text(modules[0])
	}
	for _, c := range target.Items(target.Field(n, "relabel_configs")) {
		if label := target.Field(c, "target_label"); label != nil && label.Value == "__address__" {
			s.Exporter = r.text(target.Field(c, "replacement"))
		}
	}
}

// endpoint is a target. One with a template in it is unknown.
func (r reader) endpoint(n *yaml.Node) topology.Value[string] {
	v := r.text(n)
	if strings.Contains(v.V, opening) {
		return topology.UnknownAt[string](v.Span)
	}
	return v
}
