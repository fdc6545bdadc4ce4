// Package cloudcli writes shell scripts that put up the load balancers of target terraform by the clouds' own command
// lines. A script can be run again: it compares what is there with what the spec says, and changes what differs.
package cloudcli

import (
	_ "embed"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const targetName = "cloudcli"

// Target writes a script for each cloud that the options name.
var Target = target.Target{
	Name:   targetName,
	Doc:    "scripts of aws and gcloud calls that put up the load balancers of target terraform, and can be run again",
	Render: render,
}

// The parts of scripts that are the same for all clusters.
var (
	//go:embed common.sh
	common string
	//go:embed aws.sh
	awsFind string
	//go:embed aws_apply.sh
	awsApply string
	//go:embed gcp.sh
	gcpFind string
	//go:embed gcp_apply.sh
	gcpApply string
)

func render(t *topology.Topology, options *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	var out []target.Artifact
	add := func(path string, s *script, parts ...string) {
		data := "#!/bin/sh\n" + comment(header.Lines()) + "#\n" + s.text.String() + "\n" + strings.Join(parts, "\n") + "\nmain \"$@\"\n"
		out = append(out, target.Artifact{Path: path, Data: []byte(data), Exec: true})
	}
	if b := t.CloudBalancer(targetName, "aws"); b != nil {
		add("cloudcli/aws.sh", aws(b, t.Etcd, options.Get("aws")), common, awsFind, awsApply)
	}
	if b := t.CloudBalancer(targetName, "gcp"); b != nil {
		add("cloudcli/gcp.sh", gcp(b, t.Etcd, options.Get("gcp")), common, gcpFind, gcpApply)
	}
	return out, nil
}

func comment(lines []string) string {
	return "# " + strings.Join(lines, "\n# ") + "\n"
}

// script is the part of a script that the spec decides: variables, and functions that print lists.
type script struct{ text strings.Builder }

func newScript(about ...string) *script {
	s := &script{}
	s.text.WriteString(comment(about) + "set -eu\n\n")
	return s
}

// set writes a variable.
func (s *script) set(name, value string) {
	s.text.WriteString(name + "=" + quote(value) + "\n")
}

func (s *script) number(name string, value int) { s.set(name, strconv.Itoa(value)) }

// list writes a function that prints lines.
func (s *script) list(name string, lines []string) {
	s.text.WriteString("\n" + name + "() {\n")
	if len(lines) == 0 {
		s.text.WriteString("\t:\n}\n")
		return
	}
	s.text.WriteString("\tcat <<'TEXT'\n" + strings.Join(lines, "\n") + "\nTEXT\n}\n")
}

// quote is a value as one word of a shell.
func quote(value string) string {
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// pairs are words KEY=VALUE, in the order of the keys; none where a key has no value.
func pairs(keys []string, value func(string) string) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		v := value(k)
		if v == "" {
			return ""
		}
		out[i] = k + "=" + v
	}
	return strings.Join(out, " ")
}

// ports are numbers with something between them.
func ports(all []topology.PortRange, between string) string {
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = strconv.Itoa(p.First)
	}
	return strings.Join(out, between)
}

// metricsPort is "" where members have no port for metrics alone.
func metricsPort(e topology.Etcd) string {
	if !e.MetricsPort.Known() {
		return ""
	}
	return strconv.Itoa(e.MetricsPort.V)
}

// check writes the variables of the health check.
func (s *script) check(c topology.Check, kind func(string) string) {
	s.set("check_kind", kind(string(c.Kind.V)))
	s.number("check_port", c.Port.V)
	path := ""
	if c.Kind.V != topology.CheckTCP {
		path = c.Path.V
	}
	s.set("check_path", path)
	s.number("check_interval", int(c.Interval.V.Seconds()))
	s.number("check_timeout", int(c.Timeout.V.Seconds()))
	s.number("check_rise", c.Rise.V)
	s.number("check_fall", c.Fall.V)
}
