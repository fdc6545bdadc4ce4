package terraform

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// dnsTTL is how long clients may hold an answer that has become wrong, in seconds.
const dnsTTL = 30

// dnsModule is what the module of a name is made of that leads to the first of several load balancers that is well.
type dnsModule struct {
	*topology.Failover
	name, scheme, zone string
}

// renderDNS writes the records and what they ask for the health of load balancers.
func renderDNS(t *topology.Topology, options *topology.Tree) ([]file, diag.List) {
	if t.Failover == nil || len(t.Failover.Endpoints) < 2 {
		return nil, nil
	}
	m := dnsModule{
		Failover: t.Failover, name: "etcd-" + t.Name.V, scheme: t.Etcd.Scheme.V,
		zone: topology.Get[string](options, "zone").V,
	}
	if topology.Get[string](options, "provider").V == "clouddns" {
		c := cloudDNS{m}
		return []file{version("google", ">= 6.0, < 8.0"), variablesFile(c.variables()), c.main(), m.outputs("google_dns_record_set.this"), c.tests()}, nil
	}
	r := route53{m}
	return []file{version("aws", ">= 5.0, < 7.0"), variablesFile(r.variables()), r.main(), m.outputs("aws_route53_record.last"), r.tests()}, nil
}

// version is versions.tf of a module that is alike in several majors of its provider.
func version(provider, bounds string) file {
	f := newFile("versions.tf")
	t := f.root.block("terraform")
	t.set("required_version", text(">= 1.7"))
	t.block("required_providers").set(provider, object(pair{"source", text("hashicorp/" + provider)}, pair{"version", text(bounds)}))
	return f
}

func variablesFile(variables []variable) file {
	f := newFile("variables.tf")
	for _, v := range variables {
		f.root.variable(v)
	}
	return f
}

// outputs is outputs.tf.
func (m dnsModule) outputs(record string) file {
	f := newFile("outputs.tf")
	b := f.root.block("output", "endpoint")
	b.set("description", text("The endpoint of clients."))
	b.set("value", text(fmt.Sprintf("%s://%s:%d", m.scheme, m.Host, m.Port)))
	b = f.root.block("output", "record")
	b.set("description", text("The record of that name."))
	b.set("value", code(record+".id"))
	return f
}

// endpointsVariable is where the load balancers are.
func (m dnsModule) endpointsVariable() variable {
	addresses := map[string]string{}
	for _, e := range m.Endpoints {
		addresses[e.Name] = e.Address.V.String()
	}
	width, family := 32, "IPv4"
	if m.kind() == "AAAA" {
		width, family = 128, "IPv6"
	}
	return variable{
		name: "endpoints", kind: "map(string)", fallback: mapOf(addresses),
		description: "The address of each load balancer, by its name in the spec.",
		checks: []check{
			keysOf("endpoints", m.names(m.Endpoints)),
			{
				code(fmt.Sprintf(`alltrue([for address in values(var.endpoints) : can(cidrhost("${address}/%d", 0))])`, width)),
				"endpoints: write " + family + " addresses.",
			},
		},
	}
}

// keysOf checks that a map has an entry for each name, and no other.
func keysOf(variable string, names []string) check {
	return check{
		equals(code("toset(keys(var."+variable+"))"), call("toset", list(names))),
		variable + ": name each of the spec's endpoints that needs one, and no other.",
	}
}

// kind is the type of the record.
func (m dnsModule) kind() string {
	if m.Endpoints[0].Address.V.Is6() {
		return "AAAA"
	}
	return "A"
}

func (m dnsModule) names(endpoints []topology.FailoverEndpoint) []string {
	out := make([]string, len(endpoints))
	for i, e := range endpoints {
		out[i] = e.Name
	}
	return out
}

// nameOf is the name that a resource gives its instance for an endpoint.
func nameOf(resource, endpoint string) hclwrite.Tokens {
	return slices.Concat(entry(resource, endpoint), sign(hclsyntax.TokenDot, "."), hclwrite.TokensForIdentifier("name"))
}

// entry looks an endpoint up in a map.
func entry(expression, endpoint string) hclwrite.Tokens {
	return append(code(expression), hclwrite.TokensForTuple([]hclwrite.Tokens{text(endpoint)})...)
}
