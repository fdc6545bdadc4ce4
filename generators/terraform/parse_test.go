package terraform

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// parsed reads one hand-written file that holds no error.
func parsed(t *testing.T, text string) *topology.Topology {
	t.Helper()
	got, diags := Target.Parse(target.Source{Path: ".", Files: []target.File{{Path: "main.tf", Data: []byte(text)}}})
	if len(diags) > 0 {
		t.Fatalf("unexpected diagnostics: %+v", diags)
	}
	return got
}

// show writes a value with its state, for tables.
func show[T any](v topology.Value[T]) string {
	return fmt.Sprint([]string{"unknown", "default ", "set "}[v.State], map[bool]any{true: v.V, false: ""}[v.Known()])
}

const balancer = `
resource "aws_lb" "etcd" {
  load_balancer_type = "network"
}
resource "aws_lb_listener" "etcd" {
  load_balancer_arn = aws_lb.etcd.arn
  port              = 2379
  protocol          = "TCP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.etcd.arn
  }
}
`

const group = `
resource "aws_lb_target_group" "etcd" {
  name     = "etcd-client-tg"
  port     = 2379
  protocol = "TCP"
  vpc_id   = var.vpc_id
}
`

// A module as people write it: instances by count, addressed by a function of the index, in variables nobody declared.
const handWritten = `
resource "aws_lb" "etcd" {
  name                             = "etcd-lb"
  internal                         = true
  load_balancer_type               = "network"
  subnets                          = var.private_subnets
  enable_cross_zone_load_balancing = true
}

resource "aws_lb_target_group" "clients" {
  name     = "etcd-tg"
  port     = 2379
  protocol = "TCP"
  vpc_id   = var.vpc_id

  health_check {
    protocol            = "TCP"
    port                = 2379
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_target_group_attachment" "nodes" {
  count            = 3
  target_group_arn = aws_lb_target_group.clients.arn
  target_id        = element(aws_instance.etcd.*.id, count.index)
  port             = 2379
}

resource "aws_lb_listener" "clients" {
  load_balancer_arn = aws_lb.etcd.arn
  port              = "2379"
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.clients.arn
  }
}
`

// The old way of writing: every expression in a template, resources by their older names.
const oldSyntax = `
variable "port" { default = "2379" }
resource "aws_alb" "etcd" {
  load_balancer_type = "network"
  internal           = "${var.internal}"
}
resource "aws_alb_target_group" "etcd" {
  name     = "etcd"
  port     = "${var.port}"
  protocol = "TCP"
}
resource aws_alb_target_group_attachment etcd
{
  target_group_arn = "${aws_alb_target_group.etcd.arn}"
  target_id        = "10.0.1.10"
}
resource "aws_alb_listener" "etcd" {
  load_balancer_arn = "${aws_alb.etcd.arn}"
  port              = "${var.port}"
  protocol          = "TCP"
  default_action {
    type             = "forward"
    target_group_arn = "${aws_alb_target_group.etcd.arn}"
  }
}
`

func TestHandWritten(t *testing.T) {
	p := parsed(t, handWritten).Proxies[0]
	c := p.Pools[0].Check
	for what, got := range map[string][2]string{
		"internal":       {show(p.Internal), "set true"},
		"cross zone":     {show(p.CrossZone), "set true"},
		"listener":       {show(p.Listeners[0].Binds[0].Port), "set 2379"},
		"idle":           {show(p.Listeners[0].Routes[0].Idle), "default 5m50s"},
		"route":          {show(p.Listeners[0].Routes[0].Pool), "set etcd-tg"},
		"check":          {show(c.Kind), "set tcp"},
		"check port":     {show(c.Port), "set 2379"},
		"interval":       {show(c.Interval), "set 10s"},
		"fall":           {show(c.Fall), "set 3"},
		"timeout":        {show(c.Timeout), "default 10s"},
		"three servers":  {fmt.Sprint(len(p.Pools[0].Servers)), "3"},
		"instance's":     {show(p.Pools[0].Servers[2].Host), "unknown"},
		"port of server": {show(p.Pools[0].Servers[2].Port), "set 2379"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %s, want %s", what, got[0], got[1])
		}
	}
}

