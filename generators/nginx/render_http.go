package nginx

import (
	"strconv"
	"time"

	"github.com/nginxinc/nginx-go-crossplane"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// httpOf is what stands in the http block, where NGINX ends TLS: its stream module offers members no HTTP/2.
func httpOf(p *topology.Proxy) block {
	var out block
	for i := range p.Pools {
		pool := &p.Pools[i]
		out = append(out, remark("A request is logged when it ends, a watch with it; the upstream tells which member served it.")...)
		out = append(out, line("", "log_format", pool.Name.V, httpLogFormat)...)
		out = append(out, upstreamOf(pool))
	}
	for i := range p.Listeners {
		if l := &p.Listeners[i]; l.Metrics {
			out = append(out, healthServer(l, true))
		} else {
			out = append(out, terminating(p, l))
		}
	}
	return out
}

const httpLogFormat = `$remote_addr [$time_iso8601] "$ssl_client_s_dn" "$request" $status sent=$bytes_sent received=$request_length ` +
	"seconds=$request_time upstream=[$upstream_addr] connect=[$upstream_connect_time]"

// requestsAConnection is how many requests a client may send on one connection: as good as all. After NGINX's own limit
// of a thousand clients would have to connect anew every few minutes.
const requestsAConnection = 1_000_000_000

// streamsAConnection is how many requests of one connection are served at a time. NGINX's own limit of 128 is soon
// reached by the watches of one kube-apiserver.
const streamsAConnection = 4096

// terminating is the server block of a listener that ends TLS: clients show a certificate and are offered HTTP/2.
func terminating(p *topology.Proxy, l *topology.Listener) *crossplane.Directive {
	route := l.Routes[0]
	in := listens(l, "ssl", "http2")
	in = append(in, line("what clients are shown", "ssl_certificate", l.Certificate.Cert.V)...)
	in = append(in, line("", "ssl_certificate_key", l.Certificate.Key.V)...)
	in = append(in, line("who signs the clients' certificates", "ssl_client_certificate", l.Certificate.CA.V)...)
	in = append(in, line("who has none would borrow the load balancer's identity", "ssl_verify_client", "on")...)
	in = append(in, line("", "ssl_protocols", "TLSv1.2", "TLSv1.3")...)
	in = append(in, line("clients keep a connection for days", "keepalive_requests", strconv.Itoa(requestsAConnection))...)
	in = append(in, line("a watch is a request that stays open", "http2_max_concurrent_streams", strconv.Itoa(streamsAConnection))...)
	in = append(in, line("snapshots and large values pass", "client_max_body_size", "0")...)
	if route.Idle.Known() {
		in = append(in, idle("a connection without requests lives as long as one with", "keepalive_timeout", route.Idle.V)...)
		in = append(in, idle("a watch sends nothing for long", "client_body_timeout", route.Idle.V)...)
	}
	in = append(in, line("", "access_log", "/var/log/nginx/"+route.Pool.V+".log", route.Pool.V)...)
	return section("server", nil, append(in, section("location", []string{"/"}, passing(p.Pool(route.Pool.V), route))))
}

// passing is how requests are passed on to members: as gRPC over TLS, in the load balancer's own name.
func passing(pool *topology.Pool, route topology.Route) block {
	out := line("HTTP/2 towards members, too", "grpc_pass", "grpcs://"+pool.Name.V)
	out = append(out, line("every client is this certificate to etcd", "grpc_ssl_certificate", pool.Cert.V)...)
	out = append(out, line("", "grpc_ssl_certificate_key", pool.Key.V)...)
	out = append(out, line("who signs the members' certificates", "grpc_ssl_trusted_certificate", pool.CA.V)...)
	out = append(out, line("else whoever answers is taken for a member", "grpc_ssl_verify", "on")...)
	if len(pool.Servers) > 0 && pool.Servers[0].VerifyHost.Known() {
		out = append(out, line("each member's certificate must hold this name", "grpc_ssl_name", pool.Servers[0].VerifyHost.V)...)
	}
	out = append(out, line("", "grpc_ssl_protocols", "TLSv1.2", "TLSv1.3")...)
	if pool.Connect.Known() {
		out = append(out, line("a member that does not answer is given up soon", "grpc_connect_timeout", formatTime(pool.Connect.V))...)
	}
	out = append(out, line("a request that one member does not take goes to the next", "grpc_next_upstream", "error", "timeout")...)
	out = append(out, line("the first member and those after it", "grpc_next_upstream_tries", strconv.Itoa(max(1, usable(pool))))...)
	if route.Idle.Known() {
		out = append(out, idle("quiet watches live as long as this; the clients' pings do not count here", "grpc_read_timeout", route.Idle.V)...)
		out = append(out, idle("", "grpc_send_timeout", route.Idle.V)...)
	}
	return append(out, line("the kernel finds members that are gone", "grpc_socket_keepalive", "on")...)
}

func idle(why, directive string, d time.Duration) block { return line(why, directive, formatTime(d)) }

// usable is how many servers of a pool get new connections.
func usable(pool *topology.Pool) int {
	n := 0
	for _, v := range pool.Servers {
		if !v.Drain.V {
			n++
		}
	}
	return n
}
