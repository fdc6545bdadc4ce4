package lower

import (
	"net"
	"slices"
	"strconv"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// scrapes decides what Prometheus reads: HAProxy's exporter, where HAProxy is a target, and the members' metrics, where
// a way to them is known. The topology is lowered but for its scrapes, options are those of the prometheus target.
func scrapes(t *topology.Topology, options *topology.Tree) []topology.Scrape {
	var out []topology.Scrape
	if s, ok := proxyScrape(t, options); ok {
		out = append(out, s)
	}
	if s, ok := etcdScrape(t, options); ok {
		out = append(out, s)
	}
	return append(out, probes(t, options)...)
}

// proxyJob and etcdJob are the job labels where the user selects by none of his own. No cluster's name makes one of
// them another cluster's other one.
func proxyJob(t *topology.Topology) string { return "haproxy-etcd-" + t.Name.V }
func etcdJob(t *topology.Topology) string  { return "etcd-" + t.Name.V }

// newScrape is a job whose targets carry the labels that the alerts select by.
func newScrape(t *topology.Topology, options *topology.Tree, exporter, job, scheme string) topology.Scrape {
	span := options.At(t.Span)
	labels := selectionOf(options, exporter).withJob(job)
	job = labels["job"]
	delete(labels, "job")
	if _, own := labels["cluster"]; !own {
		labels["cluster"] = t.Name.V
	}
	return topology.Scrape{
		Job:    topology.DefaultAt(job, span),
		Scheme: topology.DefaultAt(scheme, span),
		Path:   topology.DefaultAt("/metrics", span),
		Labels: labels,
		Span:   span,
	}
}

func proxyScrape(t *topology.Topology, options *topology.Tree) (topology.Scrape, bool) {
	p := proxyOf(t, "haproxy")
	if p == nil {
		return topology.Scrape{}, false
	}
	s := newScrape(t, options, "haproxy", proxyJob(t), "http")
	s.Targets = proxyTargets(t, p)
	return s, true
}

// proxyTargets are where HAProxy's metrics answer: on loopback where they listen nowhere else, else at each machine of
// the load balancer, else, where these are not listed, at what clients dial. A proxy on each client's machine has no
// targets that a spec could know.
func proxyTargets(t *topology.Topology, p *topology.Proxy) []topology.Value[string] {
	metrics, clients := listenerOf(p, true), listenerOf(p, false)
	if metrics == nil || len(metrics.Binds) == 0 {
		return nil
	}
	bind := metrics.Binds[0]
	if onLoopback(metrics) {
		return []topology.Value[string]{endpoint(topology.DefaultAt(bind.Addr.V.String(), bind.Port.Span), bind.Port.V)}
	}
	var out []topology.Value[string]
	for _, n := range t.Nodes {
		if a := n.Addresses(); len(a) > 0 {
			out = append(out, endpoint(topology.SetAt(a[0].V.String(), a[0].Span), bind.Port.V))
		}
	}
	if len(out) == 0 && len(t.Dialed) > 0 && (clients == nil || !onLoopback(clients)) {
		out = append(out, endpoint(t.Dialed[0], bind.Port.V))
	}
	return out
}

// listenerOf is the proxy's listener for its metrics or for clients, or nil.
func listenerOf(p *topology.Proxy, metrics bool) *topology.Listener {
	i := slices.IndexFunc(p.Listeners, func(l topology.Listener) bool { return l.Metrics == metrics })
	if i < 0 {
		return nil
	}
	return &p.Listeners[i]
}

// onLoopback reports whether only the machine itself reaches the listener.
func onLoopback(l *topology.Listener) bool {
	return !slices.ContainsFunc(l.Binds, func(b topology.Bind) bool { return !b.Addr.V.IsLoopback() })
}

// etcdScrape reports false where no way to the members' metrics is known: their client port speaks TLS, and which
// certificate Prometheus may present is not said.
func etcdScrape(t *topology.Topology, options *topology.Tree) (topology.Scrape, bool) {
	port, scheme := etcdMetricsPort(t)
	s := newScrape(t, options, "etcd", etcdJob(t), scheme)
	if scheme == "https" {
		s.Certificate = t.Clients.Certificate
		anonymous := t.Etcd.ClientCertAuth.Known() && !t.Etcd.ClientCertAuth.V
		if !s.Certificate.CA.Known() || !s.Certificate.Cert.Known() && !anonymous {
			return topology.Scrape{}, false
		}
	}
	for _, m := range t.Etcd.Members {
		if target, ok := memberTarget(m, port); ok {
			s.Targets = append(s.Targets, target)
		}
	}
	return s, len(s.Targets) > 0
}

// etcdMetricsPort is where members answer /metrics, and in which scheme: on a port for it, or on the client port, which
// refuses HTTP where that has a port of its own.
func etcdMetricsPort(t *topology.Topology) (port int, scheme string) {
	switch {
	case t.Etcd.MetricsPort.Known():
		return t.Etcd.MetricsPort.V, t.Etcd.MetricsScheme.V
	case t.Etcd.ClientHTTPPort.Known():
		return t.Etcd.ClientHTTPPort.V, t.Etcd.Scheme.V
	}
	return t.Etcd.ClientPort.V, t.Etcd.Scheme.V
}

// memberTarget reports false for a member of which neither address nor name is known.
func memberTarget(m topology.Member, port int) (topology.Value[string], bool) {
	if a := m.Addresses(); len(a) > 0 {
		return endpoint(topology.SetAt(a[0].V.String(), a[0].Span), port), true
	}
	if m.Hostname.Known() {
		return endpoint(m.Hostname, port), true
	}
	return topology.Value[string]{}, false
}

// endpoint is host:port, known as well as the host.
func endpoint(host topology.Value[string], port int) topology.Value[string] {
	host.V = net.JoinHostPort(host.V, strconv.Itoa(port))
	return host
}
