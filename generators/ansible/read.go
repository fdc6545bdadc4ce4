package ansible

import (
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Read reads an inventory and the files of variables beside it: which machines are etcd's members and which run the load
// balancer, and the variables by which common roles and we ourselves say how etcd is reached.
func Read(files []target.File) (*topology.Topology, diag.List) {
	h := &hostList{hosts: map[string]vars{}, read: map[named]bool{}}
	for _, f := range files {
		switch ext := path.Ext(f.Path); {
		case strings.Contains(f.Path, "group_vars/") || strings.Contains(f.Path, "host_vars/"):
			h.beside(f)
		case ext == ".yml" || ext == ".yaml":
			h.yaml(f)
		default:
			h.ini(f)
		}
	}
	r := &reader{hostList: h, t: &topology.Topology{Format: "ansible", Span: diag.Span{File: files[0].Path}}}
	r.members()
	r.nodes()
	r.common()
	return r.t, h.diags
}

type reader struct {
	*hostList
	t     *topology.Topology
	etcd  string // the members' group
	first string // a member, whose variables are taken for all of them
}

// etcdGroups are what common roles call the group of members, and balancerGroups that of the load balancer, the telling
// names first.
var (
	etcdGroups     = []string{"etcd", "etcd_cluster", "etcd-cluster", "etcd_servers", "etcd_master", "etcd_nodes", "etcds"}
	balancerGroups = []string{
		"etcd_lb", "etcd-lb", "etcd_loadbalancer", "etcd_haproxy", "haproxy", "loadbalancer", "loadbalancers", "load_balancer",
		"load_balancers", "lb", "lbs", "nginx", "keepalived",
	}
)

// pick is the first of some groups that the inventory has hosts in.
func (r *reader) pick(names []string) string {
	for _, name := range names {
		i := slices.IndexFunc(r.groups, func(g *hostGroup) bool { return g.name == name && g.shown })
		if i >= 0 && len(r.hostList.members(name, map[string]bool{})) > 0 {
			return name
		}
	}
	return ""
}

func (r *reader) members() {
	r.etcd = r.pick(etcdGroups)
	if r.etcd == "" {
		return
	}
	var members []topology.Member
	for _, host := range r.hostList.members(r.etcd, map[string]bool{}) {
		if r.first == "" {
			r.first = host.V
		}
		m := topology.Member{Name: host, Span: host.Span}
		if name := r.of(host.V, r.etcd, "etcd_member_name", "etcd_name"); name.Known() {
			m.Name = name
		}
		m.Address, m.Address6, m.Hostname = r.located(host, r.etcd, "etcd_address", "ip", "access_ip", "ansible_host", "ansible_ssh_host")
		members = append(members, m)
	}
	r.t.Etcd.Members = members
}

func (r *reader) nodes() {
	group := r.pick(balancerGroups)
	if group == "" {
		return
	}
	for _, host := range r.hostList.members(group, map[string]bool{}) {
		n := topology.Node{Name: host, Span: host.Span}
		n.Address, n.Address6, _ = r.located(host, group, "ip", "ansible_host", "ansible_ssh_host")
		if len(n.Addresses()) > 0 {
			r.t.Nodes = append(r.t.Nodes, n)
		}
	}
}

// located is where a host is, by the first of some variables that says so, else by its own name.
func (r *reader) located(host topology.Value[string], group string, names ...string) (v4, v6 topology.Value[netip.Addr], name topology.Value[string]) {
	at := r.of(host.V, group, names...)
	if !at.Known() {
		at = host
	}
	a, err := netip.ParseAddr(at.V)
	switch {
	case err == nil && a.Is4():
		v4 = topology.SetAt(a, at.Span)
	case err == nil:
		v6 = topology.SetAt(a, at.Span)
	case strings.Contains(at.V, "."):
		name = topology.SetAt(topology.CanonicalHost(at.V), at.Span)
	}
	if err == nil && strings.Contains(host.V, ".") && host.V != at.V {
		name = topology.SetAt(topology.CanonicalHost(host.V), host.Span)
	}
	return v4, v6, name
}

// of is the first of some variables that holds for a host: its own, its group's, then that of all.
func (r *reader) of(host, group string, names ...string) topology.Value[string] {
	for _, name := range names {
		for _, from := range []vars{r.hosts[host], r.group(group).vars, r.group("all").vars} {
			if v := from[name]; v.Known() && v.V != "" {
				return v
			}
		}
	}
	return topology.Value[string]{}
}

// common reads what holds for the cluster as a whole.
func (r *reader) common() {
	e := &r.t.Etcd
	if v := r.of(r.first, r.etcd, "etcd_version"); v.Known() {
		e.Version = topology.SetAt(strings.TrimPrefix(v.V, "v"), v.Span)
	}
	e.ClientPort = r.port("etcd_client_port")
	e.PeerPort = r.port("etcd_peer_port")
	e.MetricsPort = r.port("etcd_metrics_port")
	r.t.BalancerPort = r.port("etcd_lb_port")
	for _, name := range []string{"etcd_lb_host", "etcd_lb_ip", "etcd_lb_vip", "etcd_access_addresses", "etcd_lb_address", "etcd_cert_alt_names", "etcd_cert_alt_ips"} {
		r.dialed(r.of(r.first, r.etcd, name))
	}
	if len(e.Members) == 0 {
		e.Members = r.peers(r.of(r.first, r.etcd, "etcd_peer_addresses"))
	}
}

func (r *reader) port(name string) topology.Value[int] {
	v := r.of(r.first, r.etcd, name)
	n, err := strconv.Atoi(v.V)
	if err != nil || n < 1 || n > 65535 {
		return topology.Value[int]{}
	}
	return topology.SetAt(n, v.Span)
}

// dialed adds the hosts of a list of URLs, names or addresses.
func (r *reader) dialed(list topology.Value[string]) {
	for entry := range strings.SplitSeq(list.V, ",") {
		host := entry
		if u, ok := topology.ParseURL(topology.SetAt(entry, list.Span)); ok {
			host = u.Host
		}
		if host = topology.CanonicalHost(strings.TrimSpace(host)); host != "" {
			r.t.Dialed = append(r.t.Dialed, topology.SetAt(host, list.Span))
		}
	}
}

// peers are the members of a list as in --initial-cluster.
func (r *reader) peers(list topology.Value[string]) []topology.Member {
	var out []topology.Member
	for entry := range strings.SplitSeq(list.V, ",") {
		name, url, ok := strings.Cut(entry, "=")
		if ok {
			out = append(out, topology.Member{
				Name: topology.SetAt(name, list.Span), PeerURLs: []topology.Value[string]{topology.SetAt(url, list.Span)}, Span: list.Span,
			})
		}
	}
	return topology.EtcdOf(out).Members
}
