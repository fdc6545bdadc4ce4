package nginx

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// show is a value as text: "?" where it is unknown, in parentheses where it is a default.
func show[T any](v topology.Value[T]) string {
	switch v.State {
	case topology.Unknown:
		return "?"
	case topology.Defaulted:
		return fmt.Sprintf("(%v)", v.V)
	}
	return fmt.Sprint(v.V)
}

// summary is what a test compares: one line a fact group.
func summary(t *topology.Topology) string {
	var b strings.Builder
	for _, p := range t.Proxies {
		fmt.Fprintf(&b, "%s max=%s stop=%s\n", p.Platform, show(p.MaxConns), show(p.HardStop))
		for _, l := range p.Listeners {
			b.WriteString("listen")
			for _, x := range l.Binds {
				fmt.Fprintf(&b, " %s:%s", show(x.Addr), show(x.Port))
			}
			for _, r := range l.Routes {
				fmt.Fprintf(&b, " -> %s idle=%s", show(r.Pool), show(r.Idle))
			}
			b.WriteString("\n")
		}
		for _, p := range p.Pools {
			c := p.Check
			fmt.Fprintf(&b, "pool %s %s connect=%s retries=%s check=%s", show(p.Name), show(p.Balance), show(p.Connect),
				show(p.Retries), show(c.Kind))
			for _, x := range []struct{ name, text string }{
				{"port", show(c.Port)},
				{"request", show(c.Method) + " " + show(c.Path)},
				{"interval", show(c.Interval)},
				{"timeout", show(c.Timeout)},
				{"fall", show(c.Fall)},
				{"rise", show(c.Rise)},
			} {
				if strings.Trim(x.text, "? ") != "" {
					fmt.Fprintf(&b, " %s=%s", x.name, x.text)
				}
			}
			b.WriteString("\n")
			for _, v := range p.Servers {
				fmt.Fprintf(&b, "  %s:%s", show(v.Host), show(v.Port))
				if v.Drain.V {
					b.WriteString(" down")
				}
				if v.Backup.V {
					b.WriteString(" backup")
				}
				if !v.Checked.V {
					b.WriteString(" unchecked")
				}
				b.WriteString("\n")
			}
		}
	}
	return b.String()
}

