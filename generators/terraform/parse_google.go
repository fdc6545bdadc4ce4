package terraform

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// The kinds of resources that have a twin for one region, or for all.
var (
	backendServices = []string{"google_compute_region_backend_service", "google_compute_backend_service"}
	forwardingRules = []string{"google_compute_forwarding_rule", "google_compute_global_forwarding_rule"}
	targetProxies   = []string{
		"google_compute_target_tcp_proxy", "google_compute_region_target_tcp_proxy", "google_compute_target_ssl_proxy",
	}
	webProxies = []string{
		"google_compute_region_target_http_proxy", "google_compute_target_http_proxy",
		"google_compute_region_target_https_proxy", "google_compute_target_https_proxy",
	}
	urlMaps        = []string{"google_compute_region_url_map", "google_compute_url_map"}
	targetPools    = []string{targetPool}
	instanceGroups = []string{"google_compute_instance_group"}
	endpointGroups = []string{"google_compute_network_endpoint_group"}
	allChecks      = slices.Concat(googleChecks, oldChecks)
)

// targetPool is the backend of the oldest load balancer, which passes packets through.
const targetPool = "google_compute_target_pool"

// proxyIdle is how long a Google proxy lets a connection be quiet where nothing is written.
const proxyIdle = 30 * time.Second

// googleReader gathers the load balancers of Google's cloud: each backend service with its forwarding rules.
type googleReader struct {
	folder *folder
	rules  map[string][]node // forwarding rules by address of the backend service
	strays []node
	// listed are the endpoints of endpoint groups, by the group's address.
	listed map[string][]node
	// memberships are the instances that are put into groups one by one, by the group's address.
	memberships map[string][]node
}

func readGoogle(f *folder, t *topology.Topology) {
	r := &googleReader{folder: f, rules: map[string][]node{}, listed: map[string][]node{}, memberships: map[string][]node{}}
	for _, n := range f.of("google_compute_instance_group_membership") {
		if group := n.targetOf("instance_group", instanceGroups); group != "" {
			r.memberships[group] = append(r.memberships[group], n)
		}
	}
	for _, n := range f.of("google_compute_network_endpoint") {
		if group := n.targetOf("network_endpoint_group", endpointGroups); group != "" {
			r.listed[group] = append(r.listed[group], n)
		}
	}
	for _, n := range f.ofAny(forwardingRules) {
		if service := r.service(n); service != "" {
			r.rules[service] = append(r.rules[service], n)
		} else {
			r.strays = append(r.strays, n)
		}
	}
	seen := map[string]bool{}
	for _, n := range f.ofAny(slices.Concat(backendServices, targetPools)) {
		if !seen[n.address()] {
			seen[n.address()] = true
			t.Proxies = append(t.Proxies, r.proxy(n))
		}
	}
	for _, n := range r.strays {
		p := topology.Proxy{Target: targetName, Platform: "gcp", Internal: internalRule(n), Span: n.span()}
		p.Listeners = []topology.Listener{r.listener(n, topology.Route{})}
		t.Proxies = append(t.Proxies, p)
	}
	t.Firewalls = append(t.Firewalls, googleFirewalls(f)...)
}

// service is the backend service that a forwarding rule leads to, by itself or by way of a proxy; "" where it is
// elsewhere.
func (r *googleReader) service(rule node) string {
	if address := rule.targetOf("backend_service", backendServices); address != "" {
		return address
	}
	if proxy, ok := r.folder.first(rule.targetOf("target", targetProxies)); ok {
		return proxy.targetOf("backend_service", backendServices)
	}
	if proxy, ok := r.folder.first(rule.targetOf("target", webProxies)); ok {
		if paths, ok := r.folder.first(proxy.targetOf("url_map", urlMaps)); ok {
			return paths.targetOf("default_service", backendServices)
		}
	}
	return rule.targetOf("target", targetPools)
}

// scheme is who may reach a load balancer, and how. Regional backend services are internal where nothing is written.
func scheme(service node) topology.Value[string] {
	fallback := "EXTERNAL"
	if strings.Contains(service.resource.kind, "_region_") {
		fallback = "INTERNAL"
	}
	return readOr(service, "load_balancing_scheme", value.text, fallback)
}

// passes reports whether packets go through as they are: no proxy opens connections of its own.
func passes(service node) topology.Value[bool] {
	s := scheme(service)
	out := topology.DefaultAt(service.resource.kind == targetPool, service.span())
	if strings.Contains(service.resource.kind, "_region_") {
		out.V = s.V == "INTERNAL" || s.V == "EXTERNAL"
		if !s.Known() {
			out.State = topology.Unknown
		}
	}
	return out
}

