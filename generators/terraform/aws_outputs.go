package terraform

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

// outputs is outputs.tf: what the users of the load balancer need to know.
func (m *awsModule) outputs() file {
	f := newFile("outputs.tf")
	for _, o := range []struct {
		name, description string
		value             hclwrite.Tokens
	}{
		{"dns_name", "The load balancer's own name.", code("aws_lb.this.dns_name")},
		{"addresses", "The load balancer's fixed address by zone; empty where AWS chooses.", code("var.addresses")},
		{"endpoint", "The endpoint of clients.", m.endpoint()},
		{"required_certificate_sans", "What the server certificate of every member must name beside the member itself.", m.sans()},
		{"security_group_ids", "The security groups of the load balancer.", code("local.balancer_group_ids")},
		{"member_security_group_id", "The security group to attach to every member.", code("local.member_group_id")},
	} {
		b := f.root.block("output", o.name)
		b.set("description", text(o.description))
		b.set("value", o.value)
	}
	return f
}

// endpoint is the URL that clients dial: by the name of the spec, else by the load balancer's own.
func (m *awsModule) endpoint() hclwrite.Tokens {
	if m.Host != "" {
		return text(fmt.Sprintf("%s://%s:%d", m.Scheme, m.Host, m.Port()))
	}
	return code(fmt.Sprintf(`"%s://${aws_lb.this.dns_name}:%d"`, m.Scheme, m.Port()))
}

func (m *awsModule) sans() hclwrite.Tokens {
	own := hclwrite.TokensForTuple([]hclwrite.Tokens{code("aws_lb.this.dns_name")})
	return object(
		pair{"dns_names", call("concat", list(m.Names), own)},
		pair{"ip_addresses", call("distinct", call("concat", list(m.Addresses), code("values(var.addresses)")))},
	)
}
