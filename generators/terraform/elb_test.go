package terraform

import (
	"strings"
	"testing"
)

const classicBalancer = `
resource "aws_elb" "etcd" {
  name      = "etcd"
  subnets   = var.subnets
  instances = ["i-1", "i-2", "i-3"]
  listener {
    instance_port     = 2379
    instance_protocol = "tcp"
    lb_port           = 2379
    lb_protocol       = "ssl"
  }
  listener {
    instance_port     = 2380
    instance_protocol = "TCP"
    lb_port           = 2380
    lb_protocol       = "TCP"
  }
  health_check {
    target              = "HTTPS:2379/health"
    interval            = 30
    timeout             = 3
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}
`

func TestClassicBalancer(t *testing.T) {
	p := parsed(t, classicBalancer).Proxies[0]
	b := p.Pools[0]
	for what, got := range map[string][2]string{
		"platform":       {p.Platform, "aws-classic"},
		"internal":       {show(p.Internal), "default false"},
		"idle":           {show(p.Listeners[0].Routes[0].Idle), "default 1m0s"},
		"mode":           {show(p.Listeners[0].Mode), "set tcp"},
		"check":          {show(b.Check.Kind), "set https"},
		"check's port":   {show(b.Check.Port), "set 2379"},
		"check's path":   {show(b.Check.Path), "set /health"},
		"instances":      {show(b.Servers[2].Port), "set 2379"},
		"second pool":    {show(p.Pools[1].Name), "set etcd:2380"},
		"its port":       {show(p.Pools[1].Servers[0].Port), "set 2380"},
		"cross zone":     {show(p.CrossZone), "unknown"},
		"security group": {show(p.Firewalled), "unknown"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %s, want %s", what, got[0], got[1])
		}
	}
	i := strings.Index(classicBalancer, "  health_check")
	if c := parsed(t, classicBalancer[:i]+"}\n").Proxies[0].Pools[0].Check; show(c.Kind) != "default tcp" || show(c.Interval) != "default 30s" {
		t.Errorf("without a health check it is %s every %s", show(c.Kind), show(c.Interval))
	}
}

// What only a network load balancer leaves to choose is unknown of another one.
func TestNetworkBalancer(t *testing.T) {
	for args, want := range map[string]string{
		`load_balancer_type = "network"`:     "default false, default false, unknown",
		`load_balancer_type = "application"`: "unknown, unknown, unknown",
		``:                                   "unknown, unknown, unknown",
		`load_balancer_type = var.type`:      "unknown, unknown, unknown",
		"load_balancer_type = \"network\"\nsecurity_groups = var.groups\nsubnets = [1, 2]":                          "default false, unknown, set 2",
		"load_balancer_type = \"network\"\nsecurity_groups = [var.group]\nsubnet_mapping {\n}\nsubnet_mapping {\n}": "default false, set true, set 2",
	} {
		p := parsed(t, "resource \"aws_lb\" \"etcd\" {\n"+args+"\n}\n").Proxies[0]
		if got := strings.Join([]string{show(p.CrossZone), show(p.Firewalled), show(p.Zones)}, ", "); got != want {
			t.Errorf("%s: got %s, want %s", args, got, want)
		}
	}
}

// A target group says what it does with connections, or the provider's defaults do.
func TestTargetGroupConnections(t *testing.T) {
	for args, want := range map[string]string{
		``:                              "default false, default true, default true",
		`connection_termination = true`: "set true, default true, default true",
		"target_type = \"ip\"\ntarget_health_state {\nenable_unhealthy_connection_termination = false\n}": "default false, set false, default false",
		`target_type = var.type`:         "default false, default true, unknown",
		`preserve_client_ip = "false"`:   "default false, default true, set false",
		`preserve_client_ip = var.keeps`: "default false, default true, unknown",
	} {
		b := parsed(t, strings.TrimSuffix(strings.TrimSpace(group), "}")+args+"\n}\n").Proxies[0].Pools[0]
		if got := strings.Join([]string{show(b.CutOnRemoval), show(b.CutOnDown), show(b.KeepsSource)}, ", "); got != want {
			t.Errorf("%s: got %s, want %s", args, got, want)
		}
	}
}
