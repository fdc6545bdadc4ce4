package prometheus

import (
	"maps"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// scrapes are the jobs of a configuration, of a file for scrape_config_files, or of a bare list.
func (r reader) scrapes(root *yaml.Node) []topology.Scrape {
	jobs := items(root)
	if root.Kind == yaml.MappingNode {
		jobs = items(field(root, "scrape_configs"))
	}
	var out []topology.Scrape
	for _, job := range jobs {
		if field(job, "job_name") != nil {
			out = append(out, r.scrape(job))
		}
	}
	return out
}

func (r reader) scrape(n *yaml.Node) topology.Scrape {
	s := topology.Scrape{
		Job:    r.text(field(n, "job_name")),
		Scheme: r.textOr(field(n, "scheme"), "http", n),
		Path:   r.textOr(field(n, "metrics_path"), "/metrics", n),
		Certificate: topology.KeyPair{
			CA:   r.text(field(n, "tls_config", "ca_file")),
			Cert: r.text(field(n, "tls_config", "cert_file")),
			Key:  r.text(field(n, "tls_config", "key_file")),
		},
		Span: r.span(n),
	}
	if v := r.text(field(n, "tls_config", "insecure_skip_verify")); v.Known() {
		s.Insecure = topology.SetAt(v.V == "true", v.Span)
	}
	for i, static := range items(field(n, "static_configs")) {
		for _, endpoint := range items(field(static, "targets")) {
			s.Targets = append(s.Targets, r.endpoint(endpoint))
		}
		labels := r.labels(field(static, "labels"))
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

// endpoint is a target. One with a template in it is unknown.
func (r reader) endpoint(n *yaml.Node) topology.Value[string] {
	v := r.text(n)
	if strings.Contains(v.V, opening) {
		return topology.UnknownAt[string](v.Span)
	}
	return v
}
