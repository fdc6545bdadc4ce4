package haproxy

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/haproxytech/config-parser/v5/params"
	"github.com/haproxytech/config-parser/v5/parsers"
	"github.com/haproxytech/config-parser/v5/parsers/simple"
	"github.com/haproxytech/config-parser/v5/types"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// choices are the options of targets.haproxy that shape the text. The metrics port is a bind of the topology.
type choices struct {
	fragment  bool
	statsPage bool
	container bool
	log       string
}

func choicesOf(options *topology.Tree) (choices, diag.List) {
	var problems diag.List
	log := topology.Get[string](options, "log")
	s := choices{
		fragment:  topology.Get[string](options, "output").V == "fragment",
		statsPage: topology.Get[bool](options, "statsPage").V,
		container: topology.Get[bool](options, "container").V,
		log:       log.V,
	}
	if s.container && s.log == "/dev/log" {
		s.log = "stdout"
		if log.State == topology.Set {
			problems.Warn(log.Span, "unsupported",
				"the log goes to /dev/log, but nobody listens there in a container; written to standard output instead",
				"leave log out, or name a syslog address")
		}
	}
	if addr, err := netip.ParseAddr(s.log); err == nil && addr.Is6() {
		s.log = netip.AddrPortFrom(addr, syslogPort).String() // else its last group would be the port
	}
	return s, problems
}

const syslogPort = 514

// writer writes one proxy.
type writer struct {
	printer
	choices
	proxy *topology.Proxy
}

func render(t *topology.Topology, options *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	proxy := proxyOf(t)
	if proxy == nil {
		return nil, nil
	}
	if problems := unsupported(proxy); len(problems) > 0 {
		return nil, problems
	}
	chosen, problems := choicesOf(options)
	w := writer{choices: chosen, proxy: proxy}
	file := "haproxy/haproxy.cfg"
	w.head = header.Lines()
	if w.fragment {
		file = "haproxy/conf.d/50-etcd-" + t.Name.V + ".cfg"
		w.head = append(w.head, w.expectations()...)
	}
	if !w.fragment {
		w.global()
		// Its name is for the reader: what follows uses the last defaults section, whatever it is called.
		defaults := w.section("defaults", "etcd-"+t.Name.V)
		w.clientSide(defaults)
		w.serverSide(defaults)
	}
	for i := range proxy.Listeners {
		w.frontend(&proxy.Listeners[i])
	}
	for i := range proxy.Pools {
		w.backend(&proxy.Pools[i])
	}
	return []target.Artifact{{Path: file, Data: w.bytes()}}, problems
}

func proxyOf(t *topology.Topology) *topology.Proxy {
	for i := range t.Proxies {
		if t.Proxies[i].Target == name {
			return &t.Proxies[i]
		}
	}
	return nil
}

// unsupported refuses a key that HAProxy would not find: before 3.0 it looks for a key only inside the certificate's
// file and beside it.
func unsupported(p *topology.Proxy) diag.List {
	var problems diag.List
	refuse := func(whose string, cert, key topology.Value[string]) {
		if key.V != "" && key.V != cert.V+keySuffix {
			problems.Error(key.Span, "unsupported",
				fmt.Sprintf("%s key is %s, but HAProxy before 3.0 looks for it only at %s and would not start; need that path",
					whose, key.V, cert.V+keySuffix),
				"store or link the key as "+cert.V+keySuffix)
		}
	}
	for _, l := range p.Listeners {
		refuse("the listener's", l.Certificate.Cert, l.Certificate.Key)
	}
	for _, pool := range p.Pools {
		if pool.TLS.V { // checks present the same
			refuse("the load balancer's client", pool.Cert, pool.Key)
		} else {
			refuse("the health check's", pool.Check.Cert, pool.Check.Key)
		}
	}
	return problems
}

// keySuffix makes the path of a private key out of its certificate's.
const keySuffix = ".key"

// descriptors is the least that `ulimit -n` must allow for a number of connections: two sockets each, and what a process
// with two threads and one server needs. Measured on 2.6: three more for each further thread, one for each further
// server and listener.
func descriptors(connections int) int { return 2*connections + 18 }

// expectations are comment lines for the head of a fragment: what the global section beside it should hold.
func (w *writer) expectations() []string {
	need := w.proxy.MaxConns.V
	if need == 0 {
		for _, l := range w.proxy.Listeners {
			need += l.MaxConns.V
		}
	}
	stop := "hard-stop-after"
	if d := w.proxy.HardStop; d.Known() && d.V != topology.Never {
		stop += " " + spell(d.V)
	}
	return []string{
		"This is a fragment: it has no global and no defaults section, since these would reach into the files beside it.",
		"It expects in the global section of the haproxy that loads it:",
		fmt.Sprintf("  maxconn with room for %d connections more, and `ulimit -n` for %d files more", need, 2*need),
		"  " + stop + ", or each reload leaves an old process until its last watch ends",
		"  a log target, for the `log global` below",
		"  spread-checks 5, so that members are not all asked in the same instant",
	}
}

