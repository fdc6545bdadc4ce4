package rules

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var certMemberSAN = Rule{
	ID:       "cert-member-san",
	Title:    "a member's certificate does not hold its own address",
	Severity: "error or warning",
	Why: "A certificate that holds the load balancer's name alone works through the load balancer only. Whoever goes past it, etcdctl on the " +
		"machine, `--cluster`, monitoring, and everybody while the load balancer is down, meets a TLS error just when it matters.",
	Fix: "Issue each member's server certificate with its own addresses, its host name, 127.0.0.1 (and ::1 with IPv6) and the load " +
		"balancer's names and addresses.",
	References: []string{
		"kubernetes/website#30716", "kubernetes-sigs/kubespray#2156", "etcd-io/etcd#9949",
		"https://etcd.io/docs/v3.6/op-guide/security/",
	},
	Check:    checkCertMemberSAN,
	Unjudged: certMemberSANUnjudged,
}

func checkCertMemberSAN(g *topology.Group) diag.List {
	var out diag.List
	all := g.EtcdCertificates()
	for _, c := range all {
		if g.CertRole(c) != topology.ServerCert || !c.Names.Known() || !c.Addrs.Known() {
			continue
		}
		for _, m := range g.Owners(c, all) {
			lacks, severity, harm := lacking(c, ownHosts(g, m)), diag.Error, "so clients that dial the member itself fail"
			if len(lacks) == 0 {
				lacks, severity, harm = lacking(c, ownLoopbacks(m)), diag.Warning, "so etcdctl, which dials loopback unless told otherwise, fails on its machine"
			}
			if len(lacks) == 0 {
				continue
			}
			out = append(out, diag.Diagnostic{
				Span:     c.Span,
				Severity: severity,
				Message: fmt.Sprintf("%s of %s lacks %s, %s; need the member's own names and addresses",
					called("server certificate", c.Name), called("member", m.Name), hosts(lacks), harm),
				Hint: fmt.Sprintf("issue it anew with %s among its subject alternative names", hosts(lacks)),
			})
			break
		}
	}
	return out
}

// lacking are the hosts that a certificate does not hold.
func lacking(c *topology.Certificate, wanted []topology.Value[string]) []topology.Value[string] {
	return slices.DeleteFunc(wanted, func(v topology.Value[string]) bool {
		if a, err := netip.ParseAddr(v.V); err == nil {
			return slices.Contains(c.Addrs.V, a)
		}
		return slices.ContainsFunc(c.Names.V, func(n string) bool { return matches(n, v.V) })
	})
}

// ownHosts are a member's addresses and host name: as a spec says, else those of its client URLs that are no load
// balancer's.
func ownHosts(g *topology.Group, m topology.GroupMember) []topology.Value[string] {
	var out []topology.Value[string]
	if g.Spec() != nil {
		for _, a := range m.Addresses() {
			out = append(out, topology.SetAt(topology.Host(a.V.String()), a.Span))
		}
		if m.Hostname.Known() {
			out = append(out, topology.SetAt(topology.Host(m.Hostname.V), m.Hostname.Span))
		}
		return out
	}
	balancers := g.Balancers()
	for _, f := range m.Started {
		for _, v := range slices.Concat(f.ListenClientURLs, f.AdvertiseClientURLs) {
			u, ok := topology.ParseURL(v)
			if ok && !u.OnLoopback() && !u.Everywhere() && !balancers[u.Host] &&
				!slices.ContainsFunc(out, func(o topology.Value[string]) bool { return o.V == u.Host }) {
				out = append(out, topology.SetAt(u.Host, v.Span))
			}
		}
	}
	return out
}

// ownLoopbacks are the loopback addresses of the families that a member has, unless it is known not to listen there.
func ownLoopbacks(m topology.GroupMember) []topology.Value[string] {
	flags := m.Started
	if m.Flags.Known() {
		flags = append(flags, m.Flags)
	}
	for _, f := range flags {
		if len(f.ListenClientURLs) > 0 && !slices.ContainsFunc(f.ListenClientURLs, reachesLoopback) {
			return nil
		}
	}
	var out []topology.Value[string]
	for _, a := range m.Addresses() {
		own := "127.0.0.1"
		if a.V.Is6() {
			own = "::1"
		}
		out = append(out, topology.SetAt(own, a.Span))
	}
	return out
}

func reachesLoopback(v topology.Value[string]) bool {
	u, ok := topology.ParseURL(v)
	return !ok || u.OnLoopback() || u.Everywhere()
}

func certMemberSANUnjudged(g *topology.Group) string {
	if len(g.Members()) == 0 {
		return ""
	}
	all := g.EtcdCertificates()
	for _, c := range all {
		if g.CertRole(c) == topology.ServerCert && len(g.Owners(c, all)) == 0 {
			return "whose a server certificate is does not show: name its file or common name like the member"
		}
	}
	return ""
}
