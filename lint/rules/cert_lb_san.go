package rules

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var certLBSAN = Rule{
	ID:       "cert-lb-san",
	Title:    "a member's certificate does not hold what clients dial",
	Severity: "error",
	Why: "Through a passthrough load balancer clients meet the member's own certificate. Where the name or address they dialed is " +
		"not among its subject alternative names, every handshake fails (\"certificate is valid for …, not …\"). A name counts only as " +
		"a DNS entry, an address only as an IP entry, the common name never.",
	Fix: "Issue the members' server certificates anew with the missing entries. In a spec, add them to `cluster.tls.altNames` or " +
		"`altIPs`, or leave these out: then they are derived.",
	References: []string{
		"kubernetes-sigs/kubespray#2156", "kubernetes-sigs/kubespray#11388", "kubernetes/website#30716",
		"https://www.rfc-editor.org/rfc/rfc6125#section-6.4",
	},
	Check:    checkCertLBSAN,
	Unjudged: certLBSANUnjudged,
}

func checkCertLBSAN(g *topology.Group) diag.List {
	var out diag.List
	for _, t := range g.Sources {
		for i := range t.Certificates {
			c := &t.Certificates[i]
			switch {
			case !faces(g, c):
			case c.Declared:
				out = append(out, missingDeclared(g, c)...)
			case g.CertRole(c) == topology.ServerCert && g.IsEtcdCertificate(c):
				out = append(out, missingHeld(g, c)...)
			}
		}
	}
	return out
}

// faces reports whether a certificate may be what clients of the load balancer are shown: where it ends their TLS its own,
// else a member's.
func faces(g *topology.Group, c *topology.Certificate) bool {
	own := false
	for _, l := range g.EtcdListeners() {
		if l.TLS.V {
			own = true
			if file := l.Certificate.Cert.V; file != "" && path.Base(file) == path.Base(c.Span.File) {
				return true
			}
		}
	}
	return !own
}

// missingDeclared compares what clients dial with the lists that a spec gives itself. Loopback is always in a member's
// certificate.
func missingDeclared(g *topology.Group, c *topology.Certificate) diag.List {
	var out diag.List
	names, addrs := missing(g, c)
	if c.Names.State == topology.Set && len(names) > 0 {
		out = append(out, sanDiagnostic("the declared alternative names lack", names, c.Names.Span,
			fmt.Sprintf("add %s here, or leave the list out to have it derived", hosts(names))))
	}
	addrs = slices.DeleteFunc(addrs, func(v topology.Value[string]) bool {
		a, err := netip.ParseAddr(v.V)
		return err == nil && a.IsLoopback()
	})
	if c.Addrs.State == topology.Set && len(addrs) > 0 {
		out = append(out, sanDiagnostic("the declared alternative addresses lack", addrs, c.Addrs.Span,
			fmt.Sprintf("add %s here, or leave the list out to have it derived", hosts(addrs))))
	}
	return out
}

// missingHeld compares what clients dial with a certificate.
func missingHeld(g *topology.Group, c *topology.Certificate) diag.List {
	names, addrs := missing(g, c)
	lacks := append(names, addrs...)
	if len(lacks) == 0 {
		return nil
	}
	what := called("server certificate", c.Name) + " lacks"
	return diag.List{sanDiagnostic(what, lacks, c.Span,
		fmt.Sprintf("issue it anew with %s among its subject alternative names", hosts(lacks)))}
}

func sanDiagnostic(what string, lacks []topology.Value[string], at diag.Span, hint string) diag.Diagnostic {
	d := diag.Diagnostic{
		Span:     at,
		Severity: diag.Error,
		Message: fmt.Sprintf("%s %s, which clients dial, so their TLS handshakes fail; need every name and address of the "+
			"load balancer", what, hosts(lacks)),
		Hint: hint,
	}
	for _, v := range lacks {
		if v.Span.Line > 0 {
			d.Related = append(d.Related, diag.Related{Span: v.Span, Message: "clients dial " + v.V})
		}
	}
	return d
}

// missing lists the names and addresses that clients dial and a certificate lacks. What it does not know it does not
// miss.
func missing(g *topology.Group, c *topology.Certificate) (names, addrs []topology.Value[string]) {
	for _, v := range g.Dialed() {
		a, err := netip.ParseAddr(v.V)
		switch {
		case err == nil && c.Addrs.Known() && !slices.Contains(c.Addrs.V, a):
			addrs = append(addrs, v)
		case err != nil && c.Names.Known() && !slices.ContainsFunc(c.Names.V, func(n string) bool { return matches(n, v.V) }):
			names = append(names, v)
		}
	}
	return names, addrs
}

// matches reports whether a DNS entry of a certificate covers a name. A wildcard stands for one whole first label.
func matches(entry, name string) bool {
	entry = topology.Host(entry)
	if entry == name {
		return true
	}
	rest, wild := strings.CutPrefix(entry, "*.")
	label, domain, dotted := strings.Cut(name, ".")
	return wild && dotted && label != "" && domain == rest
}

func hosts(vs []topology.Value[string]) string {
	words := make([]string, len(vs))
	for i, v := range vs {
		words[i] = v.V
	}
	return list(words)
}

func certLBSANUnjudged(g *topology.Group) string {
	certs, judged := 0, 0
	for _, t := range g.Sources {
		for i := range t.Certificates {
			c := &t.Certificates[i]
			switch {
			case !faces(g, c):
			case c.Declared && (c.Names.State == topology.Set || c.Addrs.State == topology.Set):
				judged++
			case !c.Declared && g.CertRole(c) == topology.ServerCert:
				certs++
				if g.IsEtcdCertificate(c) {
					judged++
				}
			}
		}
	}
	switch {
	case certs > 0 && judged == 0:
		return "no server certificate is known to be etcd's: none holds a member's address or a name with etcd"
	case judged > 0 && len(g.Dialed()) == 0:
		return "no endpoint known: pass --endpoint"
	case judged == 0 && (len(g.Dialed()) > 0 || len(g.EtcdListeners()) > 0):
		return "no server certificate given"
	}
	return ""
}
