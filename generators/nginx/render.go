package nginx

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/nginxinc/nginx-go-crossplane"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// block is what stands between two braces.
type block = crossplane.Directives

// render writes nginx/nginx.conf, or with output "fragment" nginx/stream.d/etcd-<cluster>.conf.
func render(t *topology.Topology, options *topology.Tree, header target.Header) ([]target.Artifact, diag.List) {
	var out []target.Artifact
	var diags diag.List
	for i := range t.Proxies {
		p := &t.Proxies[i]
		if p.Target != name {
			continue
		}
		found := refuse(p)
		diags = append(diags, found...)
		if found.Has(diag.Error) {
			continue
		}
		a := target.Artifact{Path: "nginx/nginx.conf"}
		if topology.Get[string](options, "output").V == "fragment" {
			a.Path = "nginx/" + inside(p) + ".d/etcd-" + t.Name.V + ".conf"
			a.Data = text(fragmentOf(p, header))
		} else {
			a.Data = text(fileOf(p, topology.Get[bool](options, "dynamicModule").V, header))
		}
		out = append(out, a)
	}
	return out, diags
}

// fileOf is a whole nginx.conf.
func fileOf(p *topology.Proxy, dynamic bool, header target.Header) block {
	out := remark(header.Lines()...)
	if dynamic && p.Platform == openSource && inside(p) == "stream" {
		out = append(out, line("stream is a module of its own in Debian's package", "load_module", "modules/ngx_stream_module.so")...)
	}
	out = append(out, line("one a core", "worker_processes", "auto")...)
	var events block
	if p.MaxConns.Known() {
		n := connections(p.MaxConns.V)
		out = append(out, line("a file a connection, and some for logs", "worker_rlimit_nofile", strconv.Itoa(n+64))...)
		events = line(fmt.Sprintf("two for each of %d clients, and some to spare, in each worker", p.MaxConns.V),
			"worker_connections", strconv.Itoa(n))
	}
	if p.HardStop.Known() && p.HardStop.V != topology.Never {
		out = append(out, line("after a reload the old workers live as long as a watch, but no longer than this",
			"worker_shutdown_timeout", formatTime(p.HardStop.V))...)
	}
	out = append(out, line("where the packages' service files look for it", "pid", "/run/nginx.pid")...)
	out = append(out, line("members that fail are reported at this level", "error_log", "/var/log/nginx/error.log", "warn")...)
	in := httpOf(p)
	if inside(p) == "stream" {
		in = streamOf(p, false)
	}
	return append(out, section("events", nil, events), section(inside(p), nil, in))
}

// inside is the block of nginx.conf that a proxy stands in: http where it ends TLS.
func inside(p *topology.Proxy) string {
	for _, l := range p.Listeners {
		if l.Mode.V == topology.HTTP {
			return "http"
		}
	}
	return "stream"
}

// fragmentOf is the inside of a stream or http block. It names what it expects of the file around it.
func fragmentOf(p *topology.Proxy, header target.Header) block {
	block, other := inside(p), "http"
	if block == other {
		other = "stream"
	}
	expects := []string{
		"",
		"Include this inside the " + block + " { } block of nginx.conf, not inside " + other + " { }. Around it nginx.conf should say:",
	}
	if p.Platform == openSource && block == "stream" {
		expects = append(expects, "  load_module modules/ngx_stream_module.so;   where stream is a module of its own (Debian)")
	}
	if p.MaxConns.Known() {
		n := connections(p.MaxConns.V)
		expects = append(expects,
			fmt.Sprintf("  worker_rlimit_nofile %d;   or more: a file a connection", n+64),
			fmt.Sprintf("  events { worker_connections %d; }   or more: two for each of %d clients", n, p.MaxConns.V))
	}
	if p.HardStop.Known() && p.HardStop.V != topology.Never {
		expects = append(expects, "  worker_shutdown_timeout "+formatTime(p.HardStop.V)+";   or old workers live as long as a watch")
	}
	in := httpOf(p)
	if block == "stream" {
		in = streamOf(p, true)
	}
	return append(remark(append(header.Lines(), expects...)...), in...)
}

// streamOf is what stands in the stream block.
func streamOf(p *topology.Proxy, fragment bool) block {
	var out block
	for i := range p.Pools {
		pool := &p.Pools[i]
		out = append(out, remark("A session is logged when it ends; the upstream tells which member served it, or which were tried.")...)
		out = append(out, line("", "log_format", pool.Name.V, logFormat)...)
		if pool.Check.Kind.V == topology.CheckHTTP {
			out = append(out, matchOf(pool))
		}
		out = append(out, upstreamOf(pool))
	}
	for i := range p.Listeners {
		l := &p.Listeners[i]
		if l.Metrics {
			out = append(out, healthServer(l, fragment))
			continue
		}
		out = append(out, serverOfListener(p, l, fragment))
	}
	return out
}

