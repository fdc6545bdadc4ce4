package terraform

import (
	"testing"
	"unicode/utf8"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
)

// Whatever a folder holds, reading it neither fails nor hangs, says what it cannot read, and points into the text.
func FuzzParse(f *testing.F) {
	for _, c := range cases() {
		out, _ := Target.Render(c.topology(), c.options(), target.Header{Spec: "spec.cue"})
		for _, a := range out {
			f.Add(a.Data)
		}
	}
	for _, text := range []string{
		handWritten, oldSyntax, balancer + group,
		googlePassthrough, googleProxy, azure, classicBalancer,
		"resource \"google_compute_firewall\" \"x\" {\n  allow {\n    ports = [\"1-\", \"99999999999999999999\", null]\n  }\n}\n",
		"resource \"azurerm_network_security_rule\" \"x\" {\n  destination_port_ranges = \"*\"\n  source_address_prefix = []\n}\n",
		"module \"nlb\" {\n  source = \"terraform-aws-modules/alb/aws\"\n  listeners = { etcd = { port = 2379 } }\n}\n",
		"resource \"aws_lb\" \"x\" {\n  name = <<-EOT\n    etcd ${var.a}\n  EOT\n}\n",
		"locals {\n  a = local.b\n  b = [for x in local.a : x if x != null]...\n}\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, diags := Target.Parse(target.Source{Path: ".", Files: []target.File{{Path: "main.tf", Data: data}}})
		if got == nil || got.Format != targetName {
			t.Fatalf("no topology")
		}
		for _, d := range diags {
			if d.Rule != "syntax" || d.Message == "" {
				t.Errorf("diagnostic %+v", d)
			}
			if d.Span.Col > utf8.RuneCount(data)+1 {
				t.Errorf("column %d is outside of the text", d.Span.Col)
			}
		}
	})
}
