package lower

import (
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// reserve are the connections that HAProxy's process admits beyond the clients': checks and metrics stay alive when
// clients fill the frontend.
const reserve = 512

// poolName is how the cluster's proxies, upstreams and target groups are called.
func (l *lowering) poolName() string { return "etcd-" + l.Name.V }

func (l *lowering) pool(check topology.Check) topology.Pool {
	lb := l.LoadBalancer
	return topology.Pool{
		Name:    topology.DefaultAt(l.poolName(), lb.Span),
		Mode:    topology.DefaultAt(topology.TCP, lb.Mode.Span),
		Balance: lb.Balance,
		Connect: lb.Connect,
		Check:   check,
		Servers: l.servers(),
		Span:    lb.Span,
	}
}

func (l *lowering) listener(idle topology.Value[time.Duration]) topology.Listener {
	lb := l.LoadBalancer
	return topology.Listener{
		Mode:   topology.DefaultAt(topology.TCP, lb.Mode.Span),
		Binds:  l.binds(lb.Port),
		Routes: []topology.Route{{Pool: topology.DefaultAt(l.poolName(), lb.Span), Idle: idle}},
		Span:   lb.Span,
	}
}

func (l *lowering) haproxy(options *topology.Tree) {
	lb := l.LoadBalancer
	clients := l.listener(lb.Idle)
	clients.Name = topology.DefaultAt(l.poolName(), lb.Span)
	clients.MaxConns = lb.MaxConnections
	clients.ClientTimeout = lb.Idle
	check := l.fullCheck()
	l.backendCheck(&check)
	pool := l.pool(check)
	l.terminate(&clients, &pool)
	// One retry of two goes to another member: the largest single effect on failed operations when a member dies.
	pool.Retries = topology.DefaultAt(2, lb.Span)
	// Else clients stay on a member that is known to be down.
	pool.CutOnDown = topology.DefaultAt(true, lb.Span)
	pool.ServerTimeout = lb.Idle // the smaller of the two cuts a quiet watch
	pool.Tunnel = topology.DefaultAt(topology.Never, lb.Span)
	if fragment(options) { // so that no foreign default shortens a watch: it outranks client and server
		pool.Tunnel = lb.Idle
	}
	pool.Check.Plain = l.plainly(pool.Check, options)
	if pool.Check.Kind.V == topology.CheckHTTPS || pool.TLS.V {
		l.verifyHosts(pool.Servers)
	}
	limit := lb.MaxConnections
	limit.V += reserve
	l.t.Proxies = append(l.t.Proxies, topology.Proxy{
		Target: "haproxy", Platform: "haproxy",
		Fragment:  fragment(options),
		Container: topology.Get[bool](options, "container").V,
		MaxConns:  limit,
		HardStop:  lb.HardStopAfter,
		Listeners: []topology.Listener{clients, l.metricsListener(options)},
		Pools:     []topology.Pool{pool},
		Span:      options.At(lb.Span),
	})
}

// plainly says that a check is written to be not encrypted: on a client port, where others would take it for a mistake,
// and in a fragment, where the file around it might say otherwise.
func (l *lowering) plainly(c topology.Check, options *topology.Tree) topology.Value[bool] {
	port := c.Port.V
	if c.Kind.V == topology.CheckHTTP && (fragment(options) || port == l.Etcd.ClientPort.V || port == l.Etcd.ClientHTTPPort.V) {
		return topology.DefaultAt(true, c.Span)
	}
	return topology.Value[bool]{}
}

// verifyHosts has each member's certificate checked for its host name, as far as the spec gives one: HAProxy finds no
// address in a certificate.
func (l *lowering) verifyHosts(servers []topology.Server) {
	for i := range servers {
		for _, m := range l.Etcd.Members {
			if m.Name.V == servers[i].Name.V {
				servers[i].VerifyHost = m.Hostname
			}
		}
	}
}

func fragment(options *topology.Tree) bool {
	return topology.Get[string](options, "output").V == "fragment"
}

// metricsListener serves HAProxy's own metrics: on loopback, or to the monitoring networks where the spec names them.
func (l *lowering) metricsListener(options *topology.Tree) topology.Listener {
	port := topology.Get[int](options, "metricsPort")
	addrs := l.loopbacks()
	if len(l.Monitoring) > 0 {
		addrs = l.everywhere()
	}
	return topology.Listener{
		Name:          topology.DefaultAt(l.poolName()+"-metrics", port.Span),
		Mode:          topology.DefaultAt(topology.HTTP, port.Span),
		Metrics:       true,
		Authenticated: topology.DefaultAt(false, port.Span),
		// Short: nobody holds these connections open.
		ClientTimeout: topology.DefaultAt(10*time.Second, port.Span),
		Binds:         bindTo(addrs, port),
		Sources:       l.Monitoring,
		Span:          port.Span,
	}
}

func (l *lowering) nginx(options *topology.Tree) {
	lb := l.LoadBalancer
	platform, check := "nginx", l.passiveCheck(options)
	if edition := topology.Get[string](options, "edition"); edition.V == "plus" {
		platform, check = "nginx-plus", l.plainCheck(edition.Span)
	}
	check.Plain = l.plainly(check, options)
	clients, pool := l.listener(lb.Idle), l.pool(check)
	pool.Retries = topology.DefaultAt(usable(pool.Servers)-1, lb.Span)
	listeners := []topology.Listener{clients}
	if health, asked := l.healthListener(); asked {
		listeners = append(listeners, health)
	}
	if lb.Termination != nil {
		l.nginxTermination(listeners, &pool, options)
	}
	l.t.Proxies = append(l.t.Proxies, topology.Proxy{
		Target: "nginx", Platform: platform,
		Fragment:     fragment(options),
		MaxConns:     lb.MaxConnections,
		FilesSuffice: topology.DefaultAt(true, lb.MaxConnections.Span),
		HardStop:     lb.HardStopAfter,
		Listeners:    listeners,
		Pools:        []topology.Pool{pool},
		Span:         options.At(lb.Span),
	})
}

// passiveCheck is all that open-source NGINX has in a stream: a member is out after one failed connect, for as long as
// one would wait to ask it again. Not for NGINX's own ten seconds: when each member failed within them, as when an
// upgrade restarts one after the other or the load balancer loses its network for a moment, nobody is left to connect to.
func (l *lowering) passiveCheck(options *topology.Tree) topology.Check {
	at := options.At(l.LoadBalancer.Span)
	seconds := (l.LoadBalancer.HealthCheck.Interval.V + time.Second - 1).Truncate(time.Second) // all that NGINX counts in
	return topology.Check{
		Kind:     topology.DefaultAt(topology.CheckPassive, at),
		Interval: topology.DefaultAt(seconds, at),
		Fall:     topology.DefaultAt(1, at),
		Span:     at,
	}
}

// plainCheck is the check of a platform that asks over plain HTTP or not at all: TLS with a client certificate is
// beyond it, so where that is what the spec asks for it only connects, at the platform's line.
func (l *lowering) plainCheck(at diag.Span) topology.Check {
	c := l.fullCheck()
	c.Fast, c.Down = topology.Value[time.Duration]{}, topology.Value[time.Duration]{}
	if c.Kind.V != topology.CheckHTTPS {
		return c
	}
	return topology.Check{
		Kind:     topology.DefaultAt(topology.CheckTCP, at),
		Port:     topology.DefaultAt(l.Etcd.ClientPort.V, at),
		Interval: c.Interval, Timeout: c.Timeout, Fall: c.Fall, Rise: c.Rise,
		Span: at,
	}
}
