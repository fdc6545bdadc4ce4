package terraform

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// readELB reads classic load balancers.
func readELB(f *folder, t *topology.Topology) {
	seen := map[string]bool{}
	for _, n := range f.of("aws_elb") {
		if !seen[n.address()] {
			seen[n.address()] = true
			t.Proxies = append(t.Proxies, classic(n))
		}
	}
}

// What a classic load balancer does where nothing is written.
const (
	classicIdle     = 60 * time.Second
	classicInterval = 30 * time.Second
	classicTimeout  = 5 * time.Second
	classicFall     = 2
	classicRise     = 10
)

// classic is one load balancer, with a pool for each port of the instances.
func classic(n node) topology.Proxy {
	p := topology.Proxy{
		Target: targetName, Platform: "aws-classic", Span: n.span(),
		Internal: readOr(n, "internal", value.truth, false),
	}
	names := map[int]string{} // of pools, by port; 0 where that is not known
	for _, l := range n.blocks("listener") {
		port := read(l, "instance_port", value.whole)
		pool, again := names[port.V]
		if !again {
			pool = classicPool(n, port.V, len(names))
			names[port.V] = pool
			p.Pools = append(p.Pools, topology.Pool{
				Name: topology.SetAt(pool, n.span()), Mode: classicMode(l, "instance_protocol"),
				KeepsSource: topology.DefaultAt(false, n.span()),
				Partial:     true,
				Check:       classicCheck(n, port),
				Servers:     classicServers(n, port),
				Span:        n.span(),
			})
		}
		p.Listeners = append(p.Listeners, topology.Listener{
			Mode:  classicMode(l, "lb_protocol"),
			Binds: []topology.Bind{{Port: read(l, "lb_port", value.whole)}},
			Routes: []topology.Route{{
				Pool: topology.SetAt(pool, n.span()),
				Idle: readOr(n, "idle_timeout", value.seconds, classicIdle),
			}},
			Span: l.span(),
		})
		readClassicOffer(l, &p.Listeners[len(p.Listeners)-1], p.Pool(pool))
	}
	readClassicHeaders(n, &p)
	return p
}

// classicPool names the pool of a port: the first is called as the load balancer, further ones by their port too.
func classicPool(n node, port, before int) string {
	if before == 0 {
		return labelled(n)
	}
	return labelled(n) + ":" + strconv.Itoa(port)
}

// labelled is a resource's name, else its label, with the tag that says that it is etcd's.
func labelled(n node) string {
	name := read(n, "name", value.text)
	if !name.Known() {
		name.V = n.resource.label
	}
	return tagged(n, name.V)
}

func classicMode(listener node, protocol string) topology.Value[topology.Mode] {
	return read(listener, protocol, func(v value) (topology.Mode, bool) {
		switch p, _ := v.text(); strings.ToLower(p) {
		case "tcp", "ssl":
			return topology.TCP, true
		case "http", "https":
			return topology.HTTP, true
		}
		return "", false
	})
}

// classicServers are the instances that are listed, of which the port alone is known.
func classicServers(n node, port topology.Value[int]) []topology.Server {
	instances, _ := n.get("instances")
	items, _ := instances.items()
	count := max(1, len(few(items)))
	return slices.Repeat([]topology.Server{{Port: port, Checked: topology.DefaultAt(true, n.span()), Span: n.span()}}, count)
}

// classicCheck is the health check, whose target is "TCP:2379" or "HTTP:2381/health". AWS connects to the first port of
// the instances where there is none.
func classicCheck(n node, port topology.Value[int]) topology.Check {
	b, ok := n.block("health_check")
	if !ok {
		at := n.span()
		return topology.Check{
			Kind: topology.DefaultAt(topology.CheckTCP, at), Port: port,
			Interval: topology.DefaultAt(classicInterval, at), Timeout: topology.DefaultAt(classicTimeout, at),
			Fall: topology.DefaultAt(classicFall, at), Rise: topology.DefaultAt(classicRise, at),
			Span: at,
		}
	}
	out := topology.Check{
		Interval: read(b, "interval", value.seconds),
		Timeout:  read(b, "timeout", value.seconds),
		Fall:     read(b, "unhealthy_threshold", value.whole),
		Rise:     read(b, "healthy_threshold", value.whole),
		Kind:     read(b, "target", targetKind),
		Port:     read(b, "target", targetPort),
		Span:     b.span(),
	}
	if out.Kind.V == topology.CheckHTTP || out.Kind.V == topology.CheckHTTPS {
		out.Method = topology.DefaultAt("GET", b.span())
		out.Path = read(b, "target", targetPath)
	}
	return out
}

func targetKind(v value) (topology.CheckKind, bool) {
	t, _ := v.text()
	protocol, _, _ := strings.Cut(t, ":")
	switch strings.ToUpper(protocol) {
	case "TCP":
		return topology.CheckTCP, true
	case "SSL":
		return topology.CheckTLS, true
	case "HTTP":
		return topology.CheckHTTP, true
	case "HTTPS":
		return topology.CheckHTTPS, true
	}
	return "", false
}

func targetPort(v value) (int, bool) {
	t, _ := v.text()
	_, rest, _ := strings.Cut(t, ":")
	port, _, _ := strings.Cut(rest, "/")
	return value{data: port}.whole()
}

func targetPath(v value) (string, bool) {
	t, _ := v.text()
	_, path, ok := strings.Cut(t, "/")
	begins, _, hole := strings.Cut(path, topology.Hole)
	if hole && strings.HasPrefix(begins, "v2/") { // whatever follows
		return "/" + begins + "…", true
	}
	return "/" + path, ok && !hole
}
