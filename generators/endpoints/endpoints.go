// Package endpoints writes the variables by which programs and operators connect: through the load balancer, directly,
// and among members.
package endpoints

import (
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Target is endpoints.env.
var Target = target.Target{
	Name:   "endpoints",
	Doc:    "endpoints.env, connection variables for sh and systemd",
	Render: render,
}

// render names no variable as etcd or etcdctl do: etcdctl refuses to run when its own variable and a flag both say
// something.
func render(t *topology.Topology, _ *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	e := target.NewEnv(header,
		"How to reach the etcd cluster "+t.Name.V+". Load it with `. ./endpoints.env` in a shell, with EnvironmentFile= in a",
		"systemd unit.")
	e.Section("What clients are configured with: the load balancer. Leave auto-sync of endpoints off in clients,",
		"else they replace it by the members.")
	e.Set("ETCD_ACCESS_ADDRESSES", t.BalancerURL())
	e.Section("The load balancer, also where ETCD_ACCESS_ADDRESSES is overridden by the direct list.")
	e.Set("ETCD_LB_ADDRESS", t.BalancerURL())
	e.Section(direct(t.Etcd)...)
	e.Set("ETCD_ACCESS_ADDRESSES_DIRECT", strings.Join(t.Etcd.DirectURLs(), ","))
	e.Section("How members reach each other, in the form of etcd's --initial-cluster. Never through the load balancer.")
	e.Set("ETCD_PEER_ADDRESSES", strings.Join(t.Etcd.PeerAddresses(), ","))
	certificate(e, t.Clients.Certificate)
	return []target.Artifact{e.Artifact("endpoints/endpoints.env")}, nil
}

// direct says what the direct list is for, and whom it leaves out.
func direct(etcd topology.Etcd) []string {
	about := []string{
		"The members themselves, past the load balancer: for what is about one member (snapshot save, defrag, move-leader,",
		"endpoint status; behind the load balancer a random one would answer), for kube-apiserver, which fails over by itself,",
		"and for everybody while the load balancer is down.",
	}
	var learners []string
	for _, m := range etcd.Members {
		if m.Learner.V {
			learners = append(learners, m.Name.V)
		}
	}
	if len(learners) > 0 {
		about = append(about, "Not in it, since learners serve no clients: "+strings.Join(learners, ", ")+".")
	}
	return about
}

func certificate(e *target.Env, pair topology.KeyPair) {
	files := []struct {
		name string
		path topology.Value[string]
	}{
		{"ETCD_ACCESS_CACERT", pair.CA},
		{"ETCD_ACCESS_CERT", pair.Cert},
		{"ETCD_ACCESS_KEY", pair.Key},
	}
	if !pair.CA.Known() {
		return
	}
	e.Section("The clients' certificate, on the clients' machines: etcdctl's --cacert, --cert and --key.")
	for _, f := range files {
		e.Set(f.name, f.path.V)
	}
}
