package topology

import (
	"net/netip"
	"slices"
)

// Required is what one certificate must carry, for whoever issues it.
type Required struct {
	Role   CertRole // ServerCert or ClientCert
	Holder Holder
	Name   string       // common name: behind client certificates, etcd's user
	Names  []string     // DNS SANs; of a server only
	Addrs  []netip.Addr // IP SANs, likewise
	Files  KeyPair      // where its machines expect it; unknown where the spec does not say
}

// Holder is who presents a certificate.
type Holder struct {
	Kind string // "members", "load-balancer" or "clients"
	Name string // among its kind
}

// The kinds of holders.
const (
	HolderMembers  = "members"
	HolderBalancer = "load-balancer"
	HolderClients  = "clients"
)

// Path tells the holder from all others: a member may be called like a client.
func (h Holder) Path() string { return h.Kind + "/" + h.Name }

// Usages are the extended key usages, as X.509 calls them. A member is a client too: of itself, through its JSON gateway.
func (r Required) Usages() []string {
	switch {
	case r.Role == ClientCert:
		return []string{"clientAuth"}
	case r.Holder.Kind == HolderMembers:
		return []string{"serverAuth", "clientAuth"}
	}
	return []string{"serverAuth"}
}

// SANs are the names and addresses, as texts.
func (r Required) SANs() []string {
	out := slices.Clone(r.Names)
	for _, a := range r.Addrs {
		out = append(out, a.String())
	}
	return out
}
