package terraform

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// azureModule is what the Azure module is made of: the facts of the load balancer on that platform, and the options that
// only Azure knows.
type azureModule struct {
	*topology.CloudBalancer
	etcd     topology.Etcd
	address  string            // of the load balancer; "" where Azure chooses
	members  map[string]string // address by name, of all; nil where the spec does not say each
	provider int
}

// renderAzure writes a Standard internal load balancer with its security rules, alert and record.
func renderAzure(t *topology.Topology, options *topology.Tree) ([]file, diag.List) {
	b := t.CloudBalancer(targetName, "azure")
	if b == nil {
		return nil, nil
	}
	m := &azureModule{CloudBalancer: b, etcd: t.Etcd, provider: topology.Get[int](options, "provider").V, members: map[string]string{}}
	if addr := b.Listener.Binds[0].Addr; addr.Known() {
		m.address = addr.V.String()
	}
	for _, e := range t.Etcd.Members {
		if !e.Address.Known() {
			m.members = nil
			break
		}
		m.members[e.Name.V] = e.Address.V.String()
	}
	return []file{m.versions(), m.variables(), m.main(), m.outputs(), m.tests()}, nil
}

// versions is versions.tf. Test files with mocked providers need Terraform 1.7. Of provider 4, names like
// tcp_reset_enabled, which 5 takes alone, are known of 4.73.
func (m *azureModule) versions() file {
	f := newFile("versions.tf")
	t := f.root.block("terraform")
	t.set("required_version", text(">= 1.7"))
	from := map[int]string{4: ">= 4.73, < 5.0", 5: ">= 5.0, < 6.0"}
	t.block("required_providers").set("azurerm", object(
		pair{"source", text("hashicorp/azurerm")},
		pair{"version", text(from[m.provider])},
	))
	return f
}

// main is main.tf.
func (m *azureModule) main() file {
	f := newFile("main.tf")
	l := f.root.block("locals")
	l.set("owns_security_group", code(`var.network_security_group_name == ""`))
	l.set("security_group_name", choose(code("local.owns_security_group"),
		code("one(azurerm_network_security_group.members[*].name)"), code("var.network_security_group_name")))
	l.set("security_group_resource_group", choose(code(`local.owns_security_group || var.network_security_group_resource_group_name == ""`),
		code("var.resource_group_name"), code("var.network_security_group_resource_group_name")))
	if m.Host != "" {
		l.set("zone_name", code(map[int]string{4: "var.private_dns_zone_name", 5: `regex("[^/]*$", var.private_dns_zone_id)`}[m.provider]))
	}
	m.balancer(f.root)
	m.pool(f.root)
	m.rule(f.root)
	m.record(f.root)
	m.alert(f.root)
	m.firewall(f.root)
	return f
}

// outputs is outputs.tf.
func (m *azureModule) outputs() file {
	f := newFile("outputs.tf")
	own := hclwrite.TokensForTuple([]hclwrite.Tokens{code("azurerm_lb.this.private_ip_address")})
	for _, o := range []struct {
		name, description string
		value             hclwrite.Tokens
	}{
		{"address", "The load balancer's address.", code("azurerm_lb.this.private_ip_address")},
		{"endpoint", "The endpoint of clients.", m.endpoint()},
		{"required_certificate_sans", "What the server certificate of every member must name beside the member itself.", object(
			pair{"dns_names", list(m.Names)},
			pair{"ip_addresses", call("distinct", call("concat", list(m.Addresses), own))},
		)},
		{
			"network_security_group_id", "The security group to attach to the members' network interfaces; null where one is brought along.",
			code("one(azurerm_network_security_group.members[*].id)"),
		},
		{"backend_address_pool_id", "The backend pool of the members.", code("azurerm_lb_backend_address_pool.members.id")},
	} {
		b := f.root.block("output", o.name)
		b.set("description", text(o.description))
		b.set("value", o.value)
	}
	return f
}

// endpoint is the URL that clients dial: by the name of the spec, else by the load balancer's address.
func (m *azureModule) endpoint() hclwrite.Tokens {
	if m.Host != "" {
		return text(fmt.Sprintf("%s://%s:%d", m.Scheme, m.Host, m.Port()))
	}
	return code(fmt.Sprintf(`"%s://${azurerm_lb.this.private_ip_address}:%d"`, m.Scheme, m.Port()))
}

// everybody are the names of all members, learners among them.
func (m *azureModule) everybody() []string {
	out := make([]string, len(m.etcd.Members))
	for i, e := range m.etcd.Members {
		out[i] = e.Name.V
	}
	slices.Sort(out)
	return out
}
