package certificates

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// request is a request of one certificate for openssl. The same file tells the CA's openssl what to grant, since a CA
// copies nothing from requests by itself.
func request(t *topology.Topology, r topology.Required, header target.Header) target.Artifact {
	file := "certificates/openssl/" + r.Holder.Path() + ".cnf"
	var b bytes.Buffer
	comment := func(lines ...string) {
		for _, l := range lines {
			b.WriteString(strings.TrimRight("# "+l, " ") + "\n")
		}
	}
	comment(header.Lines()...)
	comment("")
	comment(purpose(r))
	comment(reasons(t, r)...)
	comment(expected(r)...)
	comment(
		"",
		"On the machine that uses it, so that the key never leaves it:",
		"  "+requestCommand(r),
		"Where the CA's key is:",
		"  "+signCommand(r),
	)
	b.WriteString("\n[req]\nprompt = no\nutf8 = yes\nstring_mask = utf8only\ndistinguished_name = subject\nreq_extensions = extensions\n")
	fmt.Fprintf(&b, "\n[subject]\nCN = %s\n", r.Name)
	b.WriteString("\n[extensions]\nbasicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature, keyEncipherment\n")
	fmt.Fprintf(&b, "extendedKeyUsage = %s\n", strings.Join(r.Usages(), ", "))
	if len(r.Names)+len(r.Addrs) > 0 {
		b.WriteString("subjectAltName = @alternatives\n\n[alternatives]\n")
	}
	for i, n := range r.Names {
		fmt.Fprintf(&b, "DNS.%d = %s\n", i+1, n)
	}
	for i, a := range r.Addrs {
		fmt.Fprintf(&b, "IP.%d = %s\n", i+1, a)
	}
	return target.Artifact{Path: file, Data: b.Bytes()}
}

// base is what the files of one certificate are called where they are made.
func base(r topology.Required) string { return r.Holder.Kind + "-" + r.Holder.Name }

// requestCommand makes a key and a request of it, in the folder of all files.
func requestCommand(r topology.Required) string {
	return fmt.Sprintf("openssl req -new -config certificates/openssl/%s.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "+
		"-keyout %[2]s.key -out %[2]s.csr", r.Holder.Path(), base(r))
}

// signCommand makes the certificate of a request, as the owner of a CA does.
func signCommand(r topology.Required) string {
	return fmt.Sprintf("openssl x509 -req -in %[2]s.csr -extfile certificates/openssl/%[1]s.cnf -extensions extensions "+
		"-CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -sha256 -out %[2]s.crt", r.Holder.Path(), base(r))
}
