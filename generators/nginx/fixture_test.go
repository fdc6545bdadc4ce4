package nginx

import (
	"net/netip"
	"testing"
	"time"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func set[T any](v T) topology.Value[T] { return topology.SetAt(v, diag.Span{}) }

func preset[T any](v T) topology.Value[T] { return topology.DefaultAt(v, diag.Span{}) }

// v4 and v6 are a cluster's members in both families.
var (
	v4 = []string{"10.0.1.10", "10.0.1.11", "10.0.1.12"}
	v6 = []string{"fd00::10", "fd00::11", "fd00::12"}
)

// passiveCheck is the check that a spec asks of open-source NGINX.
var passiveCheck = topology.Check{
	Kind: set(topology.CheckPassive), Interval: set(10 * time.Second), Fall: set(1),
}

// httpCheck is the check that a spec with a metrics URL asks of NGINX Plus.
var httpCheck = topology.Check{
	Kind: set(topology.CheckHTTP), Port: set(2381), Method: set("GET"), Path: set("/health?exclude=NOSPACE"),
	Interval: set(2 * time.Second), Timeout: set(time.Second), Fall: set(2), Rise: set(2),
}

// spec is what a spec with these members and listening addresses means for NGINX; the changes come last.
func spec(platform string, members, listen []string, check topology.Check, changes ...func(*topology.Proxy)) *topology.Topology {
	pool := topology.Pool{
		Name: set("etcd-prod"), Mode: set(topology.TCP), Balance: preset("leastconn"), Connect: set(time.Second),
		Retries: set(len(members) - 1), Check: check,
	}
	for i, m := range members {
		pool.Servers = append(pool.Servers, topology.Server{
			Name: set([]string{"1", "server", "default"}[i]), Host: set(m), Port: set(2379),
			Drain: preset(false), Checked: set(true),
		})
	}
	l := topology.Listener{
		Mode:   set(topology.TCP),
		Routes: []topology.Route{{Pool: set("etcd-prod"), Idle: set(90 * time.Minute)}},
	}
	for _, a := range listen {
		l.Binds = append(l.Binds, topology.Bind{Addr: set(netip.MustParseAddr(a)), Port: set(2379)})
	}
	p := topology.Proxy{
		Target: name, Platform: platform, MaxConns: set(20000), FilesSuffice: set(true), HardStop: set(30 * time.Minute),
		Listeners: []topology.Listener{l}, Pools: []topology.Pool{pool},
	}
	for _, change := range changes {
		change(&p)
	}
	return &topology.Topology{Name: set("prod"), Proxies: []topology.Proxy{p}}
}

func options(output string, dynamic bool) *topology.Tree {
	return &topology.Tree{Fields: map[string]*topology.Tree{
		"output": {Leaf: output}, "dynamicModule": {Leaf: dynamic},
	}}
}

// sample is a topology with a name and how it is to be written.
type sample struct {
	name     string
	topology *topology.Topology
	output   string
}

func samples() []sample {
	drained := func(p *topology.Proxy) {
		p.Pools[0].Servers[1].Drain = set(true)
		p.Pools[0].Retries = set(1)
	}
	any4, any6 := []string{"0.0.0.0"}, []string{"0.0.0.0", "::"}
	return []sample{
		{"oss", spec(openSource, v4, any4, passiveCheck), "file"},
		{"oss fragment", spec(openSource, v4, any4, passiveCheck), "fragment"},
		{"dual stack", spec(openSource, []string{v4[0], v6[1]}, any6, passiveCheck), "file"},
		{"dual stack fragment", spec(openSource, v6, any6, passiveCheck), "fragment"},
		{"local", spec(openSource, v6[:1], []string{"127.0.0.1", "::1"}, passiveCheck), "file"},
		{"drained", spec(openSource, v4, any4, passiveCheck, drained), "file"},
		{"round robin", spec(openSource, v4, any4, passiveCheck, balanced("roundrobin")), "file"},
		{"source", spec(openSource, v4, []string{"10.0.1.100"}, passiveCheck, balanced("source")), "file"},
		{"odd times", spec(openSource, v4, any4, passiveCheck, func(p *topology.Proxy) {
			p.HardStop = preset(topology.Never)
			p.Pools[0].Connect = set(1500 * time.Millisecond)
			p.Listeners[0].Routes[0].Idle = set(24*24*time.Hour + time.Second)
		}), "file"},
		{"unchecked", spec(openSource, v4, any4, topology.Check{Kind: set(topology.CheckNone)}, func(p *topology.Proxy) {
			for i := range p.Pools[0].Servers {
				p.Pools[0].Servers[i].Checked = set(false)
			}
		}), "file"},
		{"plus", spec(plus, v4, any6, httpCheck, drained), "file"},
		{"plus fragment", spec(plus, v4, any4, httpCheck, func(p *topology.Proxy) { p.Pools[0].Check.Plain = set(true) }), "fragment"},
		{"plus tcp", spec(plus, v4, any4, topology.Check{
			Kind: set(topology.CheckTCP), Port: set(2379),
			Interval: set(2 * time.Second), Timeout: set(time.Second), Fall: set(2), Rise: set(2),
		}), "file"},
	}
}

func balanced(how string) func(*topology.Proxy) {
	return func(p *topology.Proxy) { p.Pools[0].Balance = set(how) }
}

// write renders a sample, which must be possible.
func write(t testing.TB, s sample) target.Artifact {
	t.Helper()
	out, diags := Target.Render(s.topology, options(s.output, true), target.Header{Spec: "spec.cue"})
	if len(diags) > 0 || len(out) != 1 {
		t.Fatalf("%s: %d files, %v", s.name, len(out), diags)
	}
	return out[0]
}

// read parses one text.
func read(path, text string) (*topology.Topology, diag.List) {
	return Target.Parse(target.Source{Path: path, Files: []target.File{{Path: path, Data: []byte(text)}}})
}