const logFormat = "$remote_addr [$time_iso8601] $status sent=$bytes_sent received=$bytes_received " +
	"seconds=$session_time upstream=[$upstream_addr] connect=[$upstream_connect_time]"

// matchOf is the request of an active check and the answer of a healthy member.
func matchOf(pool *topology.Pool) *crossplane.Directive {
	c := &pool.Check
	in := line("as HTTP/1.0 it needs no Host", "send", c.Method.V+" "+c.Path.V+` HTTP/1.0\r\n\r\n`)
	in = append(in, line("a member without quorum answers 503", "expect", "~", `^HTTP/1\.[01] 200 `)...)
	return section("match", []string{pool.Name.V}, in)
}

func upstreamOf(pool *topology.Pool) *crossplane.Directive {
	in := line("all workers share what they know of the members", "zone", pool.Name.V, "256k")
	if d := balances[pool.Balance.V]; d != nil {
		in = append(in, line(balanceReasons[pool.Balance.V], d[0], d[1:]...)...)
	}
	for i := range pool.Servers {
		v := &pool.Servers[i]
		args := []string{net.JoinHostPort(v.Host.V, strconv.Itoa(v.Port.V))}
		args = append(args, passiveArgs(&pool.Check)...)
		why := v.Name.V
		if v.Backup.V {
			args = append(args, "backup")
		}
		if v.Drain.V {
			args = append(args, "down")
			why = strings.TrimPrefix(why+", drained: no new connection", ", ")
		}
		in = append(in, line(why, "server", args...)...)
	}
	return section("upstream", []string{pool.Name.V}, in)
}

var balanceReasons = map[string]string{
	"leastconn": "connections live long: a member that comes back fills up again",
	"source":    "a client stays with its member",
}

// passiveArgs spells how many failed connections take a member out, and for how long.
func passiveArgs(c *topology.Check) []string {
	switch {
	case c.Kind.V == topology.CheckNone:
		return []string{"max_fails=0"}
	case c.Kind.V != topology.CheckPassive:
		return nil
	}
	var out []string
	if c.Fall.Known() {
		out = append(out, "max_fails="+strconv.Itoa(c.Fall.V))
	}
	if c.Interval.Known() {
		out = append(out, "fail_timeout="+formatTime(c.Interval.V))
	}
	return out
}

// serverOfListener is the server block of a listener; its one route is what it forwards to.
func serverOfListener(p *topology.Proxy, l *topology.Listener, fragment bool) *crossplane.Directive {
	route := l.Routes[0]
	pool := p.Pool(route.Pool.V)
	in := listens(l)
	if fragment {
		in = append(in, line("whatever the block around says: etcd speaks TLS with the client itself", "proxy_ssl", "off")...)
	} else if pool.Check.Plain.V {
		in = append(in, line("on purpose: members speak no TLS, to checks neither", "proxy_ssl", "off")...)
	}
	if fragment {
		in = append(in, line("likewise: etcd cannot read the PROXY protocol", "proxy_protocol", "off")...)
	}
	if pool.Connect.Known() {
		in = append(in, line("a member that does not answer is given up soon", "proxy_connect_timeout", formatTime(pool.Connect.V))...)
	}
	in = append(in, nextOf(pool)...)
	if route.Idle.Known() {
		in = append(in, line("quiet watches live as long as this; only traffic counts, keepalive probes do not",
			"proxy_timeout", formatTime(route.Idle.V))...)
	}
	in = append(in, line("the kernel finds members that are gone", "proxy_socket_keepalive", "on")...)
	in = append(in, checkOf(p, pool)...)
	in = append(in, line("", "access_log", "/var/log/nginx/"+pool.Name.V+".log", pool.Name.V)...)
	in = append(in, line("", "proxy_pass", pool.Name.V)...)
	return section("server", nil, in)
}

