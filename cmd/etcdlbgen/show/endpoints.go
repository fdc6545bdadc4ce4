package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

type endpoints struct {
	Access      string   `json:"access"` // what clients are configured with
	Direct      []string `json:"direct"`
	Peers       []string `json:"peers"` // name=url, as in --initial-cluster
	Certificate *keyPair `json:"certificate,omitempty"`
}

// keyPair is paths on the clients' machines.
type keyPair struct {
	CA   string `json:"ca"`
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
}

func endpointsOf(t *topology.Topology) endpoints {
	out := endpoints{Access: t.BalancerURL(), Direct: t.Etcd.DirectURLs(), Peers: t.Etcd.PeerAddresses()}
	if pair := t.Clients.Certificate; pair.CA.Known() {
		out.Certificate = &keyPair{pair.CA.V, pair.Cert.V, pair.Key.V}
	}
	return out
}

func endpointsValue(t *topology.Topology) any { return endpointsOf(t) }

// endpointsText has the names of endpoints.env.
func endpointsText(w io.Writer, t *topology.Topology) {
	e := endpointsOf(t)
	fmt.Fprintf(w, "ETCD_ACCESS_ADDRESSES=%s\n", e.Access)
	fmt.Fprintf(w, "ETCD_LB_ADDRESS=%s\n", e.Access)
	fmt.Fprintf(w, "ETCD_ACCESS_ADDRESSES_DIRECT=%s\n", strings.Join(e.Direct, ","))
	fmt.Fprintf(w, "ETCD_PEER_ADDRESSES=%s\n", strings.Join(e.Peers, ","))
	if c := e.Certificate; c != nil {
		fmt.Fprintf(w, "ETCD_ACCESS_CACERT=%s\n", c.CA)
		fmt.Fprintf(w, "ETCD_ACCESS_CERT=%s\nETCD_ACCESS_KEY=%s\n", c.Cert, c.Key)
	}
}
