// Package certificates writes what each certificate must carry, as requests for openssl, a script for step-ca and
// objects for cert-manager. Keys are made where they are used: no file holds one.
package certificates

import (
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Target is all that issues certificates.
var Target = target.Target{
	Name:   "certificates",
	Doc:    "what each certificate must carry, for openssl, step-ca and cert-manager",
	Render: render,
}

func render(t *topology.Topology, options *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	var diags diag.List
	if len(t.Required) == 0 {
		diags.Warn(options.At(t.Span), "unsupported", "target certificates has nothing to write, since cluster.scheme is http; "+
			"need https, or no such target", "drop certificates from targets")
		return nil, diags
	}
	var out []target.Artifact
	for _, r := range t.Required {
		out = append(out, request(t, r, header))
	}
	out = append(out, script(t, header))
	objects, err := objects(t, header)
	if err != nil {
		diags.Error(options.At(t.Span), "unsupported", "the objects for cert-manager cannot be printed: "+err.Error(), "")
	}
	return append(out, objects), diags
}

// purpose says what a certificate is for.
func purpose(r topology.Required) string {
	switch {
	case r.Holder.Kind == topology.HolderMembers:
		return "The server certificate of the member " + r.Holder.Name + "."
	case r.Role == topology.ServerCert:
		return "What the load balancer shows clients."
	case r.Holder.Name == "check":
		return "What the load balancer's health check shows members."
	case r.Holder.Kind == topology.HolderBalancer:
		return "What the load balancer shows members."
	case r.Holder.Name == "kube-apiserver":
		return "What kube-apiserver shows etcd."
	}
	return "What clients and operators show etcd."
}

// reasons say why a certificate carries what it carries.
func reasons(t *topology.Topology, r topology.Required) []string {
	switch {
	case r.Holder.Kind == topology.HolderMembers:
		return []string{
			"Its names and addresses are the member's own, " + shared(t) + "loopback for etcdctl on the",
			"machine. Both usages: etcd's JSON gateway is a client of its own server.",
		}
	case r.Role == topology.ServerCert:
		return []string{"Its names and addresses are what clients dial."}
	}
	return []string{"To an etcd with roles its common name is the user."}
}

// shared is the load balancer's part in members' certificates.
func shared(t *topology.Topology) string {
	part := t.Certificates[0] // of a cluster that speaks TLS
	if len(part.Names.V)+len(part.Addrs.V) == 0 {
		return "and "
	}
	return "those of the load balancer, whose clients meet this certificate, and "
}

// expected says where the certificate belongs, where the spec does.
func expected(r topology.Required) []string {
	if !r.Files.Cert.Known() {
		return nil
	}
	return []string{"Belongs to " + r.Files.Cert.V + ", its key to " + r.Files.Key.V + "."}
}