// healthServer answers the check of keepalived on this machine, whatever it asks. It knows nothing of members.
func healthServer(l *topology.Listener, fragment bool) *crossplane.Directive {
	var in block
	for _, b := range l.Binds {
		in = append(in, line("for keepalived's check", "listen", net.JoinHostPort(b.Addr.V.String(), strconv.Itoa(b.Port.V)))...)
	}
	answer := `HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
	if l.Mode.V == topology.HTTP {
		answer = "200"
	}
	if fragment {
		in = append(in, line("", "access_log", "off")...)
	}
	in = append(in, line("", "return", answer)...)
	return section("server", nil, in)
}

// listens are the addresses of a listener.
func listens(l *topology.Listener, words ...string) block {
	var out block
	for _, b := range l.Binds {
		args := append([]string{net.JoinHostPort(b.Addr.V.String(), strconv.Itoa(b.Port.V))}, words...)
		args = append(args, "so_keepalive=on")
		if b.Addr.V.Is6() {
			args = append(args, "ipv6only=on")
		}
		why := "the kernel finds clients that are gone"
		if a := b.Addr.V; !a.IsUnspecified() && !a.IsLoopback() {
			why += "; a machine without this address needs net." + family(a) + ".ip_nonlocal_bind=1"
		}
		out = append(out, line(why, "listen", args...)...)
	}
	return out
}

func family(a netip.Addr) string {
	if a.Is6() {
		return "ipv6"
	}
	return "ipv4"
}

// nextOf spells what happens to a connection that its member does not take.
func nextOf(pool *topology.Pool) block {
	if !pool.Retries.Known() {
		return nil
	}
	attempts := pool.Retries.V + 1
	out := line("a connection that one member does not take goes to the next", "proxy_next_upstream", "on")
	out = append(out, line("the first member and those after it", "proxy_next_upstream_tries", strconv.Itoa(attempts))...)
	if pool.Connect.Known() {
		all := pool.Connect.V * time.Duration(attempts)
		out = append(out, line("each of them for its connect timeout", "proxy_next_upstream_timeout", formatTime(all))...)
	}
	return out
}

// checkOf spells the active check of NGINX Plus.
func checkOf(p *topology.Proxy, pool *topology.Pool) block {
	if p.Platform != plus {
		return nil
	}
	out := line("counters for the API and the dashboard", "status_zone", pool.Name.V)
	c := &pool.Check
	var args []string
	why := "connects only: it cannot see a member that hangs or has no quorum"
	switch c.Kind.V {
	case topology.CheckTCP, topology.CheckHTTP:
	default:
		return out
	}
	if c.Port.Known() {
		args = append(args, "port="+strconv.Itoa(c.Port.V))
	}
	if c.Interval.Known() {
		args = append(args, "interval="+formatTime(c.Interval.V))
	}
	if c.Fall.Known() {
		args = append(args, "fails="+strconv.Itoa(c.Fall.V))
	}
	if c.Rise.Known() {
		args = append(args, "passes="+strconv.Itoa(c.Rise.V))
	}
	if c.Kind.V == topology.CheckHTTP {
		args = append(args, "match="+pool.Name.V)
		why = "asks etcd itself, so that hung members and those without quorum are left out"
	}
	out = append(out, line(why, "health_check", args...)...)
	if c.Timeout.Known() {
		out = append(out, line("a slow answer counts as none", "health_check_timeout", formatTime(c.Timeout.V))...)
	}
	return out
}

// sameLine marks a comment that belongs to the directive before it.
const sameLine = -1

// line is a directive with the reason for it, if there is one to tell.
func line(why, directive string, args ...string) block {
	out := block{{Directive: directive, Args: args}}
	if why != "" {
		comment := " " + why
		out = append(out, &crossplane.Directive{Directive: "#", Comment: &comment, Line: sameLine})
	}
	return out
}

// remark is comment lines.
func remark(lines ...string) block {
	var out block
	for _, l := range lines {
		comment := strings.TrimRight(" "+l, " ")
		out = append(out, &crossplane.Directive{Directive: "#", Comment: &comment})
	}
	return out
}

func section(directive string, args []string, in block) *crossplane.Directive {
	if in == nil {
		in = block{}
	}
	return &crossplane.Directive{Directive: directive, Args: args, Block: in}
}

// text is a file's.
func text(b block) []byte {
	number(b, 0)
	var out bytes.Buffer
	// A bytes.Buffer takes whatever is written, and nothing else of Build fails.
	_ = crossplane.Build(&out, crossplane.Config{Parsed: b}, &crossplane.BuildOptions{Indent: 4})
	out.WriteByte('\n')
	return out.Bytes()
}

// number gives directives their lines, by which crossplane knows the comments that go to the end of one. It returns the
// last.
func number(b block, last int) int {
	for _, d := range b {
		if d.Line != sameLine {
			last++
		}
		d.Line = last
		last = number(d.Block, last)
	}
	return last
}
