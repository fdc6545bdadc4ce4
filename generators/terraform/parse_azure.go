package terraform

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// What Azure does where nothing is written.
const (
	azureIdle     = 4 * time.Minute
	azureInterval = 15 * time.Second
	azureCount    = 1
)

// azureReader gathers Azure load balancers.
type azureReader struct {
	folder    *folder
	addresses map[string][]node // of backend pools, by the pool's address
	ports     map[poolKey]int   // of the pools that rules have made so far; 0 where it is not known
}

// poolKey is a pool of a load balancer.
type poolKey struct {
	balancer *topology.Proxy
	name     string
}

func readAzure(f *folder, t *topology.Topology) {
	r := azureReader{folder: f, addresses: map[string][]node{}, ports: map[poolKey]int{}}
	for _, n := range f.of("azurerm_lb_backend_address_pool_address") {
		if pool := n.targetOf("backend_address_pool_id", backendPools); pool != "" {
			r.addresses[pool] = append(r.addresses[pool], n)
		}
	}
	index := map[string]int{}
	var out []topology.Proxy
	for _, n := range f.of("azurerm_lb") {
		if _, again := index[n.address()]; !again {
			index[n.address()] = len(out)
			out = append(out, topology.Proxy{Target: targetName, Platform: "azure", Internal: r.internal(n), Span: n.span()})
		}
	}
	stray := topology.Proxy{Target: targetName, Platform: "azure"}
	for _, n := range f.of("azurerm_lb_rule") {
		if protocol, _ := n.get("protocol"); isText(protocol, "udp") {
			continue
		}
		p := &stray
		if i, ok := index[n.target("loadbalancer_id", "azurerm_lb")]; ok {
			p = &out[i]
		} else if stray.Listeners == nil {
			stray.Span = n.span()
		}
		r.add(p, n)
	}
	if stray.Listeners != nil {
		out = append(out, stray)
	}
	t.Proxies = append(t.Proxies, out...)
	t.Firewalls = append(t.Firewalls, azureFirewalls(f)...)
}

// isText compares a known string without regard to case.
func isText(v value, want string) bool {
	t, ok := v.text()
	return ok && strings.EqualFold(t, want)
}

// internal says whether all frontends have addresses of a subnet alone. With frontends of both sorts it is unknown.
func (r azureReader) internal(lb node) topology.Value[bool] {
	out := topology.Value[bool]{}
	for i, b := range lb.blocks("frontend_ip_configuration") {
		one := frontend(b)
		if !one.Known() || i > 0 && out.V != one.V {
			return topology.UnknownAt[bool](b.span())
		}
		out = one
	}
	return out
}

// frontend says whether a frontend is internal. An address that a variable decides on may be null.
func frontend(b node) topology.Value[bool] {
	for _, name := range []string{"public_ip_address_id", "public_ip_prefix_id"} {
		v, ok := b.get(name)
		if !ok || v.data == "" {
			continue
		}
		at := b.scope.folder.span(v.at)
		if v.choice || !v.known() && !made(b, name) {
			return topology.UnknownAt[bool](at)
		}
		return topology.SetAt(false, at)
	}
	if v, ok := b.get("subnet_id"); ok {
		return topology.SetAt(true, b.scope.folder.span(v.at))
	}
	return topology.UnknownAt[bool](b.span())
}

// made reports whether an argument refers to a public address, one that is made for sure where it stands in the folder.
func made(b node, name string) bool {
	address := b.targetOf(name, []string{"azurerm_public_ip", "azurerm_public_ip_prefix"})
	r := b.scope.folder.byAddress[address]
	if r == nil {
		return address != ""
	}
	all := b.scope.folder.instances(r)
	return len(all) > 0 && !all[0].many
}

// add reads a rule: a listener, and the pool that it leads to.
func (r azureReader) add(p *topology.Proxy, n node) {
	pool := r.pool(n, p)
	p.Listeners = append(p.Listeners, topology.Listener{
		Name:  topology.SetAt(labelled(n), n.span()),
		Mode:  topology.DefaultAt(topology.TCP, n.span()),
		Binds: []topology.Bind{{Addr: r.address(n), Port: read(n, "frontend_port", portNumber)}},
		Routes: []topology.Route{{
			Pool:  topology.SetAt(pool.Name.V, n.span()),
			Idle:  readOr(n, "idle_timeout_in_minutes", minutes, azureIdle),
			Reset: readFirst(n, []string{"tcp_reset_enabled", "enable_tcp_reset"}, value.truth, false),
		}},
		Span: n.span(),
	})
	if _, again := r.ports[poolKey{p, pool.Name.V}]; !again {
		r.ports[poolKey{p, pool.Name.V}] = pool.Servers[0].Port.V
		p.Pools = append(p.Pools, pool)
	}
}

