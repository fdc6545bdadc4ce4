// Package ansible writes an inventory of the cluster's machines and the variables by which playbooks connect.
package ansible

import (
	"fmt"
	"net/netip"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Target is a folder that is an inventory: hosts and, for all of them, variables.
var Target = target.Target{
	Name:   "ansible",
	Doc:    "ansible/hosts.yml and group_vars/all/etcd_lb.yml, an inventory with the connection variables",
	Render: render,
}

func render(t *topology.Topology, options *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	inventory, diags := hosts(t)
	if diags.Has(diag.Error) {
		return nil, diags
	}
	var out []target.Artifact
	for _, f := range []struct {
		path  string
		about []string
		root  *yaml.Node
	}{
		{"ansible/hosts.yml", []string{"The machines of the etcd cluster " + t.Name.V + ", as an inventory."}, inventory},
		{"ansible/group_vars/all/etcd_lb.yml", []string{
			"How to reach the etcd cluster " + t.Name.V + ". Ansible loads it for all hosts of the inventory whose folder this is in;",
			"copied into group_vars/all of another inventory it holds there.",
		}, target.YAMLMap(variables(t)...)},
	} {
		text, err := target.YAMLText(append(append(header.Lines(), ""), f.about...), f.root)
		if err != nil {
			diags.Error(options.At(t.Span), "unsupported", f.path+" cannot be printed: "+err.Error(), "")
		}
		out = append(out, target.Artifact{Path: f.path, Data: text})
	}
	return out, diags
}

// variables are what playbooks and templates go by.
func variables(t *topology.Topology) []target.YAMLEntry {
	text, entry := target.YAMLString, func(key string, value *yaml.Node, about ...string) target.YAMLEntry {
		return target.YAMLEntry{Key: key, Value: value, About: about}
	}
	out := []target.YAMLEntry{entry("etcd_lb_enabled", target.YAMLBool(true))}
	if host := t.Dialed[0].V; !isAddress(host) {
		out = append(out, entry("etcd_lb_host", text(host)))
	}
	out = append(out, entry("etcd_lb_port", target.YAMLInt(t.BalancerPort.V)))
	if len(t.Virtual) > 0 {
		out = append(out, entry("etcd_lb_ip", text(t.Virtual[0].V.String())))
	}
	for _, c := range t.Certificates { // of a cluster that speaks TLS
		var addrs []string
		for _, a := range c.Addrs.V {
			addrs = append(addrs, a.String())
		}
		out = append(out,
			entry("etcd_cert_alt_names", target.YAMLStrings(c.Names.V...),
				"The load balancer's part of what each member's server certificate holds, beside the member's own names,",
				"addresses and loopback."),
			entry("etcd_cert_alt_ips", target.YAMLStrings(addrs...)))
	}
	direct := strings.Join(t.Etcd.DirectURLs(), ",")
	return append(out,
		entry("etcd_access_addresses", text(t.BalancerURL()),
			"What clients are configured with: the load balancer. Leave auto-sync of endpoints off in clients, else they replace",
			"it by the members."),
		entry("etcd_lb_address", text(t.BalancerURL()), "The load balancer, also where etcd_access_addresses is overridden by the direct list."),
		entry("etcd_access_addresses_direct", text(direct),
			"The members themselves: for what is about one member (snapshot, defrag, move-leader, status), and while the load",
			"balancer is down."),
		entry("etcd_peer_addresses", text(strings.Join(t.Etcd.PeerAddresses(), ",")),
			"How members reach each other, in the form of --initial-cluster. Never through the load balancer."))
}

// hosts are the machines by what they are for. Ansible knows a machine by its name alone.
func hosts(t *topology.Topology) (*yaml.Node, diag.List) {
	inv := inventory{addresses: map[string]netip.Addr{}, names: map[netip.Addr]string{}}
	for _, m := range t.Etcd.Members {
		inv.add("etcd", m.Name, m.Addresses())
	}
	for _, n := range t.Nodes {
		inv.add("etcd_lb", n.Name, n.Addresses())
	}
	for i, a := range t.Clients.KubeAPIServers {
		name := inv.names[a.V] // a control plane that is a member, too
		if name == "" {
			name = fmt.Sprintf("kube-apiserver-%d", i+1)
		}
		inv.add("etcd-clients", topology.SetAt(name, a.Span), []topology.Value[netip.Addr]{a})
	}
	var groups []target.YAMLEntry
	for _, g := range inv.groups {
		groups = append(groups, target.YAMLEntry{Key: g.name, Value: target.YAMLMap(
			target.YAMLEntry{Key: "hosts", Value: target.YAMLMap(g.hosts...)})})
	}
	return target.YAMLMap(target.YAMLEntry{Key: "all", Value: target.YAMLMap(
		target.YAMLEntry{Key: "children", Value: target.YAMLMap(groups...)})}), inv.diags
}

// inventory gathers groups of hosts.
type inventory struct {
	groups    []group
	addresses map[string]netip.Addr // by name
	names     map[netip.Addr]string
	diags     diag.List
}

type group struct {
	name  string
	hosts []target.YAMLEntry
}

// add puts a machine into the last group, or into a new one of that name.
func (inv *inventory) add(to string, name topology.Value[string], addrs []topology.Value[netip.Addr]) {
	address := addrs[0].V
	if other, ok := inv.addresses[name.V]; ok && other != address {
		inv.diags.Error(name.Span, "unsupported", fmt.Sprintf("%q is called like another machine (%s and %s), which Ansible takes for one; "+
			"need names of their own, or no target ansible", name.V, other, address), "")
		return
	}
	inv.addresses[name.V] = address
	for _, a := range addrs {
		inv.names[a.V] = name.V
	}
	if n := len(inv.groups); n == 0 || inv.groups[n-1].name != to {
		inv.groups = append(inv.groups, group{name: to})
	}
	g := &inv.groups[len(inv.groups)-1]
	g.hosts = append(g.hosts, target.YAMLEntry{Key: name.V, Value: target.YAMLMap(
		target.YAMLEntry{Key: "ansible_host", Value: target.YAMLString(address.String())})})
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
