package haproxy

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// specs are clusters that between them make the target write everything it can. /CERTS stands for a folder with a
// certificate, its key and its CA.
var specs = []struct{ name, spec string }{
	{"minimal", cluster + lb},
	{"metrics", cluster + metrics + lb},
	{"fragment", cluster + metrics + lb + fragment},
	{"tcp fragment", cluster + lb + fragment},
	{"dual stack", dual + metrics + lb + monitored},
	{"dual stack fragment", dual + metrics + lb + monitored + fragment},
	{"local", cluster + metrics + lb + `loadBalancer: placement: "local"` + "\n"},
	{"dual stack local", dual + lb + `loadBalancer: placement: "local"` + "\n"},
	{"vip only", cluster + lb + `loadBalancer: listen: ["10.0.1.100"]` + "\n"},
	{"drained", cluster + metrics + lb + `cluster: members: "etcd-2": drain: true` + "\n"},
	{"drained fragment", cluster + metrics + lb + `cluster: members: "etcd-2": drain: true` + "\n" + fragment},
	{"https", dual + lb + viaClient},
	{"https fragment", dual + lb + viaClient + fragment},
	{"container", cluster + lb + "targets: haproxy: container: true\n"},
	{"stats page", cluster + lb + monitored + "targets: haproxy: statsPage: true\n"},
	{"odd names", `cluster: {name: "1", members: {"1": address: "10.0.1.10", "server": address: "10.0.1.11", "check": address: "10.0.1.12"}}` + "\n" + lb},
	{"syslog over IPv6", cluster + lb + `targets: haproxy: log: "fd00::5"` + "\n"},
	{"odd times", cluster + metrics + lb + `loadBalancer: {timeouts: {connect: "1500ms", idle: "90m", hardStopAfter: "48h"}
		healthCheck: {interval: "1250ms", timeout: "750ms", fall: 5, rise: 4}, balance: "source"}` + "\n"},
}

const (
	cluster = `cluster: {name: "prod", members: {"etcd-1": address: "10.0.1.10", "etcd-2": address: "10.0.1.11", "etcd-3": address: "10.0.1.12"}}` + "\n"
	dual    = `cluster: {name: "prod", members: {
		"etcd-1": {address: "10.0.1.10", address6: "fd00::10", hostname: "etcd-1.example.com"}
		"etcd-2": {address: "fd00::11", hostname: "etcd-2.example.com"}
		"etcd-3": {address: "10.0.1.12"}}}` + "\n"
	metrics   = "cluster: metrics: port: 2381\n"
	lb        = `loadBalancer: {host: "etcd-lb.example.com", vip: "10.0.1.100"}` + "\n"
	monitored = `monitoring: networks: ["10.0.8.0/24", "10.0.9.7/32", "fd00:8::/64"]` + "\n"
	fragment  = `targets: haproxy: output: "fragment"` + "\n"
	viaClient = `loadBalancer: healthCheck: {via: "client", certificate: {ca: "/CERTS/ca.crt", cert: "/CERTS/lb.crt", key: "/CERTS/lb.crt.key"}}` + "\n"
)

// rendered is the one file of a spec, and the topology it is from.
func rendered(t testing.TB, spec string) (*topology.Topology, target.Artifact) {
	t.Helper()
	top, options := lowertest.Topology(t, spec, name)
	files, problems := render(top, options, target.Header{Spec: "spec.cue"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if len(files) != 1 {
		t.Fatalf("%d files", len(files))
	}
	return top, files[0]
}

func source(files ...target.Artifact) target.Source {
	s := target.Source{Path: files[0].Path}
	for _, f := range files {
		s.Files = append(s.Files, target.File{Path: f.Path, Data: f.Data})
	}
	return s
}

// read parses a text that must be without syntax errors, as haproxy.cfg.
func read(t *testing.T, text string) *topology.Topology {
	t.Helper()
	top, problems := parse(source(target.Artifact{Path: "haproxy.cfg", Data: []byte(text)}))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return top
}

// readProxy is the proxy that a text describes.
func readProxy(t *testing.T, text string) *topology.Proxy {
	t.Helper()
	top := read(t, text)
	if len(top.Proxies) != 1 {
		t.Fatalf("%d proxies", len(top.Proxies))
	}
	return &top.Proxies[0]
}

// facts compares what is said, not where: positions are ignored and defaults count as set.
var facts = cmp.Options{
	cmpopts.IgnoreTypes(diag.Span{}),
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}),
	cmp.Transformer("known", func(s topology.State) bool { return s != topology.Unknown }),
}
