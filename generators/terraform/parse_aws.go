package terraform

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// awsReader gathers what a folder says of AWS load balancers.
type awsReader struct {
	folder   *folder
	groups   map[string]*topology.Pool // by instance of the target group
	ports    map[string]topology.Value[int]
	crossing map[string]topology.Value[bool] // likewise, of those that say so themselves
	order    []string                        // of those instances
	balancer map[string]node                 // by address of the aws_lb
}

func readAWS(f *folder, t *topology.Topology) {
	r := &awsReader{
		folder: f, groups: map[string]*topology.Pool{}, ports: map[string]topology.Value[int]{}, balancer: map[string]node{},
		crossing: map[string]topology.Value[bool]{},
	}
	r.readTargetGroups()
	r.readAttachments()
	t.Proxies = append(t.Proxies, r.proxies()...)
	t.Firewalls = append(t.Firewalls, r.firewalls()...)
}

// readTargetGroups makes a pool of each target group.
func (r *awsReader) readTargetGroups() {
	names := map[string]bool{}
	for _, n := range r.folder.of("aws_lb_target_group") {
		if r.groups[n.instance()] != nil {
			continue // a further one of count
		}
		p := &topology.Pool{Name: poolName(n), Mode: readMode(n), Span: n.span()}
		if names[p.Name.V] {
			p.Name = topology.SetAt(label(n), n.span())
		}
		names[p.Name.V] = true
		p.Check = readCheck(n, p.Mode.V)
		readConnections(n, p)
		readProtocols(n, p)
		r.groups[n.instance()] = p
		r.ports[n.instance()] = read(n, "port", value.whole)
		if v, said := crossing(n); said {
			r.crossing[n.instance()] = v
		}
		r.order = append(r.order, n.instance())
	}
}

// group is the instance of a target group that n means when it mentions its address: that of its own key where both are
// made by for_each. It is "" where that is not known.
func (r *awsReader) group(n node, address string) string {
	for _, g := range []string{address + n.index(), address} {
		if r.groups[g] != nil {
			return g
		}
	}
	return ""
}

// label is a resource's label, with the key where for_each makes several of it.
func label(n node) string { return n.resource.label + n.index() }

// poolName is a target group's name, else its Name tag, else its label.
func poolName(n node) topology.Value[string] {
	if name := read(n, "name", value.text); name.Known() {
		name.V = tagged(n, name.V)
		return name
	}
	tags, _ := n.get("tags")
	if tag := tags.field(value{data: "Name"}); tag.known() {
		if name := fact(n, tag, value.text); name.Known() {
			return name
		}
	}
	return topology.SetAt(tagged(n, label(n)), n.span())
}

// tagged is a name with the tag behind it that says what the name does not: that the thing is etcd's.
func tagged(n node, name string) string {
	tags, _ := n.get("tags")
	m, ok := tags.data.(*mapping)
	if !ok || topology.NamesEtcd(name) {
		return name
	}
	for _, key := range m.keys {
		if tag, ok := m.fields[key].text(); ok && topology.NamesEtcd(tag) {
			return name + " (" + tag + ")"
		}
	}
	return name
}

// readMode is the layer that a listener or target group speaks.
func readMode(n node) topology.Value[topology.Mode] {
	return read(n, "protocol", func(v value) (topology.Mode, bool) {
		switch protocol, _ := v.text(); strings.ToUpper(protocol) {
		case "TCP", "TLS", "TCP_UDP":
			return topology.TCP, true
		case "HTTP", "HTTPS":
			return topology.HTTP, true
		}
		return "", false
	})
}

// Defaults of the provider, for arguments left out of a health_check block, and of AWS, where the block is left out.
const (
	checkInterval = 30 * time.Second
	providerCount = 3
	awsRise       = 5
	awsFall       = 2
)

