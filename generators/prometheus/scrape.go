package prometheus

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// withoutEtcd is the comment where no way to etcd's metrics is known.
var withoutEtcd = []string{
	"",
	"etcd itself is not watched: its client port wants a client certificate, and its metrics have no port",
	"of their own. Set cluster.metrics.port, or clients.certificate.",
}

// proxyScrapes and memberScrapes split the jobs: the first one is HAProxy's where HAProxy is a target.
func proxyScrapes(t *topology.Topology) []topology.Scrape {
	if len(t.Scrapes) > 0 && balancer(t) != nil && !isProbe(t.Scrapes[0]) {
		return t.Scrapes[:1]
	}
	return nil
}

func memberScrapes(t *topology.Topology) []topology.Scrape {
	return slices.DeleteFunc(slices.Clone(t.Scrapes[len(proxyScrapes(t)):]), isProbe)
}

func probeScrapes(t *topology.Topology) []topology.Scrape {
	return slices.DeleteFunc(slices.Clone(t.Scrapes), func(s topology.Scrape) bool { return !isProbe(s) })
}

func isProbe(s topology.Scrape) bool { return s.Module.Known() }

// balancer is the HAProxy of the cluster, or nil.
func balancer(t *topology.Topology) *topology.Proxy {
	i := slices.IndexFunc(t.Proxies, func(p topology.Proxy) bool { return p.Target == "haproxy" })
	if i < 0 {
		return nil
	}
	return &t.Proxies[i]
}

func scrapeFile(t *topology.Topology, header target.Header) []byte {
	head := append(header.Lines(), "",
		"Load it with scrape_config_files (Prometheus 2.43 and later). The .json file beside it holds the same",
		"targets for a file_sd_configs of your own; that job must then hold what TLS needs.")
	if len(memberScrapes(t)) == 0 {
		head = append(head, withoutEtcd...)
	}
	d := newDocument(2<<10, head...)
	d.list("scrape_configs", func() {
		for _, s := range proxyScrapes(t) {
			d.next()
			d.comment(proxyComment(s)...)
			d.scrape("haproxy-etcd-"+t.Name.V, s)
		}
		for _, s := range memberScrapes(t) {
			d.next()
			d.comment("etcd's members.")
			if s.Certificate.CA.Known() {
				d.comment("The certificate files are on Prometheus' machine.")
			}
			d.scrape("etcd-"+t.Name.V, s)
		}
		for _, s := range probeScrapes(t) {
			d.next()
			d.comment("A blackbox exporter asks etcd as clients do; its module is in ../blackbox.")
			d.probe(s.Job.V+"-"+s.Labels["via"], s)
		}
	})
	return d.out.Bytes()
}

// proxyComment says what a job's targets need, one line each.
func proxyComment(s topology.Scrape) []string {
	lines := []string{"HAProxy's built-in exporter."}
	switch {
	case len(s.Targets) == 0:
		lines = append(lines, "HAProxy runs on each client's machine: list those here.")
	case loopback(s.Targets[0].V):
		lines = append(lines, "It listens on loopback, for a Prometheus or an agent on HAProxy's own machine; set",
			"monitoring.networks for one elsewhere.")
	}
	return lines
}

func loopback(endpoint string) bool {
	a, err := netip.ParseAddrPort(endpoint)
	return err == nil && a.Addr().IsLoopback()
}

// scrape is one job. Its name is unique over clusters; the job label may be one of the user's.
func (d *document) scrape(job string, s topology.Scrape) {
	labels := labelsOf(s.Labels)
	if s.Job.V != job {
		labels.set("job", s.Job.V)
	}
	d.text("job_name", job)
	d.text("scheme", s.Scheme.V)
	d.text("metrics_path", s.Path.V)
	if c := s.Certificate; c.CA.Known() || c.Cert.Known() || c.Key.Known() {
		d.mapping("tls_config", func() { d.certificate(c) })
	}
	d.list("static_configs", func() {
		d.next()
		d.texts("targets", endpoints(s)...)
		d.labelled("labels", labels)
	})
}

func (d *document) certificate(c topology.KeyPair) {
	for _, file := range []struct {
		key  string
		path topology.Value[string]
	}{{"ca_file", c.CA}, {"cert_file", c.Cert}, {"key_file", c.Key}} {
		if file.path.Known() {
			d.text(file.key, file.path.V)
		}
	}
}

// endpoints are a job's targets.
func endpoints(s topology.Scrape) []string {
	out := make([]string, len(s.Targets))
	for i, endpoint := range s.Targets {
		out[i] = endpoint.V
	}
	return out
}

// discovered is a target group of file_sd_configs.
type discovered struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// discoveryFile holds the jobs for file_sd_configs: one job with it may read all clusters, as the labels say what each
// target needs but for TLS.
func discoveryFile(t *topology.Topology) []byte {
	groups := []discovered{}
	for _, s := range slices.Concat(proxyScrapes(t), memberScrapes(t)) {
		labels := map[string]string{"job": s.Job.V, "__scheme__": s.Scheme.V, "__metrics_path__": s.Path.V}
		maps.Copy(labels, s.Labels)
		groups = append(groups, discovered{Targets: endpoints(s), Labels: labels})
	}
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(groups); err != nil {
		panic(fmt.Sprintf("strings do not encode: %v", err)) // cannot happen
	}
	return []byte(out.String())
}