func TestParse(t *testing.T) {
	const passive = "check=(passive) interval=(10s) fall=(1)"
	tests := []struct{ name, text, want string }{
		{
			"a common file for etcd",
			`
events { worker_connections 1024; }
stream {
    upstream etcd_cluster {
        server 10.0.1.10:2379 max_fails=3 fail_timeout=30s;
        server 10.0.1.11:2379 max_fails=3 fail_timeout=30s;
        server 10.0.1.12:2379 max_fails=3 fail_timeout=30s;
    }
    server {
        listen 2379;
        proxy_pass etcd_cluster;
        proxy_connect_timeout 10s;
        proxy_timeout 5m;
    }
}
`,
			`nginx max=496 stop=(0s)
listen (0.0.0.0):2379 -> etcd_cluster idle=5m0s
pool etcd_cluster (roundrobin) connect=10s retries=(2) check=passive interval=30s fall=3
  10.0.1.10:2379
  10.0.1.11:2379
  10.0.1.12:2379
`,
		},
		{
			"a local proxy for kube-apiserver, with a health page",
			`error_log stderr notice;
worker_processes 2;
worker_shutdown_timeout 10s;
events { multi_accept on; worker_connections 16384; }
stream {
  upstream kube_apiserver { least_conn; server 10.0.0.1:6443; server master-2.Example.com:6443; }
  server { listen 127.0.0.1:6443; listen [::1]:6443; proxy_pass kube_apiserver; proxy_timeout 10m; proxy_connect_timeout 1s; }
}
http {
  upstream etcd { server 10.0.0.9:2379; }
  server { listen 8081; location /healthz { return 200; } }
}
`,
			`nginx max=8176 stop=10s
listen 127.0.0.1:6443 ::1:6443 -> kube_apiserver idle=10m0s
pool kube_apiserver leastconn connect=1s retries=(1) ` + passive + `
  10.0.0.1:6443
  master-2.example.com:6443
`,
		},
		{
			"defaults and inheritance",
			`events { }
stream {
  proxy_timeout 1h30m;
  proxy_next_upstream_tries 2;
  server { listen *:2379; proxy_pass a; }
  server { listen [::]:2380 ipv6only=off; proxy_pass b; proxy_timeout 45; proxy_next_upstream off; }
  server { listen 10.0.0.5:2381-2382; proxy_pass 10.0.0.6:2379; proxy_connect_timeout 500ms; }
  upstream a { hash $remote_addr; server [fd00:0::1]:2379; server 10.0.0.1:2379 backup; server 10.0.0.2:2379 down; }
  upstream b { random two; server 10.0.0.1:2379 max_fails=0; server 10.0.0.2:2379 max_fails=0; }
}
`,
			`nginx max=(240) stop=(0s)
listen 0.0.0.0:2379 -> a idle=1h30m0s
listen 0.0.0.0:2380 :::2380 -> b idle=45s
listen 10.0.0.5:2381 10.0.0.5:2382 -> 10.0.0.6:2379 idle=1h30m0s
pool a source connect=(1m0s) retries=1 ` + passive + `
  fd00::1:2379
  10.0.0.1:2379 backup
  10.0.0.2:2379 down
pool b random connect=(1m0s) retries=0 check=none
  10.0.0.1:2379 unchecked
  10.0.0.2:2379 unchecked
pool 10.0.0.6:2379 (roundrobin) connect=500ms retries=0 ` + passive + `
  10.0.0.6:2379
`,
		},
		{
			"a part of a stream block inherits what nobody knows",
			`upstream etcd { server 10.0.0.1:2379; server 10.0.0.2:2379; }
server { listen 2379; proxy_pass etcd; }
`,
			`nginx max=? stop=?
listen (0.0.0.0):2379 -> etcd idle=?
pool etcd (roundrobin) connect=? retries=? ` + passive + `
  10.0.0.1:2379
  10.0.0.2:2379
`,
		},
		{
			"variables, sockets, placeholders",
			`events { worker_connections q_zq_zq_; }
stream {
  map $ssl_preread_server_name $to { default etcd; }
  server { listen 2379; proxy_pass $to; }
  server { listen q_zq_z; proxy_pass etcd; proxy_timeout q_zq; }
  server { listen unix:/run/etcd.sock; proxy_pass ${UPSTREAM}:2380; }
  upstream etcd { server ETCD_1_IP:2379; server q_zq_zq_:2379; server $host:2379; server unix:/run/x; }
  upstream q_zq_zq_z { server 10.0.0.1:2380; }
}
`,
			`nginx max=? stop=(0s)
listen (0.0.0.0):2379 -> ? idle=(10m0s)
listen ?:? -> etcd idle=?
listen ?:? -> ? idle=(10m0s)
pool etcd (roundrobin) connect=(1m0s) retries=(3) ` + passive + `
  ?:2379
  ?:2379
  ?:2379
  ?:?
pool ? (roundrobin) connect=? retries=? ` + passive + `
  10.0.0.1:2380
pool ? (roundrobin) connect=(1m0s) retries=(0) ` + passive + `
  ?:2380
`,
		},
		{
			"an include that is not at hand may say anything",
			`events { include events.conf; }
include modules-enabled/*.conf;
stream {
  include stream.d/*.conf;
  upstream etcd { include etcd.servers; }
  server { listen 2379; proxy_pass etcd; proxy_timeout 1h; include limits.conf; }
}
`,
			`nginx max=? stop=?
listen (0.0.0.0):2379 -> etcd idle=1h0m0s
pool etcd ? connect=? retries=? check=?
`,
		},
		{
			"active checks of Plus",
			`events { }
stream {
  match ready { send "GET /readyz HTTP/1.0\r\n\r\n"; expect ~ "200 OK"; }
  match banner { expect "x"; }
  health_check_timeout 2s;
  upstream a { zone a 64k; server 10.0.0.1:2379; server 10.0.0.2:2379; }
  upstream b { zone b 64k; least_time connect; server 10.0.0.1:2379; }
  upstream c { zone c 64k; server 10.0.0.1:2379; }
  upstream d { zone d 64k; server 10.0.0.1:2379; }
  upstream e { zone e 64k; server 10.0.0.1:2379; }
  server { listen 1; proxy_pass a; health_check port=2381 interval=3s fails=2 passes=3 match=ready; }
  server { listen 2; proxy_pass b; health_check; }
  server { listen 3; proxy_pass c; health_check match=banner; }
  server { listen 4; proxy_pass d; health_check match=ready; proxy_ssl on; }
}
`,
			`nginx-plus max=(240) stop=(0s)
listen (0.0.0.0):1 -> a idle=(10m0s)
listen (0.0.0.0):2 -> b idle=(10m0s)
listen (0.0.0.0):3 -> c idle=(10m0s)
listen (0.0.0.0):4 -> d idle=(10m0s)
pool a (roundrobin) connect=(1m0s) retries=(1) check=http port=2381 request=GET /readyz interval=3s timeout=2s fall=2 rise=3
  10.0.0.1:2379
  10.0.0.2:2379
pool b least_time connect=(1m0s) retries=(0) check=tcp port=(2379) interval=(5s) timeout=2s fall=(1) rise=(1)
  10.0.0.1:2379
pool c (roundrobin) connect=(1m0s) retries=(0) check=? port=(2379) interval=(5s) timeout=2s fall=(1) rise=(1)
  10.0.0.1:2379
pool d (roundrobin) connect=(1m0s) retries=(0) check=https port=(2379) request=GET /readyz interval=(5s) timeout=2s fall=(1) rise=(1)
  10.0.0.1:2379
pool e (roundrobin) connect=? retries=? check=?
  10.0.0.1:2379
`,
		},
		{
			"quotes and comments",
			"events{worker_connections 132;}stream{# {\n" +
				"upstream 'etcd prod'{server \"10.0.0.1:2379\"# not this;\n weight=5;}# \\\n" +
				"server{listen 2379;proxy_pass \"etcd prod\";proxy_timeout '1h 30m';}}\r\n",
			`nginx max=50 stop=(0s)
listen (0.0.0.0):2379 -> etcd prod idle=1h30m0s
pool etcd prod (roundrobin) connect=(1m0s) retries=(0) ` + passive + `
  10.0.0.1:2379
`,
		},
		{
			"settings that servers of one pool do not agree on",
			`events { }
stream {
  upstream etcd { server 10.0.0.1:2379 max_fails=2; server 10.0.0.2:2379 max_fails=3; }
  server { listen 1; proxy_pass etcd; proxy_connect_timeout 1s; }
  server { listen 2; proxy_pass etcd; proxy_connect_timeout 2s; proxy_timeout 0; }
}
`,
			`nginx max=(240) stop=(0s)
listen (0.0.0.0):1 -> etcd idle=(10m0s)
listen (0.0.0.0):2 -> etcd idle=?
pool etcd (roundrobin) connect=? retries=(1) check=(passive) interval=(10s)
  10.0.0.1:2379
  10.0.0.2:2379
`,
		},
		{
			"two settings of one block, from branches of a template",
			"events { }\nstream {\n  server { listen 1; proxy_pass 10.0.0.1:2379; proxy_timeout 30s; proxy_timeout 1h; proxy_connect_timeout 1s; proxy_connect_timeout 1s; }\n}\n",
			"nginx max=(240) stop=(0s)\nlisten (0.0.0.0):1 -> 10.0.0.1:2379 idle=?\n" +
				"pool 10.0.0.1:2379 (roundrobin) connect=1s retries=(0) check=(passive) interval=(10s) fall=(1)\n  10.0.0.1:2379\n",
		},
		{
			"arguments that a template fills in",
			`events { }
stream {
  upstream a { zone a 64k; server 10.0.0.1:2379; }
  server { listen 1 q_zq_z; proxy_pass a; proxy_responses 1; proxy_ssl q_zq; health_check interval=3s q_zq_zq; }
}
`,
			`nginx-plus max=(240) stop=(0s)
listen (0.0.0.0):1 -> a idle=(10m0s)
pool a (roundrobin) connect=(1m0s) retries=(0) check=? port=(2379) interval=3s timeout=(5s)
  10.0.0.1:2379
`,
		},
		{
			"words that a script replaces",
			"events { }\nstream {\n  upstream api {\nBACKENDS\n  }\n  server { listen __PORT__; proxy_pass api; }\n}\n",
			"nginx max=(240) stop=(0s)\nlisten ?:? -> api idle=(10m0s)\n" +
				"pool api (roundrobin) connect=(1m0s) retries=(0) check=(passive) interval=(10s) fall=(1)\n",
		},
		{"a web server", "server { listen 80; server_name x; location / { root /srv; } }\n", ""},
		{"a web server's main file", "events { }\nhttp { server { listen 80; } }\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, diags := read("nginx.conf", tt.text)
			if len(diags) > 0 {
				t.Errorf("unexpected: %v", diags)
			}
			if d := cmp.Diff(tt.want, summary(got)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func TestSpans(t *testing.T) {
	const text = `events { worker_connections 99; }
stream {
	upstream "ä" { # é
		server 10.0.0.1:2379
			max_fails=2;
	}
	server { listen 2379; proxy_pass "ä"; }
	server { /* é */ 1; listen [::]:80; proxy_timeout '5m'; proxy_pass 10.0.0.2:1; }
}
`
	got, _ := read("a/nginx.conf", text)
	p := got.Proxies[0]
	at := func(line, col, width int) diag.Span { return diag.At("a/nginx.conf", line, col, width) }
	for _, tt := range []struct {
		what      string
		got, want diag.Span
	}{
		{"worker_connections", p.MaxConns.Span, at(1, 29, 2)},
		{"pool name", p.Pools[0].Name.Span, at(3, 11, 3)},
		{"pool", p.Pools[0].Check.Span, at(3, 2, 12)},
		{"server line", p.Pools[0].Servers[0].Span, at(4, 3, 20)},
		{"server address", p.Pools[0].Servers[0].Host.Span, at(4, 10, 13)},
		{"max_fails", p.Pools[0].Check.Fall.Span, at(5, 4, 11)},
		{"listener", p.Listeners[0].Span, at(7, 2, 6)},
		{"listening port", p.Listeners[0].Binds[0].Port.Span, at(7, 18, 4)},
		{"default idle timeout", p.Listeners[0].Routes[0].Idle.Span, at(7, 2, 6)},
		{"idle timeout", p.Listeners[1].Routes[0].Idle.Span, at(8, 52, 4)},
		{"direct server", p.Pools[1].Servers[0].Span, at(8, 69, 10)},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.what, tt.got, tt.want)
		}
	}
}

// TestLocations: a snippet of locations is the inside of a server, whose address and times nobody knows.
func TestLocations(t *testing.T) {
	got, diags := read("snippets/etcd.conf", "location / { proxy_pass http://10.0.0.1:2379; }\nlocation /peer { proxy_pass http://10.0.0.1:2380; }\n")
	if len(diags) > 0 {
		t.Errorf("unexpected: %v", diags)
	}
	const want = `nginx max=? stop=?
listen -> 10.0.0.1:2379 idle=?
pool 10.0.0.1:2379 (roundrobin) connect=? retries=? check=(passive) interval=(10s) fall=(1)
  10.0.0.1:2379
pool 10.0.0.1:2380 (roundrobin) connect=? retries=? check=(passive) interval=(10s) fall=(1)
  10.0.0.1:2380
`
	if d := cmp.Diff(want, summary(got)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestHTTP(t *testing.T) {
	got, diags := read("nginx.conf", `events { worker_connections 99; }
stream {
  upstream etcd { server 10.0.0.7:53; }
  server { listen 53; proxy_pass etcd; }
}
http {
  grpc_read_timeout 90m;
  upstream etcd { least_conn; server 10.0.0.1:2379; server 10.0.0.2:2379; }
  server {
    listen 2379 ssl http2;
    location / { grpc_pass grpcs://etcd; grpc_ssl_verify on; grpc_ssl_certificate /c.crt; }
    location /health { proxy_pass https://etcd; }
    location /v3 { proxy_read_timeout 5s; proxy_pass https://10.0.0.3:2379/v3; }
  }
  server { listen 8080; http2 on; location ^~ /etcdserverpb.KV/ { proxy_read_timeout 2m; proxy_pass http://10.0.0.4:2379; } }
  server { listen 8081 ssl; location / { if ($x) { proxy_pass http://$host; } } }
  server { listen 80; location / { root /srv; } }
}
`)
	if len(diags) > 0 {
		t.Errorf("unexpected: %v", diags)
	}
	const want = `nginx max=33 stop=(0s)
listen (0.0.0.0):53 -> etcd idle=(10m0s)
pool etcd (roundrobin) connect=(1m0s) retries=(0) check=(passive) interval=(10s) fall=(1)
  10.0.0.7:53
nginx max=33 stop=(0s)
listen (0.0.0.0):2379 -> etcd idle=1h30m0s
listen (0.0.0.0):8080 -> 10.0.0.4:2379 idle=2m0s
listen (0.0.0.0):8081 -> ? idle=(1m0s)
pool etcd leastconn connect=(1m0s) retries=? check=(passive) interval=(10s) fall=(1)
  10.0.0.1:2379
  10.0.0.2:2379
pool 10.0.0.4:2379 (roundrobin) connect=(1m0s) retries=? check=(passive) interval=(10s) fall=(1)
  10.0.0.4:2379
pool 10.0.0.3:2379 (roundrobin) connect=(1m0s) retries=? check=(passive) interval=(10s) fall=(1)
  10.0.0.3:2379
`
	if d := cmp.Diff(want, summary(got)); d != "" {
		t.Fatalf("-want +got:\n%s", d)
	}
	p := got.Proxies[1]
	for _, tt := range []struct {
		what string
		got  topology.Value[bool]
		want topology.Value[bool]
	}{
		{"first server's TLS", p.Listeners[0].TLS, set(true)},
		{"first server's HTTP/2", p.Listeners[0].HTTP2, set(true)},
		{"second server's HTTP/2", p.Listeners[1].HTTP2, set(true)},
		{"third server's HTTP/2", p.Listeners[2].HTTP2, set(false)},
		{"upstream's TLS", p.Pools[0].TLS, set(true)},
		{"upstream's verification", p.Pools[0].Verify, set(true)},
		{"upstream's HTTP/2", p.Pools[0].HTTP2, set(true)},
		{"proxy_pass's HTTP/2", p.Pools[1].HTTP2, set(false)},
		{"the gateway's HTTP/2", p.Pools[2].HTTP2, topology.Value[bool]{}},
		{"the gateway's verification", p.Pools[2].Verify, preset(false)},
	} {
		if tt.got.V != tt.want.V || tt.got.State != tt.want.State {
			t.Errorf("%s: %+v, want %+v", tt.what, tt.got, tt.want)
		}
	}
}
