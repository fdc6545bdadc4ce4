package certificates

import (
	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// objects are the certificates as cert-manager's objects, in one file.
func objects(t *topology.Topology, header target.Header) (target.Artifact, error) {
	issuer := "etcd-" + t.Name.V + "-ca"
	head := append(header.Lines(), "",
		"The certificates of the etcd cluster "+t.Name.V+" as objects for cert-manager, for members and clients that run in Kubernetes.",
		"Apply it in their namespace, where the Issuer "+issuer+" must be, with the CA that all of them trust. Each certificate",
		"and its key end up in the secret that is called like its object.")
	var docs []*yaml.Node
	for _, r := range t.Required {
		docs = append(docs, object(t, issuer, r))
	}
	text, err := target.YAMLText(head, docs...)
	return target.Artifact{Path: "certificates/cert-manager.yaml", Data: text}, err
}

func object(t *topology.Topology, issuer string, r topology.Required) *yaml.Node {
	word, text, entry := target.YAMLWord, target.YAMLString, field
	name := text("etcd-" + t.Name.V + "." + r.Holder.Kind + "." + r.Holder.Name)
	spec := []target.YAMLEntry{entry("secretName", name), entry("commonName", text(r.Name))}
	if len(r.Names) > 0 {
		spec = append(spec, entry("dnsNames", target.YAMLStrings(r.Names...)))
	}
	if len(r.Addrs) > 0 {
		addrs := target.YAMLList()
		for _, a := range r.Addrs {
			addrs.Content = append(addrs.Content, text(a.String()))
		}
		spec = append(spec, entry("ipAddresses", addrs))
	}
	usages := target.YAMLList(word("digital signature"), word("key encipherment"))
	for _, u := range r.Usages() {
		usages.Content = append(usages.Content, word(certManagerUsages[u]))
	}
	spec = append(spec,
		entry("usages", usages),
		entry("privateKey", target.YAMLMap(entry("algorithm", word("ECDSA")), entry("size", target.YAMLInt(256)),
			entry("rotationPolicy", word("Always")))),
		entry("issuerRef", target.YAMLMap(entry("group", word("cert-manager.io")), entry("kind", word("Issuer")), entry("name", text(issuer)))),
	)
	return target.YAMLMap(
		target.YAMLEntry{Key: "apiVersion", Value: word("cert-manager.io/v1"), About: append([]string{purpose(r)}, reasons(t, r)...)},
		entry("kind", word("Certificate")),
		entry("metadata", target.YAMLMap(entry("name", name))),
		entry("spec", target.YAMLMap(spec...)),
	)
}

var certManagerUsages = map[string]string{"serverAuth": "server auth", "clientAuth": "client auth"}

func field(key string, value *yaml.Node) target.YAMLEntry {
	return target.YAMLEntry{Key: key, Value: value}
}
