package terraform

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// gcpModule is what the GCP module is made of: the facts of the load balancer on that platform, and the options that only
// GCP knows.
type gcpModule struct {
	*topology.CloudBalancer
	etcd     topology.Etcd
	zones    map[string]string // of the members behind the load balancer, where the spec gives one to each
	address  string            // of the load balancer; "" where GCP chooses
	provider int
	global   bool
}

// renderGCP writes an internal passthrough load balancer with its firewall and record.
func renderGCP(t *topology.Topology, options *topology.Tree) ([]file, diag.List) {
	b := t.CloudBalancer(targetName, "gcp")
	if b == nil {
		return nil, nil
	}
	m := &gcpModule{
		CloudBalancer: b,
		etcd:          t.Etcd,
		provider:      topology.Get[int](options, "provider").V,
		global:        topology.Get[bool](options, "globalAccess").V,
	}
	if addr := b.Listener.Binds[0].Addr; addr.Known() {
		m.address = addr.V.String()
	}
	m.place()
	return []file{m.versions(), m.variables(), m.main(), m.outputs(), m.tests()}, nil
}

// place finds the zones of all members behind the load balancer; one without leaves them all to the user.
func (m *gcpModule) place() {
	zones := map[string]string{}
	for _, e := range m.etcd.Members {
		if e.Zone.Known() && slices.Contains(m.Servers(), e.Name.V) {
			zones[e.Name.V] = e.Zone.V
		}
	}
	if len(zones) == len(m.Pool.Servers) {
		m.zones = zones
	}
}

// versions is versions.tf. Optional attributes with a default need Terraform 1.3, test files with mocked providers 1.7. Of
// provider 7, connection_tracking_policy needs 7.32.
func (m *gcpModule) versions() file {
	return version("google", map[int]string{6: ">= 6.0, < 7.0", 7: ">= 7.32, < 8.0"}[m.provider])
}

// outputs is outputs.tf.
func (m *gcpModule) outputs() file {
	f := newFile("outputs.tf")
	own := hclwrite.TokensForTuple([]hclwrite.Tokens{code("google_compute_address.this.address")})
	for _, o := range []struct {
		name, description string
		value             hclwrite.Tokens
	}{
		{"address", "The load balancer's address.", code("google_compute_address.this.address")},
		{"endpoint", "The endpoint of clients.", m.endpoint()},
		{"required_certificate_sans", "What the server certificate of every member must name beside the member itself.", object(
			pair{"dns_names", list(m.Names)},
			pair{"ip_addresses", call("distinct", call("concat", list(m.Addresses), own))},
		)},
		{
			"member_tags", "The network tags to put on every member, which the firewall rules are for; empty where they are for service accounts.",
			code("length(var.member_service_accounts) == 0 ? var.member_tags : []"),
		},
		{"backend_service", "The backend service of the members.", code("google_compute_region_backend_service.this.id")},
	} {
		b := f.root.block("output", o.name)
		b.set("description", text(o.description))
		b.set("value", o.value)
	}
	return f
}

// endpoint is the URL that clients dial: by the name of the spec, else by the load balancer's address.
func (m *gcpModule) endpoint() hclwrite.Tokens {
	if m.Host != "" {
		return text(fmt.Sprintf("%s://%s:%d", m.Scheme, m.Host, m.Port()))
	}
	return code(fmt.Sprintf(`"%s://${google_compute_address.this.address}:%d"`, m.Scheme, m.Port()))
}
