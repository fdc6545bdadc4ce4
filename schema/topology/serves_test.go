package topology_test

import (
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func TestServesReady(t *testing.T) {
	for version, want := range map[string][2]bool{ // serves, sure
		"3.3.27":      {false, true},
		"3.3":         {false, true},
		"3.4.28":      {false, true},
		"3.4.29":      {true, true},
		"3.4":         {false, false},
		"3.5.10":      {false, true},
		"3.5.11":      {true, true},
		"v3.5.11":     {true, true},
		"3.5.9-0":     {false, true},
		"3.5.16-k3s1": {true, true},
		"3.6":         {true, true},
		"3.6.0":       {true, true},
		"v3.7.1":      {true, true},
		"3.5.x":       {false, false},
		"4.0.0":       {false, false},
		"latest":      {false, false},
		"":            {false, false},
	} {
		if serves, sure := topology.ServesReady(version); sure != want[1] || sure && serves != want[0] {
			t.Errorf("%q: serves %v, sure %v, want %v", version, serves, sure, want)
		}
	}
}

// What members speak is what the most direct source shows.
func TestClientScheme(t *testing.T) {
	manifest := &topology.Topology{Dialers: []topology.Dialer{{Program: "kube-apiserver", Endpoints: []topology.Value[string]{set("https://10.0.1.10:2379")}}}}
	plain := &topology.Topology{}
	plain.Etcd.Scheme = set("http")
	told := &topology.Topology{Endpoints: []topology.Value[string]{set("http://etcd-lb.example.com:2379")}}
	certificate := &topology.Topology{Certificates: []topology.Certificate{{Role: topology.ServerCert, Name: set("etcd-1")}}}
	declared := &topology.Topology{Certificates: []topology.Certificate{{Role: topology.ServerCert, Name: set("etcd-1"), Declared: true}}}
	for name, tc := range map[string]struct {
		group topology.Group
		want  string
	}{
		"nothing":                {topology.Group{Sources: []*topology.Topology{declared}}, ""},
		"a spec before URLs":     {topology.Group{Sources: []*topology.Topology{manifest, plain}, EndpointScheme: "https"}, "http"},
		"a manifest's URL":       {topology.Group{Sources: []*topology.Topology{manifest}}, "https"},
		"an output":              {topology.Group{Sources: []*topology.Topology{told}}, "http"},
		"the command line":       {topology.Group{EndpointScheme: "https"}, "https"},
		"a server's certificate": {topology.Group{Sources: []*topology.Topology{certificate}}, "https"},
	} {
		if got := tc.group.ClientScheme(); got.V != tc.want || got.Known() != (tc.want != "") {
			t.Errorf("%s: %+v, want %q", name, got, tc.want)
		}
	}
}