// readCheck is the health check of a target group.
func readCheck(group node, mode topology.Mode) topology.Check {
	port := read(group, "port", value.whole)
	if port.Known() {
		port = topology.DefaultAt(port.V, group.span())
	}
	b, ok := group.block("health_check")
	if !ok {
		return awsCheck(group, mode, port)
	}
	kind := readOr(b, "protocol", checkKind, topology.CheckHTTP)
	out := topology.Check{
		Kind:     kind,
		Port:     port,
		Interval: readOr(b, "interval", value.seconds, checkInterval),
		Timeout:  readOr(b, "timeout", value.seconds, checkTimeout(kind.V)),
		Fall:     readOr(b, "unhealthy_threshold", value.whole, providerCount),
		Rise:     readOr(b, "healthy_threshold", value.whole, providerCount),
		Span:     b.span(),
	}
	if v, ok := b.get("port"); ok {
		if t, _ := v.text(); t != "traffic-port" {
			out.Port = fact(b, v, value.whole)
		}
	}
	if v, ok := b.get("enabled"); ok {
		switch on, known := v.truth(); {
		case !known:
			out.Kind = topology.UnknownAt[topology.CheckKind](b.scope.folder.span(v.at))
		case !on:
			out.Kind = topology.SetAt(topology.CheckNone, b.scope.folder.span(v.at))
		}
	}
	switch out.Kind.V {
	case topology.CheckHTTP, topology.CheckHTTPS:
		out.Method = topology.DefaultAt("GET", b.span())
		out.Path = readOr(b, "path", value.text, "/")
	}
	if !kind.Known() && !read(b, "timeout", value.seconds).Known() {
		out.Timeout = topology.Value[time.Duration]{}
	}
	return out
}

// awsCheck is what AWS does where the block is left out.
func awsCheck(group node, mode topology.Mode, port topology.Value[int]) topology.Check {
	at := group.span()
	out := topology.Check{
		Port:     port,
		Interval: topology.DefaultAt(checkInterval, at),
		Fall:     topology.DefaultAt(awsFall, at),
		Rise:     topology.DefaultAt(awsRise, at),
		Span:     at,
	}
	switch mode {
	case topology.TCP:
		out.Kind = topology.DefaultAt(topology.CheckTCP, at)
	case topology.HTTP:
		out.Kind = topology.DefaultAt(topology.CheckHTTP, at)
		out.Method = topology.DefaultAt("GET", at)
		out.Path = topology.DefaultAt("/", at)
	default:
		return out
	}
	out.Timeout = topology.DefaultAt(checkTimeout(out.Kind.V), at)
	return out
}

func checkKind(v value) (topology.CheckKind, bool) {
	switch protocol, _ := v.text(); strings.ToUpper(protocol) {
	case "TCP":
		return topology.CheckTCP, true
	case "HTTP":
		return topology.CheckHTTP, true
	case "HTTPS":
		return topology.CheckHTTPS, true
	}
	return "", false
}

// checkTimeout is the default of AWS.
func checkTimeout(kind topology.CheckKind) time.Duration {
	if kind == topology.CheckHTTP {
		return 6 * time.Second
	}
	return 10 * time.Second
}

// readAttachments makes a server of each target. A group whose targets stand elsewhere has one of which the port alone is
// known.
func (r *awsReader) readAttachments() {
	for _, n := range r.folder.of("aws_lb_target_group_attachment") {
		group := r.group(n, n.target("target_group_arn", "aws_lb_target_group"))
		pool := r.groups[group]
		if pool == nil {
			continue
		}
		s := topology.Server{
			Name: serverName(n),
			Host: read(n, "target_id", host),
			Port: read(n, "port", value.whole),
			Span: n.span(),
		}
		if _, written := n.get("port"); !written {
			if port := r.ports[group]; port.Known() {
				s.Port = topology.DefaultAt(port.V, n.span())
			}
		}
		if pool.Check.Kind.Known() {
			s.Checked = topology.DefaultAt(pool.Check.Kind.V != topology.CheckNone, pool.Check.Span)
		}
		pool.Servers = append(pool.Servers, s)
		pool.Partial = pool.Partial || n.many
	}
	for group, pool := range r.groups {
		pool.Partial = pool.Partial || len(pool.Servers) == 0
		if port := r.ports[group]; len(pool.Servers) == 0 && port.Known() {
			pool.Servers = []topology.Server{{Port: port, Span: pool.Span}}
		}
	}
}

