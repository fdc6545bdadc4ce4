package terraform

import (
	"fmt"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// line is a rule in words: protocol, ports and who is admitted.
func line(r topology.FirewallRule) string {
	var ports []string
	for _, p := range r.Ports {
		ports = append(ports, fmt.Sprintf("%d-%d", p.First, p.Last))
	}
	from := "?"
	switch {
	case r.From.Known():
		from = r.From.V.String()
	case r.FromName.Known():
		from = r.FromName.V
	}
	limited := map[bool]string{true: " perhaps"}[r.Limited]
	return strings.TrimSpace(fmt.Sprintf("%s %s from %s%s", r.Protocol, strings.Join(ports, ","), from, limited))
}

func lines(firewalls []topology.Firewall) string {
	var out []string
	for _, f := range firewalls {
		for _, r := range f.Rules {
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s v%d: %s", f.Role, f.Name.V, f.Family, line(r))))
		}
	}
	return strings.Join(out, "\n")
}

// Each way of writing a rule means the same.
func TestRules(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"inline blocks", `
resource "aws_security_group" "etcd" {
  name = "etcd"
  ingress {
    from_port   = 2379
    to_port     = 2380
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8", var.office]
    self        = true
  }
  ingress {
    from_port        = 0
    to_port          = 0
    protocol         = "-1"
    ipv6_cidr_blocks = ["::/0"]
  }
}`, `
etcd v4: tcp 2379-2380 from 10.0.0.0/8
etcd v4: tcp 2379-2380 from ?
etcd v4: tcp 2379-2380 from etcd
etcd v6: from ::/0`},
		{"list of objects", `
resource "aws_security_group" "etcd" {
  ingress = [{ from_port = 2380, to_port = 2380, protocol = "tcp", cidr_blocks = ["0.0.0.0/0"], self = false, security_groups = null }]
}`, `
v4: tcp 2380-2380 from 0.0.0.0/0`},
		{"rule resources", `
resource "aws_security_group" "etcd" { name = "etcd" }
resource "aws_security_group" "api" { name = var.name }
resource "aws_security_group_rule" "in" {
  type                     = "ingress"
  security_group_id        = aws_security_group.etcd.id
  from_port                = 2379
  to_port                  = 2379
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.api.id
}
resource "aws_security_group_rule" "out" {
  type              = "egress"
  security_group_id = aws_security_group.etcd.id
  from_port         = 0
  to_port           = 0
  protocol          = "-1"
  cidr_blocks       = ["0.0.0.0/0"]
}
resource "aws_vpc_security_group_ingress_rule" "in" {
  security_group_id = "${aws_security_group.etcd.id}"
  from_port         = var.port
  to_port           = var.port
  ip_protocol       = "tcp"
  cidr_ipv4         = "10.0.0.0/8"
}
resource "aws_vpc_security_group_ingress_rule" "known" {
  security_group_id            = aws_security_group.etcd.id
  from_port                    = 2379
  to_port                      = 2379
  ip_protocol                  = "6"
  referenced_security_group_id = "sg-0123"
}`, `
etcd v4: tcp 2379-2379 from sg-0123
etcd v4: tcp 2379-2379 from api
etcd v4: tcp  from 10.0.0.0/8 perhaps`},
		{"unknown number of rules", `
resource "aws_vpc_security_group_ingress_rule" "in" {
  for_each          = var.networks
  security_group_id = var.group
  from_port         = 2380
  to_port           = 2380
  ip_protocol       = "tcp"
  cidr_ipv4         = each.value
}
resource "aws_security_group" "etcd" {
  dynamic "ingress" {
    for_each = toset(["2379", "2380"])
    iterator = port
    content {
      from_port   = port.value
      to_port     = port.value
      protocol    = "tcp"
      cidr_blocks = ["10.0.0.0/8"]
    }
  }
}`, `
v4: tcp 2379-2379,2380-2380 from 10.0.0.0/8
v4: tcp 2380-2380 from ?`},
		{"not made", `
variable "ids" { default = ["sg-1"] }
resource "aws_security_group" "etcd" {
  count = length(var.ids) > 0 ? 0 : 1
  ingress {
    from_port   = 2379
    to_port     = 2379
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}`, ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := lines(parsed(t, tt.text).Firewalls), strings.TrimPrefix(tt.want, "\n"); !sameLines(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// sameLines compares without regard to the order of kinds of resources.
func sameLines(a, b string) bool {
	count := map[string]int{}
	for _, l := range strings.Split(a, "\n") {
		count[l]++
	}
	for _, l := range strings.Split(b, "\n") {
		count[l]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// The group of a load balancer is known by being that, the members' by letting it reach them.
func TestRoles(t *testing.T) {
	rule := `
resource "aws_security_group" "%[1]s" {}
resource "aws_vpc_security_group_ingress_rule" "%[1]s" {
  security_group_id            = aws_security_group.%[1]s.id
  from_port                    = %[2]d
  to_port                      = %[2]d
  ip_protocol                  = "tcp"
  referenced_security_group_id = aws_security_group.lb.id
}`
	text := strings.Replace(balancer, `"network"`, "\"network\"\n  security_groups = [aws_security_group.lb.id]", 1) + group + `
resource "aws_lb_target_group_attachment" "etcd" {
  target_group_arn = aws_lb_target_group.etcd.arn
  target_id        = "10.0.1.10"
}
resource "aws_security_group" "lb" {
  ingress {
    from_port   = 2379
    to_port     = 2379
    protocol    = "tcp"
    cidr_blocks = ["10.0.2.0/24"]
  }
}` + fmt.Sprintf(rule, "etcd", 2379) + fmt.Sprintf(rule, "web", 443)
	want := `balancer  v4: tcp 2379-2379 from 10.0.2.0/24
members  v4: tcp 2379-2379 from balancer
v4: tcp 443-443 from balancer`
	if got := lines(parsed(t, text).Firewalls); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
