package topology

// Facts is a set of kinds of facts: what a text format can say.
type Facts uint64

// The kinds of facts that a format may be able to say.
const (
	FListeners      Facts = 1 << iota // etcd's listeners: mode, binds, routes
	FListenerNames                    // names of listeners
	FListenerLimit                    // connections a listener admits
	FIdle                             // idle timeout of a route
	FReset                            // whether both sides are told when it is over
	FTimeouts                         // what an idle timeout is made of: client, server and tunnel timeouts
	FAuthentication                   // whether the metrics listener asks for a password
	FMetrics                          // the proxy's own metrics listener
	FSources                          // who is admitted to a listener
	FProcessLimit                     // connections a process admits
	FHardStop                         // how long old connections outlive a reload
	FInternal                         // facing the internet or not
	FCrossZone                        // spreading over zones
	FPools                            // pools: name, mode, servers with host and port
	FServerNames                      // names of servers
	FDrain                            // servers that get no new connection, listed all the same
	FBalance
	FConnect
	FRetries
	FCutOnDown
	FCutOnRemoval
	FKeepsSource // and the destination
	FCheck       // kind, port, method and path of the health check
	FCheckTimes  // interval, fall, rise
	FCheckTimeout
	FCheckFast // intervals in other states
	FCheckTLS  // certificates of the check
	FTLS       // TLS of listeners and towards servers, with certificates
	FFirewalls
	FGuarded // which ports' traffic a firewall decides
	FAlerts
	FScrapes
	FMembers // etcd's members: names, addresses, advertised URLs, ports
	FFlags   // what each member is started with, and its name
	FVRRP
	FDialers // how clients reach etcd, each way once
)

// Has reports whether all of what is in s.
func (s Facts) Has(what Facts) bool { return s&what == what }

// Restrict is the part of a spec's topology that files of a target can say: the proxies and firewalls of that target
// and the facts in s. Everything else is dropped or unknown.
func Restrict(t *Topology, target string, s Facts) *Topology {
	out := &Topology{Format: target}
	for _, p := range t.Proxies {
		if p.Target == target {
			out.Proxies = append(out.Proxies, p.restrict(s))
		}
	}
	if s.Has(FFirewalls) {
		for _, f := range t.Firewalls {
			if f.Target == target {
				if !s.Has(FGuarded) {
					f.Guarded = nil // what enters a chain of iptables is said by the jump to it, which no file of rules holds
				}
				f.Platform = "" // which is what kind of file it is
				out.Firewalls = append(out.Firewalls, f)
			}
		}
	}
	if s.Has(FVRRP) {
		for _, v := range t.VRRP {
			v.Node, v.Check.Proxy = "", ""
			out.VRRP = append(out.VRRP, v)
		}
	}
	if s.Has(FAlerts) {
		for _, a := range t.Alerts {
			a.Layout = ""
			out.Alerts = append(out.Alerts, a)
		}
	}
	if s.Has(FScrapes) {
		out.Scrapes = t.Scrapes
	}
	if s.Has(FDialers) {
		out.Dialers = t.Dialers
	}
	if s.Has(FMembers) {
		out.Etcd = t.Etcd
	}
	if s.Has(FFlags) {
		members := make([]Member, len(t.Etcd.Members))
		for i, m := range t.Etcd.Members {
			members[i] = Member{Name: m.Name, Flags: m.Flags}
		}
		out.Etcd = EtcdOf(members)
	}
	return out
}

func (p Proxy) restrict(s Facts) Proxy {
	if p.Fragment { // what a process does stands in another file
		s &^= FProcessLimit | FHardStop
	}
	out := Proxy{Target: p.Target, Platform: p.Platform}
	keep(&out.MaxConns, p.MaxConns, s.Has(FProcessLimit))
	keep(&out.Workers, p.Workers, s.Has(FProcessLimit))
	keep(&out.FilesSuffice, p.FilesSuffice, s.Has(FProcessLimit))
	keep(&out.HardStop, p.HardStop, s.Has(FHardStop))
	keep(&out.Internal, p.Internal, s.Has(FInternal))
	keep(&out.CrossZone, p.CrossZone, s.Has(FCrossZone))
	for _, l := range p.Listeners {
		if l.Metrics && s.Has(FMetrics) || !l.Metrics && s.Has(FListeners) {
			out.Listeners = append(out.Listeners, l.restrict(s))
		}
	}
	if s.Has(FPools) {
		for _, b := range p.Pools {
			out.Pools = append(out.Pools, b.restrict(s))
		}
	}
	return out
}

