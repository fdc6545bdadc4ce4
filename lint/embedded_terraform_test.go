package lint

import (
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// TestHeredocs: texts in Terraform are called what stands beside them, and end where Terraform says.
func TestHeredocs(t *testing.T) {
	for name, tc := range map[string]struct {
		hcl, name, body string
	}{
		"a script":          {"user_data = <<-EOF\n  #!/bin/sh\n  x\n  EOF\n", "", "  #!/bin/sh\n  x\n"},
		"a path before it":  {"resource \"a\" \"b\" {\n  path = \"/etc/a.cfg\"\n  content {\n    content = <<EOF\nx\nEOF\n  }\n}\n", "etc/a.cfg", "x\n"},
		"a path behind it":  {"resource \"a\" \"b\" {\n  content = <<EOF\nx\nEOF\n  filename = \"/etc/a.cfg\"\n}\n", "etc/a.cfg", "x\n"},
		"a drop-in":         {"dropin = [{\n  name = \"40-x.conf\"\n  content = <<EOF\nx\nEOF\n}]\n", "40-x.conf", "x\n"},
		"a resource's name": {"resource \"a\" \"b\" {\n  name = \"etcd\"\n  script = <<EOF\nx\nEOF\n}\n", "", "x\n"},
		"another resource":  {"resource \"a\" \"b\" {\n  path = \"/x\"\n}\nresource \"c\" \"d\" {\n  y = <<EOF\nx\nEOF\n}\n", "", "x\n"},
		"commands":          {"inline = [\n  \"x\", # first\n  \"y\"\n]\n", "inline.sh", "xy"},
	} {
		found := heredocs([]byte(tc.hcl), piece{to: len(tc.hcl), literal: true})
		if len(found) != 1 {
			t.Errorf("%s: %d texts", name, len(found))
			continue
		}
		body := ""
		for _, p := range found[0].pieces {
			body += tc.hcl[p.from:p.to]
		}
		if found[0].name != tc.name || body != tc.body {
			t.Errorf("%s: %q %q", name, found[0].name, body)
		}
	}
	for _, none := range []string{"# x = <<EOF\n", "/*\nx = <<EOF\ny\nEOF\n*/\n", "inline = [\n]\n", "inline = [\n  local.x,\n]\n", "x = 1 << 2\n"} {
		if found := heredocs([]byte(none), piece{to: len(none), literal: true}); len(found) > 0 {
			t.Errorf("%q: %v", none, found)
		}
	}
}

func TestInterpolate(t *testing.T) {
	const text = "a=${join(\",\", [for x in y : \"${x}\"])} b=$${C} $D %{ if e }f%{ endif } g=${h}"
	body := []byte(text)
	body = interpolated(body)
	if len(body) != len(text) {
		t.Fatalf("moved: %q", body)
	}
	words := strings.Fields(string(body))
	if len(words) != 5 || words[1] != "b=$${C}" || words[2] != "$D" || words[3] != "f" {
		t.Fatalf("%q", words)
	}
	for _, i := range []int{0, 4} {
		if !topology.IsHole(words[i][2:]) {
			t.Errorf("%q is taken to be text", words[i])
		}
	}
}