// TestCrossZone: a target group may say it for itself, or leave it to its load balancer.
func TestCrossZone(t *testing.T) {
	for said, want := range map[string]string{
		"": "default false", `load_balancing_cross_zone_enabled = "use_load_balancer_configuration"`: "default false",
		`load_balancing_cross_zone_enabled = "true"`: "set true", "load_balancing_cross_zone_enabled = false": "set false",
		"load_balancing_cross_zone_enabled = var.cross": "unknown",
	} {
		p := parsed(t, strings.Replace(oldSyntax, `protocol = "TCP"`, "protocol = \"TCP\"\n"+said, 1)).Proxies[0]
		if got := show(p.CrossZone); got != want {
			t.Errorf("%q: got %s, want %s", said, got, want)
		}
	}
}

func TestOldSyntax(t *testing.T) {
	p := parsed(t, oldSyntax).Proxies[0]
	s := p.Pools[0].Servers[0]
	for what, got := range map[string][2]string{
		"variable without default": {show(p.Internal), "unknown"},
		"variable with default":    {show(p.Listeners[0].Binds[0].Port), "set 2379"},
		"server's name":            {show(s.Name), "set etcd"},
		"server's host":            {show(s.Host), "set 10.0.1.10"},
		"server's port":            {show(s.Port), "default 2379"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %s, want %s", what, got[0], got[1])
		}
	}
}

