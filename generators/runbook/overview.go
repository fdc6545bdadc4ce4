package runbook

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func (b *book) overview() {
	b.heading(1, "Runbook: etcd cluster "+code(b.Name.V)+" behind its load balancer")
	b.say("Clients dial "+code(b.BalancerURL())+".", "The load balancer passes their connections on to port",
		fmt.Sprint(b.Etcd.ClientPort.V), "of a member "+b.how()+". Members talk to each other on port",
		fmt.Sprint(b.Etcd.PeerPort.V)+", never through the load balancer.")
	b.fenced("mermaid", Diagram(b.Topology))
	b.members()
	b.nodes()
}

// how is what becomes of clients' connections on the way.
func (b *book) how() string {
	if b.ending() != nil {
		return "under its own name, after it has checked their certificates: to etcd all clients are one"
	}
	return "without opening them"
}

// Diagram is what stands where, in Mermaid. It gives nodes names of its own: a member may be called "end" or "graph".
func Diagram(t *topology.Topology) []string {
	lines := []string{
		"flowchart LR",
		"    clients([clients])",
		fmt.Sprintf(`    lb["load balancer<br/>%s"]`, t.BalancerURL()),
		"    clients --> lb",
	}
	lines = append(lines, fmt.Sprintf(`    subgraph etcd["etcd, each with each on port %d"]`, t.Etcd.PeerPort.V))
	for i, m := range t.Etcd.Members {
		lines = append(lines, fmt.Sprintf(`        m%d["%s<br/>%s"]`, i+1, m.Name.V, m.Host()))
	}
	lines = append(lines, "    end")
	for i, m := range t.Etcd.Members {
		switch {
		case m.Learner.V:
		case m.Drain.V:
			lines = append(lines, fmt.Sprintf("    lb -. drained .- m%d", i+1))
		default:
			lines = append(lines, fmt.Sprintf("    lb --> m%d", i+1))
		}
	}
	return lines
}

func (b *book) members() {
	b.heading(2, "Members")
	var rows [][]string
	for _, m := range b.Etcd.Members {
		rows = append(rows, []string{
			code(m.Name.V), hosts(m), codes(b.Etcd.ClientURLs(m)), codes(b.Etcd.PeerURLs(m)), zone(m), role(m),
		})
	}
	b.table([]string{"Member", "Address", "For clients", "For members", "Zone", "Role"}, rows)
	for _, m := range b.Etcd.Members {
		if len(m.Addresses()) == 0 && !m.Hostname.Known() {
			b.say("The spec leaves out the address of", code(m.Name.V)+": below its name stands for it.")
		}
	}
}

func hosts(m topology.Member) string {
	var out []string
	for _, a := range m.Addresses() {
		out = append(out, a.V.String())
	}
	if m.Hostname.Known() {
		out = append(out, m.Hostname.V)
	}
	if len(out) == 0 {
		return "not in the spec"
	}
	return strings.Join(out, ", ")
}

func zone(m topology.Member) string {
	if m.Zone.Known() {
		return m.Zone.V
	}
	return "–"
}

func role(m topology.Member) string {
	switch {
	case m.Learner.V:
		return "learner: serves no clients"
	case m.Drain.V:
		return "voting, drained"
	}
	return "voting"
}

func (b *book) nodes() {
	if len(b.Nodes) == 0 {
		return
	}
	b.heading(2, "Load balancer machines")
	var rows [][]string
	for _, n := range b.Nodes {
		var addrs []string
		for _, a := range n.Addresses() {
			addrs = append(addrs, a.V.String())
		}
		rows = append(rows, []string{code(n.Name.V), strings.Join(addrs, ", ")})
	}
	b.table([]string{"Machine", "Address"}, rows)
}

// setup is what the commands below expect.
func (b *book) setup() {
	b.heading(2, "Before you type commands")
	b.say("Paths are relative to the folder that this file is in.", "The commands need etcdctl 3.4 or later", b.operators())
	if !b.tls() {
		return
	}
	pair := b.Clients.Certificate
	if auth := b.Etcd.ClientCertAuth; !pair.CA.Known() && auth.Known() && !auth.V {
		b.say("Name the file of the certificate authority in ETCDCTL_CACERT; clients need no certificate of their own.")
		b.run(`: "${ETCDCTL_CACERT:?}"`)
		return
	}
	if !pair.CA.Known() {
		b.say("Name the files of a client certificate in ETCDCTL_CACERT, ETCDCTL_CERT and ETCDCTL_KEY; with clients.certificate in the",
			"spec, this runbook names them. This says whether one is missing:")
		b.run(`: "${ETCDCTL_CACERT:?}" "${ETCDCTL_CERT:?}" "${ETCDCTL_KEY:?}"`)
		return
	}
	b.run("export ETCDCTL_CACERT="+pair.CA.V, "export ETCDCTL_CERT="+pair.Cert.V, "export ETCDCTL_KEY="+pair.Key.V)
}

// operators says where commands are typed, which the spec's firewall decides: clients reach the load balancer, others
// the members.
func (b *book) operators() string {
	switch {
	case b.local():
		return "on a client's machine."
	case !b.filtered() && !b.has("terraform") && !b.has("cloudcli"):
		return "on a machine that reaches the load balancer and the members."
	}
	client, operator := "a client's", "a member"
	if len(b.Clients.Networks) > 0 {
		client += ", which is one in " + networks(b.Clients.Networks)
	}
	if len(b.Clients.Direct) > 0 {
		operator += " or one in " + b.directNetworks()
	}
	return "on a machine that the firewall admits: where they dial the load balancer, " + client + "; where they dial members, " + operator + "."
}

func (b *book) directNetworks() string { return networks(b.Clients.Direct) }

func networks(of []topology.Value[netip.Prefix]) string {
	var nets []string
	for _, n := range of {
		nets = append(nets, n.V.String())
	}
	return codes(nets)
}
