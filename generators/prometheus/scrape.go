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
	if len(t.Scrapes) > 0 && balancer(t) != nil {
		return t.Scrapes[:1]
	}
	return nil
}

func memberScrapes(t *topology.Topology) []topology.Scrape { return t.Scrapes[len(proxyScrapes(t)):] }

// balancer is the HAProxy of the cluster, or nil.
func balancer(t *topology.Topology) *topology.Proxy {
	i := slices.IndexFunc(t.Proxies, func(p topology.Proxy) bool { return p.Target == "haproxy" })
	if i < 0 {
		return nil
	}
	return &t.Proxies[i]
}

func scrapeFile(t *topology.Topology, header target.Header) []byte {
	var jobs []node
	for _, s := range proxyScrapes(t) {
		job := scrapeNode("haproxy-etcd-"+t.Name.V, s)
		job.comment = proxyComment(s)
		jobs = append(jobs, job)
	}
	for _, s := range memberScrapes(t) {
		job := scrapeNode("etcd-"+t.Name.V, s)
		job.comment = []string{"etcd's members."}
		if s.Certificate.CA.Known() {
			job.comment = append(job.comment, "The certificate files are on Prometheus' machine.")
		}
		jobs = append(jobs, job)
	}
	head := append(header.Lines(), "",
		"Load it with scrape_config_files (Prometheus 2.43 and later). The .json file beside it holds the same",
		"targets for a file_sd_configs of your own; that job must then hold what TLS needs.")
	if len(memberScrapes(t)) == 0 {
		head = append(head, withoutEtcd...)
	}
	return document(mapping(pair{"scrape_configs", sequence(jobs...)}), head...)
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

// scrapeNode is one job. Its name is unique over clusters; the job label may be one of the user's.
func scrapeNode(job string, s topology.Scrape) node {
	labels := maps.Clone(s.Labels)
	if s.Job.V != job {
		labels["job"] = s.Job.V
	}
	return mapping(
		pair{"job_name", text(job)},
		pair{"scheme", text(s.Scheme.V)},
		pair{"metrics_path", text(s.Path.V)},
		pair{"tls_config", tlsNode(s.Certificate)},
		pair{"static_configs", sequence(mapping(
			pair{"targets", targetsNode(s)},
			pair{"labels", labelsNode(labels)},
		))},
	)
}

func targetsNode(s topology.Scrape) node {
	var targets []node
	for _, endpoint := range s.Targets {
		targets = append(targets, text(endpoint.V))
	}
	return sequence(targets...)
}

func labelsNode(labels map[string]string) node {
	var pairs []pair
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, pair{name, text(labels[name])})
	}
	return mapping(pairs...)
}

// tlsNode is absent where no file is known.
func tlsNode(c topology.KeyPair) node {
	var pairs []pair
	for _, file := range []struct {
		key  string
		path topology.Value[string]
	}{{"ca_file", c.CA}, {"cert_file", c.Cert}, {"key_file", c.Key}} {
		if file.path.Known() {
			pairs = append(pairs, pair{file.key, text(file.path.V)})
		}
	}
	if len(pairs) == 0 {
		return node{}
	}
	return mapping(pairs...)
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
	for _, s := range t.Scrapes {
		labels := map[string]string{"job": s.Job.V, "__scheme__": s.Scheme.V, "__metrics_path__": s.Path.V}
		maps.Copy(labels, s.Labels)
		group := discovered{Targets: []string{}, Labels: labels}
		for _, endpoint := range s.Targets {
			group.Targets = append(group.Targets, endpoint.V)
		}
		groups = append(groups, group)
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