func internalScheme(v value) (bool, bool) {
	s, ok := v.text()
	return strings.HasPrefix(s, "INTERNAL"), ok
}

func internalRule(rule node) topology.Value[bool] {
	return readOr(rule, "load_balancing_scheme", internalScheme, false)
}

// proxy is a backend service with the forwarding rules that lead to it.
func (r *googleReader) proxy(n node) topology.Proxy {
	through := passes(n)
	p := topology.Proxy{Target: targetName, Platform: "gcp", Span: n.span()}
	switch {
	case n.resource.kind == targetPool:
		p.Platform = "gcp-pool"
	case through.Known() && !through.V:
		p.Platform = "gcp-proxy"
	}
	route := topology.Route{Pool: topology.SetAt(labelled(n), n.span()), Idle: googleIdle(n, through)}
	for i, rule := range r.rules[n.address()] {
		p.Listeners = append(p.Listeners, r.listener(rule, route))
		internal := internalRule(rule)
		if i > 0 && internal.V != p.Internal.V {
			internal.State = topology.Unknown // both: which of them is meant for etcd's clients is not said
		}
		p.Internal = internal
	}
	if len(p.Listeners) == 0 {
		p.Internal = topology.Value[bool]{}
	}
	p.Pools = []topology.Pool{r.pool(n, through, p.Listeners)}
	if through.Known() && !through.V {
		r.readProtocols(n, &p.Pools[0])
	}
	return p
}

// googleIdle is how long a connection may be quiet: what passes packets through has no such time.
func googleIdle(service node, through topology.Value[bool]) topology.Value[time.Duration] {
	switch {
	case !through.Known():
		return topology.Value[time.Duration]{}
	case through.V:
		return topology.DefaultAt(topology.Never, service.span())
	}
	return readOr(service, "timeout_sec", value.seconds, proxyIdle)
}

// listener is a forwarding rule. Its ports are a list, or a range; what takes all ports has none that is known.
func (r *googleReader) listener(rule node, route topology.Route) topology.Listener {
	l := topology.Listener{Mode: topology.DefaultAt(topology.TCP, rule.span()), Routes: []topology.Route{route}, Span: rule.span()}
	addr := r.address(rule)
	for _, port := range rule.ports("ports", "port_range") {
		l.Binds = append(l.Binds, topology.Bind{Addr: addr, Port: port})
	}
	if l.Binds == nil {
		l.Binds = []topology.Bind{{Addr: addr}}
	}
	return l
}

// address is where a forwarding rule listens: as it is written, or as a reserved address says.
func (r *googleReader) address(rule node) topology.Value[netip.Addr] {
	if reserved, ok := r.folder.first(rule.target("ip_address", "google_compute_address")); ok {
		return read(reserved, "address", addr)
	}
	return read(rule, "ip_address", addr)
}

func addr(v value) (netip.Addr, bool) {
	t, _ := v.text()
	a, err := netip.ParseAddr(t)
	return a.Unmap(), err == nil
}

// pool is the backends of a backend service.
func (r *googleReader) pool(n node, through topology.Value[bool], listeners []topology.Listener) topology.Pool {
	p := topology.Pool{
		Name: topology.SetAt(labelled(n), n.span()), Mode: googleMode(n),
		Check:   r.check(n),
		Partial: !r.whole(n),
		Span:    n.span(),
	}
	port := topology.Value[int]{}
	if through.Known() {
		p.KeepsSource = topology.DefaultAt(through.V, n.span())
		p.KeepsDestination = topology.DefaultAt(through.V, n.span())
		if through.V && len(listeners) > 0 {
			port = listeners[0].Binds[0].Port
		}
		if through.V && n.resource.kind != targetPool {
			readTracking(n, &p)
		}
	}
	if external := scheme(n).V == "EXTERNAL" && through.V; external || !through.Known() {
		p.Check.Sources = nil // which come from elsewhere
	}
	p.Servers = r.servers(n, port)
	for i := range p.Servers {
		if p.Check.Kind.Known() {
			p.Servers[i].Checked = topology.DefaultAt(p.Check.Kind.V != topology.CheckNone, p.Check.Span)
		}
	}
	return p
}