func (w *writer) global() {
	g := w.section("global", "")
	if n := w.proxy.MaxConns; n.Known() {
		g.number(&parsers.MaxConn{}, n.V, fmt.Sprintf("needs `ulimit -n` above %d: two files a connection, and some for each thread and member", descriptors(n.V)))
	}
	if !w.container {
		g.word(&simple.Word{Name: "chroot"}, "/var/lib/haproxy", "leaves no file within reach of whoever breaks in")
		g.word(&simple.Word{Name: "user"}, name, "root is needed for the start only")
		g.word(&simple.Word{Name: "group"}, name, "as user")
		g.add(&parsers.Socket{}, "the operator's console, root only; hands the listeners over on a reload", types.Socket{
			Path: "/run/haproxy/admin.sock",
			Params: []params.BindOption{
				&params.BindOptionValue{Name: "mode", Value: "600"},
				&params.BindOptionValue{Name: "level", Value: "admin"},
				&params.BindOptionDoubleWord{Name: "expose-fd", Value: "listeners"},
			},
		})
	}
	if stop := w.proxy.HardStop; stop.Known() && stop.V != topology.Never {
		g.word(&simple.Time{Name: "hard-stop-after"}, spell(stop.V), "watches do not end by themselves: without it each reload leaves an old process")
	}
	g.number(&simple.Number{Name: "spread-checks"}, 5, "percent: members are not all asked in the same instant")
	if w.log != "" {
		line := types.Log{Address: w.log, Facility: "local0"}
		if w.log == "stdout" {
			line.Format = "raw"
		}
		g.add(&parsers.Log{}, "the target of each `log global` below", line)
	}
}

// clientSide writes what holds for connections of clients: into defaults, or into a fragment's frontend.
func (w *writer) clientSide(s *part) {
	s.word(&parsers.Mode{}, "tcp", w.modeWhy())
	s.add(&parsers.Log{}, logWhy, types.Log{Global: true})
	s.option("dontlognull", "port scans and probes that send nothing are no news")
	s.option("clitcpka", "finds clients that vanished without a word")
	if idle := w.idle(); idle.Known() {
		s.timeout("client", spell(idle.V), "how long a quiet watch lives; the clients' pings keep it alive, TCP keepalives do not")
	}
	s.timeout("client-fin", finTimeout, "half-closed connections of clients that vanished")
}

// modeWhy is the reason for TCP mode.
func (w *writer) modeWhy() string {
	for _, l := range w.proxy.Listeners {
		if l.TLS.V {
			return "what is decrypted passes through as it is: HTTP/2 of gRPC"
		}
	}
	return "connections pass through unopened"
}

// serverSide writes what holds for connections to members: into defaults, or into a fragment's backend.
func (w *writer) serverSide(s *part) {
	if len(w.proxy.Pools) == 0 {
		return
	}
	pool := &w.proxy.Pools[0]
	retry := int64(1)
	s.option("srvtcpka", "finds members that vanished without a word")
	s.add(&parsers.OptionRedispatch{}, "the first retry already goes to another member", types.OptionRedispatch{Interval: &retry})
	if pool.Retries.Known() {
		s.number(&simple.Number{Name: "retries"}, pool.Retries.V, "further members to try, well within a client's dial timeout")
	}
	if pool.Connect.Known() {
		s.timeout("connect", spell(pool.Connect.V), "a live member answers in milliseconds: do not wait for a dead one")
	}
	if pool.Check.Timeout.Known() {
		s.timeout("check", spell(pool.Check.Timeout.V), "a member without quorum takes seven seconds to say so: that counts as failed")
	}
	if idle := w.idle(); idle.Known() {
		s.timeout("server", spell(idle.V), "as timeout client: the smaller of the two cuts a quiet watch")
	}
	s.timeout("server-fin", finTimeout, "half-closed connections of members that vanished")
}

// logWhy is the reason of each `log global`.
const logWhy = "to where the global section says"

const finTimeout = "30s"

// idle is the idle timeout of the clients' connections.
func (w *writer) idle() topology.Value[time.Duration] {
	for _, l := range w.proxy.Listeners {
		for _, r := range l.Routes {
			return r.Idle
		}
	}
	return topology.Value[time.Duration]{}
}