// serverName is the key of for_each, else the label of a resource that is one target.
func serverName(n node) topology.Value[string] {
	if n.key.known() {
		return fact(n, n.key, value.text)
	}
	_, each := n.get("for_each")
	_, count := n.get("count")
	if each || count {
		return topology.Value[string]{}
	}
	return topology.SetAt(n.resource.label, n.span())
}

// host is an address; the identifier of an instance does not say where it is.
func host(v value) (string, bool) {
	t, _ := v.text()
	addr, err := netip.ParseAddr(t)
	if err != nil {
		return "", false
	}
	return addr.Unmap().String(), true
}

// proxies are the load balancers with their listeners and the target groups these forward to. What belongs to none that
// stands in this folder is a proxy of its own.
func (r *awsReader) proxies() []topology.Proxy {
	var out []topology.Proxy
	index := map[string]int{}
	for _, n := range r.folder.of("aws_lb") {
		if _, again := index[n.address()]; again {
			continue
		}
		index[n.address()] = len(out)
		r.balancer[n.address()] = n
		out = append(out, topology.Proxy{
			Target: targetName, Platform: "aws", Span: n.span(),
			Internal: readOr(n, "internal", value.truth, false),
		})
		if isNetwork(n) {
			readNetwork(n, &out[len(out)-1])
			out[len(out)-1].Ineffective = ineffective(n, "idle_timeout",
				"a network load balancer ignores", "set tcp_idle_timeout_seconds of the aws_lb_listener instead")
		}
	}
	stray := topology.Proxy{Target: targetName, Platform: "aws"}
	used := map[string]bool{}
	for _, n := range r.folder.of("aws_lb_listener") {
		p := &stray
		address := n.target("load_balancer_arn", "aws_lb")
		if i, ok := index[address]; ok {
			p = &out[i]
		}
		p.Ineffective = append(p.Ineffective, idleOfOthers(n)...)
		l, pools := r.listener(n, address)
		p.Listeners = append(p.Listeners, l)
		for _, pool := range pools {
			used[pool] = true
			if v, said := r.crossing[pool]; said && isNetwork(r.balancer[address]) {
				p.CrossZone = v
			}
			if g := r.groups[pool]; p.Pool(g.Name.V) == nil {
				p.Pools = append(p.Pools, *g)
			}
		}
	}
	for _, group := range r.order {
		if !used[group] {
			stray.Pools = append(stray.Pools, *r.groups[group])
		}
	}
	switch {
	case len(stray.Listeners) > 0:
		stray.Span = stray.Listeners[0].Span
	case len(stray.Pools) > 0:
		stray.Span = stray.Pools[0].Span
	default:
		return out
	}
	return append(out, stray)
}

// listener is one aws_lb_listener and the target groups that it forwards to.
func (r *awsReader) listener(n node, balancer string) (topology.Listener, []string) {
	l := topology.Listener{
		Mode:  readMode(n),
		Binds: []topology.Bind{{Port: read(n, "port", value.whole)}},
		Span:  n.span(),
	}
	readOffer(n, &l)
	var pools []string
	for _, action := range n.blocks("default_action") {
		refs := action.refers("target_group_arn")
		for _, forward := range action.blocks("forward") {
			for _, group := range forward.blocks("target_group") {
				refs = union(refs, group.refers("arn"))
			}
		}
		pools = union(pools, refs)
	}
	for i, address := range pools {
		pools[i] = r.group(n, address)
	}
	pools = slices.DeleteFunc(pools, func(group string) bool { return group == "" })
	idle := r.idle(n, l.Mode.V, balancer)
	for _, group := range pools {
		name := r.groups[group].Name
		l.Routes = append(l.Routes, topology.Route{Pool: topology.SetAt(name.V, n.span()), Idle: idle})
	}
	if len(l.Routes) == 0 { // to a target group that is elsewhere
		l.Routes = []topology.Route{{Idle: idle}}
	}
	return l, pools
}