// What a health check does that says little or nothing.
func TestCheckDefaults(t *testing.T) {
	tests := []struct{ name, block, want string }{
		{
			"no block: what AWS does", ``,
			"default tcp, default 2379, unknown, default 30s, default 10s, default 2, default 5",
		},
		{
			"empty block: what the provider does", `health_check {}`,
			"default http, default 2379, default /, default 30s, default 6s, default 3, default 3",
		},
		{
			"traffic port", "health_check {\nprotocol = \"tcp\"\nport = \"traffic-port\"\n}",
			"set tcp, default 2379, unknown, default 30s, default 10s, default 3, default 3",
		},
		{
			"switched off", "health_check {\nenabled = false\n}",
			"set none, default 2379, unknown, default 30s, default 6s, default 3, default 3",
		},
		{
			"variable", "health_check {\nprotocol = var.p\nport = var.p\ninterval = var.p\n}",
			"unknown, unknown, unknown, unknown, unknown, default 3, default 3",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := balancer + strings.TrimSuffix(strings.TrimSpace(group), "}") + tt.block + "\n}\n"
			c := parsed(t, text).Proxies[0].Pools[0].Check
			got := strings.Join([]string{
				show(c.Kind), show(c.Port), show(c.Path), show(c.Interval), show(c.Timeout), show(c.Fall), show(c.Rise),
			}, ", ")
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A connection of an application load balancer stays as long as that says.
func TestApplicationBalancer(t *testing.T) {
	text := strings.NewReplacer(`"network"`, "\"application\"\n  idle_timeout = 120", `"TCP"`, `"HTTPS"`).Replace(balancer + group)
	l := parsed(t, text).Proxies[0].Listeners[0]
	if l.Mode.V != topology.HTTP || l.Routes[0].Idle.V != 2*time.Minute || l.Routes[0].Idle.Span.Line != 4 {
		t.Errorf("mode %s, idle %s at line %d; want http, 2m0s at line 4", l.Mode.V, l.Routes[0].Idle.V, l.Routes[0].Idle.Span.Line)
	}
}

// Targets are known by key, wherever the map stands.
func TestTargetsByKey(t *testing.T) {
	attachment := group + `
resource "aws_lb_target_group_attachment" "etcd" {
  for_each         = %s
  target_group_arn = aws_lb_target_group.etcd.arn
  target_id        = %s
}
variable "members" { default = { "etcd-1" = "10.0.1.10", etcd-2 = { ip = "10.0.1.11" } } }
variable "open" {}
locals {
  members = merge(var.open, { a = "10.0.1.1" })
  loop    = local.pool
  pool    = local.loop
}
`
	for each, want := range map[[2]string]string{
		{`{ "for" = "::1", b = "10.0.1.2" }`, `each.value`}:         "set for at set ::1, set b at set 10.0.1.2",
		{`var.members`, `each.value`}:                               "set etcd-1 at set 10.0.1.10, set etcd-2 at unknown",
		{`var.members`, `each.value.ip`}:                            "set etcd-1 at unknown, set etcd-2 at set 10.0.1.11",
		{`toset(["10.0.1.1", "10.0.1.1"])`, `each.value`}:           "set 10.0.1.1 at set 10.0.1.1",
		{`toset(["x"])`, `aws_instance.etcd[each.key].id`}:          "set x at unknown",
		{`{}`, `each.value`}:                                        "unknown at unknown", // targets may stand elsewhere
		{`var.open`, `each.value`}:                                  "unknown at unknown",
		{`local.members`, `each.value`}:                             "unknown at unknown",
		{`local.loop`, `each.value`}:                                "unknown at unknown",
		{`{ for k, v in var.members : k => v }`, `each.value`}:      "unknown at unknown",
		{`module.etcd.members`, `each.value.private_ip`}:            "unknown at unknown",
		{`length([]) == 0 ? { a = "10.0.1.9" } : {}`, `each.value`}: "set a at set 10.0.1.9",
	} {
		t.Run(each[0], func(t *testing.T) {
			var got []string
			for _, s := range parsed(t, fmt.Sprintf(attachment, each[0], each[1])).Proxies[0].Pools[0].Servers {
				got = append(got, show(s.Name)+" at "+show(s.Host))
			}
			if strings.Join(got, ", ") != want {
				t.Errorf("servers are %s, want %s", strings.Join(got, ", "), want)
			}
		})
	}
}

// What belongs to no load balancer of the folder is still judged.
func TestStrays(t *testing.T) {
	text := strings.Replace(balancer, "aws_lb.etcd.arn", "data.aws_lb.shared.arn", 1) + group
	got := parsed(t, text)
	if len(got.Proxies) != 2 {
		t.Fatalf("%d proxies, want the load balancer and the stray listener", len(got.Proxies))
	}
	stray := got.Proxies[1]
	if len(stray.Listeners) != 1 || stray.Pool("etcd-client-tg") == nil || stray.Internal.Known() {
		t.Errorf("stray proxy is %+v", stray)
	}
}

// A listener whose target group is elsewhere cuts idle connections all the same.
func TestForeignTargetGroup(t *testing.T) {
	r := parsed(t, balancer).Proxies[0].Listeners[0].Routes
	if len(r) != 1 || show(r[0].Pool) != "unknown" || show(r[0].Idle) != "default 5m50s" {
		t.Errorf("routes are %+v", r)
	}
}

// Override files win, argument by argument.
func TestOverride(t *testing.T) {
	src := target.Source{Path: ".", Files: []target.File{
		{Path: "a_override.tf", Data: []byte("resource \"aws_lb\" \"etcd\" {\n  internal = true\n}\n")},
		{Path: "main.tf", Data: []byte(balancer + group)},
	}}
	got, diags := Target.Parse(src)
	if len(diags) > 0 || len(got.Proxies) != 1 || show(got.Proxies[0].Internal) != "set true" {
		t.Errorf("proxies %+v, diagnostics %v", got.Proxies, diags)
	}
	if at := got.Proxies[0].Internal.Span.File; at != "a_override.tf" {
		t.Errorf("internal stands in %s", at)
	}
}

// Positions count runes and lead to the literal that decides, even in another file.
func TestPositions(t *testing.T) {
	src := target.Source{Path: ".", Files: []target.File{
		{Path: "main.tf", Data: []byte(balancer + group + `
resource "aws_lb_target_group_attachment" "x" {
  for_each         = var.members
  target_group_arn = aws_lb_target_group.etcd.arn
  target_id        = each.value
}
`)},
		{Path: "variables.tf", Data: []byte("variable \"members\" {\n  default = { \"ä👩‍💻\" = \"10.0.1.10\" }\n}\n")},
	}}
	got, _ := Target.Parse(src)
	s := got.Proxies[0].Pools[0].Servers[0]
	want := diag.Span{File: "variables.tf", Line: 2, Col: 24, EndLine: 2, EndCol: 35}
	if s.Host.Span != want {
		t.Errorf("host at %+v, want %+v", s.Host.Span, want)
	}
	idle := got.Proxies[0].Listeners[0].Routes[0].Idle
	if idle.Span != (diag.Span{File: "main.tf", Line: 5, Col: 1, EndLine: 5, EndCol: 34}) {
		t.Errorf("default of idle at %+v, want the listener's header", idle.Span)
	}
}

// A syntax error is said where it is, and the rest is read.
func TestSyntaxError(t *testing.T) {
	src := target.Source{Path: ".", Files: []target.File{
		{Path: "broken.tf", Data: []byte("locals {\n  a = = 1\n}\n")},
		{Path: "main.tf", Data: []byte(balancer + group)},
	}}
	got, diags := Target.Parse(src)
	if len(got.Proxies) != 1 {
		t.Errorf("%d proxies beside the broken file", len(got.Proxies))
	}
	if len(diags) == 0 || diags[0].Rule != "syntax" || diags[0].Severity != diag.Error || diags[0].Span.File != "broken.tf" || diags[0].Span.Line != 2 {
		t.Errorf("diagnostics are %+v", diags)
	}
}

// A masked placeholder is unknown.
func TestPlaceholder(t *testing.T) {
	text := strings.Replace(balancer, "2379", `"`+topology.Hole+topology.Hole+`"`, 1) + group
	if port := parsed(t, text).Proxies[0].Listeners[0].Binds[0].Port; port.Known() {
		t.Errorf("port is %s", show(port))
	}
}

// Values that multiply through each other end the evaluation, not the program.
func TestBombs(t *testing.T) {
	var text, tuple strings.Builder
	text.WriteString("locals {\n  s0 = \"x\"\n  t0 = [1]\n")
	for i := 1; i < 64; i++ {
		fmt.Fprintf(&text, "  s%d = \"${local.s%d}${local.s%d}\"\n  t%d = concat(local.t%d, local.t%d)\n", i, i-1, i-1, i, i-1, i-1)
	}
	text.WriteString("}\n" + balancer + group)
	fmt.Fprintf(&tuple, "resource \"aws_lb_target_group_attachment\" \"etcd\" {\n  for_each = local.t63\n"+
		"  target_group_arn = aws_lb_target_group.etcd.arn\n  target_id = local.s63\n}\n")
	servers := parsed(t, text.String()+tuple.String()).Proxies[0].Pools[0].Servers
	if len(servers) != 1 || servers[0].Host.Known() {
		t.Errorf("servers are %v", servers)
	}
}

// TestGroupsByKey: what for_each makes of one target group are several, and those of the same key belong together.
func TestGroupsByKey(t *testing.T) {
	top := parsed(t, `
locals {
  ports = { client = 2379, peer = 2380 }
}
resource "aws_lb_target_group" "etcd" {
  for_each = local.ports
  port     = each.value
  protocol = "TCP"
}
resource "aws_lb_listener" "etcd" {
  for_each = local.ports
  port     = each.value
  protocol = "TCP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.etcd[each.key].arn
  }
}
`)
	var got []string
	p := &top.Proxies[0]
	for _, l := range p.Listeners {
		pool := p.Pool(l.Routes[0].Pool.V)
		got = append(got, fmt.Sprintf("%s > %s > %s", show(l.Binds[0].Port), pool.Name.V, show(pool.Servers[0].Port)))
	}
	if want := "set 2379 > etcd[client] > set 2379, set 2380 > etcd[peer] > set 2380"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
}

// TestVariableFiles: Terraform reads some files by itself, the later ones in force; whether it reads others depends on how
// it is called.
func TestVariableFiles(t *testing.T) {
	file := func(path, text string) target.File { return target.File{Path: path, Data: []byte(text)} }
	const idle = "resource \"aws_lb_listener\" \"etcd\" {\n  port = 2379\n  protocol = \"TCP\"\n  tcp_idle_timeout_seconds = var.idle\n}\n" +
		"variable \"idle\" {\n  default = 60 * 6\n}\n"
	for name, tc := range map[string]struct {
		files []target.File
		want  string
		at    string
	}{
		"none":       {nil, "set 6m0s", "main.tf"},
		"one":        {[]target.File{file("terraform.tfvars", "idle = 600\n")}, "set 10m0s", "terraform.tfvars"},
		"two":        {[]target.File{file("a.auto.tfvars", "idle = 1200\n"), file("terraform.tfvars", "idle = 600\n")}, "set 20m0s", "a.auto.tfvars"},
		"optional":   {[]target.File{file("prod.tfvars", "idle = 60\n"), file("terraform.tfvars", "idle = 600\n")}, "unknown", "main.tf"},
		"of another": {[]target.File{file("prod.tfvars", "name = \"etcd\"\n")}, "set 6m0s", "main.tf"},
	} {
		t.Run(name, func(t *testing.T) {
			top, diags := Target.Parse(target.Source{Path: ".", Files: append(tc.files, file("main.tf", idle))})
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			got := top.Proxies[0].Listeners[0].Routes[0].Idle
			if show(got) != tc.want || got.Span.File != tc.at {
				t.Errorf("got %s at %v, want %s in %s", show(got), got.Span, tc.want, tc.at)
			}
		})
	}
}