func (l Listener) restrict(s Facts) Listener {
	out := Listener{Mode: l.Mode, Metrics: l.Metrics, Binds: l.Binds}
	keep(&out.Name, l.Name, s.Has(FListenerNames))
	keep(&out.MaxConns, l.MaxConns, s.Has(FListenerLimit))
	keep(&out.Authenticated, l.Authenticated, s.Has(FAuthentication))
	keep(&out.ClientTimeout, l.ClientTimeout, s.Has(FTimeouts))
	if s.Has(FSources) {
		out.Sources = l.Sources
	}
	if s.Has(FTLS) {
		out.TLS, out.HTTP2, out.Certificate = l.TLS, l.HTTP2, l.Certificate
	}
	for _, r := range l.Routes {
		kept := Route{Pool: r.Pool}
		keep(&kept.Idle, r.Idle, s.Has(FIdle))
		keep(&kept.Reset, r.Reset, s.Has(FReset))
		out.Routes = append(out.Routes, kept)
	}
	return out
}

func (b Pool) restrict(s Facts) Pool {
	out := Pool{Name: b.Name, Mode: b.Mode}
	keep(&out.Balance, b.Balance, s.Has(FBalance))
	keep(&out.Connect, b.Connect, s.Has(FConnect))
	keep(&out.Retries, b.Retries, s.Has(FRetries))
	keep(&out.ServerTimeout, b.ServerTimeout, s.Has(FTimeouts))
	keep(&out.Tunnel, b.Tunnel, s.Has(FTimeouts))
	keep(&out.CutOnDown, b.CutOnDown, s.Has(FCutOnDown))
	keep(&out.CutOnRemoval, b.CutOnRemoval, s.Has(FCutOnRemoval))
	keep(&out.KeepsSource, b.KeepsSource, s.Has(FKeepsSource))
	if s.Has(FTLS) {
		out.TLS, out.Verify, out.Cert, out.Key, out.CA, out.HTTP2 = b.TLS, b.Verify, b.Cert, b.Key, b.CA, b.HTTP2
	}
	keep(&out.KeepsDestination, b.KeepsDestination, s.Has(FKeepsSource))
	out.Check = b.Check.restrict(s)
	for _, v := range b.Servers {
		if v.Drain.V && !s.Has(FDrain) {
			continue
		}
		kept := Server{Host: v.Host, Port: v.Port}
		keep(&kept.Name, v.Name, s.Has(FServerNames))
		keep(&kept.Drain, v.Drain, s.Has(FDrain))
		keep(&kept.Checked, v.Checked, s.Has(FCheck))
		keep(&kept.VerifyHost, v.VerifyHost, s.Has(FCheckTLS) || s.Has(FTLS))
		out.Servers = append(out.Servers, kept)
	}
	return out
}

func (c Check) restrict(s Facts) Check {
	var out Check
	if s.Has(FCheck) {
		out.Kind, out.Port, out.Plain, out.Method, out.Path = c.Kind, c.Port, c.Plain, c.Method, c.Path
		out.Sources, out.SourceTag = c.Sources, c.SourceTag
	}
	if s.Has(FCheckTimes) {
		out.Interval, out.Fall, out.Rise = c.Interval, c.Fall, c.Rise
	}
	keep(&out.Timeout, c.Timeout, s.Has(FCheckTimeout))
	if s.Has(FCheckFast) {
		out.Fast, out.Down = c.Fast, c.Down
	}
	if s.Has(FCheckTLS) {
		out.Cert, out.Key, out.CA, out.Verify = c.Cert, c.Key, c.CA, c.Verify
	}
	return out
}

func keep[T any](to *Value[T], from Value[T], ok bool) {
	if ok {
		*to = from
	}
}
