package certificates

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

//go:embed step-ca.sh
var issue string

// script asks a step-ca for one certificate at a time. What it asks for stands in one table.
func script(t *topology.Topology, header target.Header) target.Artifact {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	for _, l := range header.Lines() {
		b.WriteString("# " + l + "\n")
	}
	fmt.Fprintf(&b, "# Asks step-ca for a certificate of the etcd cluster %s. Run it on the machine that uses the certificate, so that\n", t.Name.V)
	b.WriteString("# the key never leaves it; `step ca bootstrap` tells that machine of the CA before. step-ca grants both usages of TLS\n" +
		"# unless a template of its own says otherwise.\n")
	b.WriteString("set -eu\n\n# known chooses the common name and the alternative names of a certificate.\nknown() {\n\tcase $1 in\n")
	for _, r := range t.Required {
		fmt.Fprintf(&b, "\t%s)\n\t\tsubject=%s\n\t\tsans='%s'\n\t\t;;\n", r.Holder.Path(), r.Name, strings.Join(r.SANs(), " "))
	}
	b.WriteString("\t*) return 1 ;;\n\tesac\n}\n\nlist() {\n\tcat <<'TEXT'\n")
	for _, r := range t.Required {
		fmt.Fprintf(&b, "  %-32s %s\n", r.Holder.Path(), strings.Join(append([]string{purpose(r)}, expected(r)...), " "))
	}
	b.WriteString("TEXT\n}\n\n" + issue)
	return target.Artifact{Path: "certificates/step-ca.sh", Data: []byte(b.String()), Exec: true}
}