func googleMode(service node) topology.Value[topology.Mode] {
	fallback := topology.HTTP
	if s := scheme(service).V; s == "INTERNAL" || service.resource.kind == targetPool {
		fallback = topology.TCP
	}
	return readOr(service, "protocol", func(v value) (topology.Mode, bool) {
		switch p, _ := v.text(); strings.ToUpper(p) {
		case "TCP", "SSL", "UNSPECIFIED":
			return topology.TCP, true
		case "HTTP", "HTTPS", "HTTP2", "GRPC", "H2C":
			return topology.HTTP, true
		}
		return "", false
	}, fallback)
}

// servers are the endpoints of endpoint groups, and the instances of instance groups. Where no group says which there
// are, one server stands for any number.
func (r *googleReader) servers(n node, port topology.Value[int]) []topology.Server {
	var out []topology.Server
	joined := map[string]bool{}
	for _, b := range few(n.blocks("backend")) {
		if address := b.targetOf("group", instanceGroups); r.memberships[address] != nil {
			if !joined[address] {
				joined[address] = true
				out = append(out, r.joined(address, port)...)
			}
			continue
		}
		if group, ok := r.folder.first(b.targetOf("group", endpointGroups)); ok {
			out = append(out, r.endpoints(group)...)
		}
		if group, ok := r.folder.first(b.targetOf("group", instanceGroups)); ok {
			out = append(out, r.instances(n, group, port)...)
		}
	}
	if out == nil {
		out = []topology.Server{{Port: port, Span: n.span()}}
	}
	return out
}

func (r *googleReader) endpoints(group node) []topology.Server {
	var out []topology.Server
	for _, e := range few(r.listed[group.address()]) {
		s := topology.Server{Name: serverName(e), Host: read(e, "ip_address", host), Port: read(e, "port", value.whole), Span: e.span()}
		if _, written := e.get("port"); !written {
			s.Port = read(group, "default_port", value.whole)
		}
		out = append(out, s)
	}
	if out == nil {
		out = []topology.Server{{Port: read(group, "default_port", value.whole), Span: group.span()}}
	}
	return out
}

// instances are those that a group lists. A proxy finds their port by a name, which the group explains.
func (r *googleReader) instances(service, group node, port topology.Value[int]) []topology.Server {
	if !port.Known() {
		port = namedPort(service, group)
	}
	listed, _ := group.get("instances")
	items, _ := listed.items()
	var out []topology.Server
	for _, item := range few(items) {
		s := topology.Server{Port: port, Span: group.span()}
		for _, ref := range item.refs {
			if instance, ok := r.folder.first(ref); ok {
				s.Name = topology.SetAt(labelled(instance), r.folder.span(item.at))
				if nic, ok := instance.block("network_interface"); ok {
					s.Host = read(nic, "network_ip", host)
				}
			}
		}
		out = append(out, s)
	}
	if out == nil {
		out = []topology.Server{{Port: port, Span: group.span()}}
	}
	return out
}

func namedPort(service, group node) topology.Value[int] {
	name := readOr(service, "port_name", value.text, "http")
	for _, b := range group.blocks("named_port") {
		if read(b, "name", value.text).V == name.V && name.Known() {
			return read(b, "port", value.whole)
		}
	}
	return topology.Value[int]{}
}

// maxServers is how many servers of a pool count one by one: far more than etcd can have. Pools may share them, and so
// multiply.
const maxServers = 64

// few are the first of servers, or of what has them.
func few[T any](all []T) []T { return all[:min(len(all), maxServers)] }

// first is the resource at an address, the first of its instances; false where it is elsewhere.
func (f *folder) first(address string) (node, bool) {
	if n, ok := f.firsts[address]; ok {
		return n, true
	}
	r := f.byAddress[address]
	if r == nil {
		return node{}, false
	}
	all := f.instances(r)
	if len(all) == 0 {
		return node{}, false
	}
	f.firsts[address] = all[0]
	return all[0], true
}

// ofAny are the resources of some kinds.
func (f *folder) ofAny(kinds []string) []node {
	var out []node
	for _, kind := range kinds {
		out = append(out, f.of(kind)...)
	}
	return out
}

// targetOf is the one resource of some kinds that an argument refers to, or "" where it refers to none or to several.
func (n node) targetOf(name string, kinds []string) string {
	found := ""
	for _, ref := range n.refers(name) {
		kind, _, _ := strings.Cut(ref, ".")
		switch {
		case !slices.Contains(kinds, kind):
		case found != "":
			return ""
		default:
			found = ref
		}
	}
	return found
}
