package nginx

import (
	"fmt"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const unsupported = "unsupported"

// refuse reports the facts of a proxy that NGINX cannot express.
func refuse(p *topology.Proxy) diag.List {
	var diags diag.List
	for i := range p.Listeners {
		refuseListener(&diags, p, &p.Listeners[i])
	}
	for i := range p.Pools {
		refusePool(&diags, p, &p.Pools[i])
	}
	return diags
}

func refuseListener(diags *diag.List, p *topology.Proxy, l *topology.Listener) {
	for _, b := range l.Binds {
		if !b.Addr.Known() || !b.Port.Known() {
			diags.Error(b.Port.Span, unsupported, "nginx is to listen on an unknown address or port; need both", "")
		}
	}
	switch {
	case l.Metrics:
		return
	case l.Mode.V == topology.HTTP && !l.TLS.V:
		diags.Error(l.Mode.Span, unsupported, "nginx is to speak HTTP without TLS, which is not written here; need mode tcp", "")
	case len(l.Sources) > 0:
		diags.Error(l.Sources[0].Span, unsupported, "nginx is to admit some networks only, which is not written here; need a firewall",
			"enable the iptables target")
	}
	if len(l.Routes) != 1 || p.Pool(l.Routes[0].Pool.V) == nil {
		diags.Error(l.Span, unsupported, fmt.Sprintf("a listener of nginx has %d ways, but a server block forwards to one upstream; need one",
			len(l.Routes)), "")
		return
	}
	refuseTime(diags, l.Routes[0].Idle, "idle timeout", "need an idle timeout")
}

func refusePool(diags *diag.List, p *topology.Proxy, pool *topology.Pool) {
	if _, ok := balances[pool.Balance.V]; pool.Balance.Known() && !ok {
		diags.Error(pool.Balance.Span, unsupported, fmt.Sprintf("nginx has no balancing %q; need leastconn, roundrobin or source",
			pool.Balance.V), "")
	}
	if pool.CutOnDown.V {
		diags.Error(pool.CutOnDown.Span, unsupported,
			"nginx is to cut the connections to a member that goes down, which it never does; need a load balancer that can",
			"use haproxy")
	}
	refuseTime(diags, pool.Connect, "connect timeout", "need a connect timeout")
	c := &pool.Check
	refuseTime(diags, c.Interval, "check interval", "need an interval")
	refuseTime(diags, c.Timeout, "check timeout", "need a timeout")
	if c.Kind.Known() && !canCheck(p.Platform, c.Kind.V) {
		diags.Error(c.Kind.Span, unsupported, fmt.Sprintf("%s cannot check members by %s; need another load balancer or another check",
			p.Platform, c.Kind.V), "use haproxy")
	}
	for i := range pool.Servers {
		if v := &pool.Servers[i]; !v.Host.Known() || !v.Port.Known() {
			diags.Error(v.Span, unsupported, fmt.Sprintf("member %q has no address, so nginx has nowhere to forward to; need one",
				v.Name.V), "give the member an address")
		}
	}
}

// refuseTime reports a time that NGINX would round to nothing, and zero, by which it means at once and we mean never.
func refuseTime(diags *diag.List, d topology.Value[time.Duration], what, need string) {
	if d.Known() && d.V < time.Millisecond {
		diags.Error(d.Span, unsupported, fmt.Sprintf("%s %s is below the millisecond that nginx can count; %s of 1ms or more",
			what, d.V, need), "")
	}
}

// canCheck reports whether a platform has that kind of check.
func canCheck(platform string, kind topology.CheckKind) bool {
	switch kind {
	case topology.CheckNone, topology.CheckPassive:
		return true
	case topology.CheckTCP, topology.CheckHTTP:
		return platform == plus
	}
	return false
}
