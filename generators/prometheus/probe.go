package prometheus

import (
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// probe is a job that has an exporter ask the targets: what is scraped is the exporter, what is probed its parameter.
func (d *document) probe(job string, s topology.Scrape) {
	labels := labelsOf(s.Labels)
	labels.set("job", s.Job.V)
	d.text("job_name", job)
	d.text("scheme", s.Scheme.V)
	d.text("metrics_path", s.Path.V)
	d.mapping("params", func() { d.texts("module", s.Module.V) })
	d.list("static_configs", func() {
		d.next()
		d.texts("targets", endpoints(s)...)
		d.labelled("labels", labels)
	})
	d.list("relabel_configs", func() {
		d.next()
		d.texts("source_labels", "__address__")
		d.text("target_label", "__param_target")
		d.next()
		d.texts("source_labels", "__param_target")
		d.text("target_label", "instance")
		d.next()
		d.text("target_label", "__address__")
		d.text("replacement", s.Exporter.V)
	})
}

// modulesFile is what the exporter needs to know. What is asked decides how: of a host and port, nothing but TLS.
func modulesFile(t *topology.Topology, s topology.Scrape, header target.Header) []byte {
	head := append(header.Lines(), "",
		"Add the module to the configuration of the blackbox exporter, which reads one file only.")
	if t.Clients.Certificate.CA.Known() {
		head = append(head, "The certificate files are on the exporter's machine.")
	}
	d := newDocument(1<<10, head...)
	d.mapping("modules", func() {
		d.mapping(s.Module.V, func() {
			if strings.Contains(s.Targets[0].V, "://") {
				d.asks(t)
			} else {
				d.connects(t)
			}
		})
	})
	return d.out.Bytes()
}

// asks is an HTTP probe.
func (d *document) asks(t *topology.Topology) {
	d.text("prober", "http")
	d.text("timeout", "5s")
	d.mapping("http", func() {
		d.text("method", "GET")
		d.flag("follow_redirects", false)
		if t.Etcd.Scheme.V == "https" {
			d.flag("fail_if_not_ssl", true)
			d.mapping("tls_config", func() { d.certificate(t.Clients.Certificate) })
		}
	})
}

// connects is a probe of TLS alone.
func (d *document) connects(t *topology.Topology) {
	d.text("prober", "tcp")
	d.text("timeout", "5s")
	d.mapping("tcp", func() {
		d.flag("tls", true)
		d.mapping("tls_config", func() { d.certificate(t.Clients.Certificate) })
	})
}
