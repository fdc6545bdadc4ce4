package topology_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func set[T any](v T) topology.Value[T] { return topology.SetAt(v, diag.Span{}) }

func pool(name string, servers ...topology.Server) topology.Pool {
	return topology.Pool{Name: set(name), Servers: servers}
}

func server(name, host string, port int) topology.Server {
	return topology.Server{Name: set(name), Host: set(host), Port: set(port)}
}

func TestNamesEtcd(t *testing.T) {
	for name, want := range map[string]bool{
		"etcd": true, "etcd-1": true, "my_etcd2": true, "ETCD cluster": true, "kube-etcd.example.com": true, "etcdctl.etcd": true,
		"": false, "etcdctl": false, "fetcd": false, "k8s-api": false, "metcd-etcdx": false,
	} {
		if got := topology.NamesEtcd(name); got != want {
			t.Errorf("NamesEtcd(%q) = %v", name, got)
		}
	}
}

func TestHost(t *testing.T) {
	for in, want := range map[string]string{
		"10.0.1.10": "10.0.1.10", "::ffff:10.0.1.10": "10.0.1.10", "[FD00::0:1]": "fd00::1",
		"Etcd-LB.Example.com.": "etcd-lb.example.com",
	} {
		if got := topology.Host(in); got != want {
			t.Errorf("Host(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestScope(t *testing.T) {
	spec := &topology.Topology{Format: "spec"}
	spec.Etcd.Members = []topology.Member{{Name: set("m1"), Address: set(netip.MustParseAddr("10.0.1.10"))}}
	for name, tc := range map[string]struct {
		pool     topology.Pool
		listener topology.Listener
		spec     bool
		want     topology.Proof // of the pool
		listens  topology.Proof
	}{
		"kube-apiserver":              {pool: pool("k8s", server("cp1", "10.0.1.10", 6443)), want: topology.NotEtcd},
		"kube-apiserver on a member":  {pool: pool("k8s", server("etcd-1", "10.0.1.10", 6443)), spec: true, want: topology.NotEtcd},
		"another database":            {pool: pool("pg", server("a", "10.9.0.1", 5432)), spec: true, want: topology.NotEtcd},
		"a database on a member":      {pool: pool("pg", server("a", "10.0.1.10", 5432)), spec: true, want: topology.NotEtcd},
		"by port":                     {pool: pool("a", server("a", "10.0.1.10", 2379)), want: topology.ByPort, listens: topology.ByPort},
		"by name":                     {pool: pool("my-etcd", server("a", "10.0.1.10", 12379)), want: topology.Proven, listens: topology.Proven},
		"by server name":              {pool: pool("a", server("etcd1", "10.0.1.10", 12379)), want: topology.Proven, listens: topology.Proven},
		"by the spec":                 {pool: pool("a", server("a", "10.0.1.10", 12379)), spec: true, want: topology.Proven, listens: topology.Proven},
		"by the listener's name":      {pool: pool("a", server("a", "h", 12379)), listener: topology.Listener{Name: set("etcd")}, want: topology.Proven, listens: topology.Proven},
		"by the listener's port":      {pool: pool("a"), listener: topology.Listener{Binds: []topology.Bind{{Port: set(2379)}}}, want: topology.ByPort, listens: topology.ByPort},
		"metrics listener":            {pool: pool("a"), listener: topology.Listener{Name: set("etcd"), Metrics: true}, want: topology.NotEtcd},
		"named after etcd, a website": {pool: pool("etcd-ui", server("a", "h", 80)), listener: topology.Listener{Name: set("etcd-ui")}, want: topology.NotEtcd},
	} {
		t.Run(name, func(t *testing.T) {
			tc.listener.Routes = []topology.Route{{Pool: tc.pool.Name}}
			file := &topology.Topology{Format: "haproxy", Proxies: []topology.Proxy{{
				Listeners: []topology.Listener{tc.listener}, Pools: []topology.Pool{tc.pool},
			}}}
			g := &topology.Group{Sources: []*topology.Topology{file}}
			if tc.spec {
				g.Sources = append(g.Sources, spec)
			}
			p := &file.Proxies[0]
			if got := g.Pool(file, p, &p.Pools[0]); got != tc.want {
				t.Errorf("pool: %v, want %v", got, tc.want)
			}
			if got := g.Listener(file, p, &p.Listeners[0]); got != tc.listens {
				t.Errorf("listener: %v, want %v", got, tc.listens)
			}
		})
	}
}

func TestDialed(t *testing.T) {
	spec := &topology.Topology{Format: "spec", Dialed: []topology.Value[string]{set("lb.example.com"), set("10.0.1.100")}}
	spec.Etcd.Members = []topology.Member{{Address: set(netip.MustParseAddr("10.0.1.10"))}}
	g := &topology.Group{
		Sources:   []*topology.Topology{spec},
		Endpoints: []topology.Value[string]{set("lb.example.com"), set("10.0.1.10"), set("other.example.com")},
	}
	var got []string
	for _, v := range g.Dialed() {
		got = append(got, v.V)
	}
	if diff := cmp.Diff([]string{"lb.example.com", "10.0.1.100", "other.example.com"}, got); diff != "" {
		t.Error(diff)
	}
}