// portNumber is a port; 0 stands for all of them.
func portNumber(v value) (int, bool) {
	port, ok := v.whole()
	return port, ok && port > 0
}

func minutes(v value) (time.Duration, bool) {
	n, ok := v.whole()
	return time.Duration(n) * time.Minute, ok && n >= 0
}

// readFirst is the fact of an argument that has had several names.
func readFirst[T any](n node, names []string, convert func(value) (T, bool), fallback T) topology.Value[T] {
	for _, name := range names {
		if _, ok := n.get(name); ok {
			return read(n, name, convert)
		}
	}
	return topology.DefaultAt(fallback, n.span())
}

// address is the private address of the frontend that a rule names.
func (r azureReader) address(rule node) topology.Value[netip.Addr] {
	lb, ok := r.folder.first(rule.target("loadbalancer_id", "azurerm_lb"))
	if !ok {
		return topology.Value[netip.Addr]{}
	}
	name := read(rule, "frontend_ip_configuration_name", value.text)
	for _, b := range lb.blocks("frontend_ip_configuration") {
		if other := read(b, "name", value.text); name.Known() && other.Known() && name.V == other.V {
			return read(b, "private_ip_address", addr)
		}
	}
	return topology.Value[netip.Addr]{}
}

var backendPools = []string{"azurerm_lb_backend_address_pool"}

// pool is the backend pool of a rule with the rule's port and probe. It is named like the backend pool, further ones of
// the same backend pool by their port too.
func (r azureReader) pool(rule node, p *topology.Proxy) topology.Pool {
	port := read(rule, "backend_port", portNumber)
	out := topology.Pool{
		Mode:        topology.DefaultAt(topology.TCP, rule.span()),
		KeepsSource: topology.DefaultAt(true, rule.span()),
		Check:       r.check(rule),
		Span:        rule.span(),
	}
	name := labelled(rule)
	backend := rule.targetOf("backend_address_pool_ids", backendPools)
	if backend == "" {
		backend = rule.targetOf("backend_address_pool_id", backendPools)
	}
	if n, ok := r.folder.first(backend); ok {
		name = labelled(n)
	}
	if old, taken := r.ports[poolKey{p, name}]; taken && old != port.V {
		name += ":" + strconv.Itoa(port.V)
	}
	out.Name = topology.SetAt(name, rule.span())
	out.Servers = r.servers(rule, backend, port)
	out.Partial = !r.whole(backend)
	for i := range out.Servers {
		if out.Check.Kind.Known() {
			out.Servers[i].Checked = topology.DefaultAt(out.Check.Kind.V != topology.CheckNone, out.Check.Span)
		}
	}
	return out
}

// whole reports whether all machines of a backend pool stand in the folder, by their addresses.
func (r azureReader) whole(backend string) bool {
	for _, n := range r.folder.of("azurerm_network_interface_backend_address_pool_association") {
		if pool := n.targetOf("backend_address_pool_id", backendPools); pool == "" || pool == backend {
			return false
		}
	}
	listed := r.addresses[backend]
	return len(listed) > 0 && !slices.ContainsFunc(listed, func(n node) bool { return n.many })
}

// servers are the addresses of a backend pool. Where none is written, one server stands for any number.
func (r azureReader) servers(rule node, backend string, port topology.Value[int]) []topology.Server {
	var out []topology.Server
	for _, n := range few(r.addresses[backend]) {
		out = append(out, topology.Server{Name: serverName(n), Host: read(n, "ip_address", host), Port: port, Span: n.span()})
	}
	if out == nil {
		out = []topology.Server{{Port: port, Span: rule.span()}}
	}
	return out
}

// check is the probe of a rule.
func (r azureReader) check(rule node) topology.Check {
	v, written := rule.get("probe_id")
	if !written {
		return topology.Check{Kind: topology.DefaultAt(topology.CheckNone, rule.span()), Span: rule.span()}
	}
	n, ok := r.folder.first(rule.target("probe_id", "azurerm_lb_probe"))
	if !ok {
		return topology.Check{Span: r.folder.span(v.at)}
	}
	out := topology.Check{
		Kind:     readOr(n, "protocol", checkKind, topology.CheckTCP),
		Port:     read(n, "port", value.whole),
		Interval: readOr(n, "interval_in_seconds", value.seconds, azureInterval),
		Fall:     readOr(n, "probe_threshold", value.whole, azureCount),
		Rise:     readOr(n, "probe_threshold", value.whole, azureCount),
		Sources:  topology.AzureProbes, SourceTag: topology.AzureTag,
		Span: n.span(),
	}
	if out.Kind.V == topology.CheckHTTP || out.Kind.V == topology.CheckHTTPS {
		out.Method = topology.DefaultAt("GET", n.span())
		out.Path = read(n, "request_path", value.text)
	}
	return out
}
