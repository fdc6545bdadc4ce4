package haproxy

import (
	"slices"
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
)

// The guide's configuration, shortened, as people copy it.
const guide = `global
    log /dev/log local0
    maxconn 4096
    daemon
defaults
    log global
    mode tcp
    option dontlognull
    timeout connect 10s
    timeout client 5m
    timeout server 5m
listen stats
    bind *:9000
    mode http
    stats enable
    stats auth admin:password
frontend etcd-client
    bind *:2379
    mode tcp
    default_backend etcd-cluster
backend etcd-cluster
    mode tcp
    balance roundrobin
    option tcp-check
    server etcd-1 10.0.1.10:2379 check inter 10s fall 3 rise 2
    server etcd-2 10.0.1.11:2379 check inter 10s fall 3 rise 2
`

func TestParse(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // lines of the description
	}{
		{"guide", guide, []string{
			"proxy max=4096 stop=(0s)",
			"listener stats http metrics 0.0.0.0/9000",
			"listener etcd-client tcp 0.0.0.0/2379",
			"route etcd-client > etcd-cluster idle=5m0s @10:20-22",
			"pool etcd-cluster tcp balance=roundrobin connect=10s retries=(3) cut=(false)",
			"check etcd-cluster tcp (2379) ? ? every=10s/(10s)/(10s) timeout=(10s) fall=3 rise=2 @24:5-21",
			"server etcd-1 10.0.1.10 2379 drain=(false) backup=? checked=true",
		}},
		{"kubernetes", `
defaults
  timeout connect 5000
  timeout client 50000
  timeout server 50000
frontend kubernetes
bind 0.0.0.0:6443
option tcplog
default_backend masters
backend masters
balance roundrobin
option httpchk GET /healthz
http-check expect status 200
default-server inter 10s downinter 5s rise 2 fall 2 slowstart 60s maxconn 250
server m1 192.168.0.1:6443 check check-ssl verify none
server m2 192.168.0.2:6443 check check-ssl verify none
`, []string{
			"route kubernetes > masters idle=50s @4:18-23",
			"pool masters (tcp) balance=roundrobin connect=5s retries=(3) cut=(false)",
			"check masters https (6443) GET /healthz every=10s/(10s)/5s timeout=(10s) fall=2 rise=2 cert=() key=() ca=() verify=false @12:1-28",
		}},
		{"nothing set", "global\nfrontend a\nbind :2379\ndefault_backend b\nbackend b\nserver x 10.0.0.1:2379\n", []string{
			"proxy max=(0) stop=(0s)",
			"route a > b idle=(0s) @2:1-11",
			"pool b (tcp) balance=(roundrobin) connect=(0s) retries=(3) cut=?",
			"check b (none) @5:1-10",
			"server x 10.0.0.1 2379 drain=(false) backup=? checked=(false)",
		}},
		{"fragment", "frontend a\nbind :2379\ndefault_backend b\nbackend b\nserver x 10.0.0.1:2379\nserver y 10.0.0.2:2379 check\n", []string{
			"proxy max=? stop=?",
			"listener a ? 0.0.0.0/2379",
			"route a > b idle=? @0:0-0",
			"pool b ? balance=? connect=? retries=? cut=?",
			"server x 10.0.0.1 2379 drain=(false) backup=? checked=?",
			"server y 10.0.0.2 2379 drain=(false) backup=? checked=true",
		}},
		{"listen", "defaults\nmode tcp\ntimeout tunnel 1h\nlisten etcd\nbind 10.0.0.9:2379,[fd00::9]:2379\nserver a etcd-A.Example.com.:2379 check\n", []string{
			"listener etcd tcp 10.0.0.9/2379 fd00::9/2379",
			"route etcd > etcd idle=1h0m0s @3:16-18",
			"server a etcd-a.example.com 2379 drain=(false) backup=? checked=true",
			"check etcd tcp (2379) ? ? every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) @6:35-40",
		}},
		{"named defaults", `
defaults slow
  timeout client 2h
  timeout server 2h
defaults quick from slow
  timeout client 20s
frontend f from slow
  use_backend a if { src 10.0.0.0/8 }
  use_backend %[req.ssl_sni,lower]
  default_backend b
backend a from quick
backend b from slow
backend c from nowhere
`, []string{
			"route f > a idle=2h0m0s @3:18-20",
			"route f > ? idle=? @0:0-0",
			"route f > b idle=2h0m0s @3:18-20",
			"pool b (tcp) balance=(roundrobin) connect=(0s) retries=(3) cut=?",
			"pool c ? balance=? connect=? retries=? cut=?",
		}},
		{"smaller side governs", "defaults\ntimeout client 5m\ntimeout server 5m\nlisten a\ntimeout server 30s\nlisten b\ntimeout client 0\nlisten c\nmode http\ntimeout tunnel 1h\n", []string{
			"route a > a idle=30s @5:16-19",
			"route b > b idle=5m0s @3:16-18",
			"route c > c idle=5m0s @2:16-18",
		}},
		{"tunnel in a frontend is not read", "defaults\ntimeout client 1m\ntimeout server 1m\nfrontend f\ntimeout tunnel 1h\ndefault_backend b\nbackend b\n", []string{
			"route f > b idle=1m0s @2:16-18",
		}},
		{"tunnel off again", "defaults\ntimeout client 1m\ntimeout server 1m\ntimeout tunnel 1h\nlisten a\ntimeout tunnel 0\n", []string{
			"route a > a idle=1m0s @2:16-18",
		}},
		{"quotes and indentation", "  global\n\tmaxconn '100' # limit\nfrontend \"f\"\n bind \":2379\"\n    backend b\nserver \"a b\" 10.0.0.1:2379 check crt 'c\\d' ca-file e\\ f check-ssl\n option httpchk GET \"/health?x#y\"\n", []string{
			"proxy max=100 stop=(0s)",
			"listener f (tcp) 0.0.0.0/2379",
			"server a b 10.0.0.1 2379 drain=(false) backup=? checked=true",
			`check b https (2379) GET /health?x#y every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) cert=c\d key=(c\d.key) ca=e f verify=(true) @7:2-34`,
		}},
		{"binds", "global\nlisten a\nbind :::2379 v4v6\nlisten b\nbind :::2379 v6only\nlisten c\nbind ipv4@*:2379-2381\nlisten d\nbind /run/x.sock mode 600\nlisten e\nbind host.example.com:1\nlisten f\nbind ipv6@:2379\nlisten g\nbind [::1]:2379 interface eth0\nlisten h\nbind unix@/x\nlisten i\nbind\nserver x\n", []string{
			"listener a (tcp) 0.0.0.0/2379 ::/2379",
			"listener b (tcp) ::/2379",
			"listener c (tcp) 0.0.0.0/2379 0.0.0.0/2380 0.0.0.0/2381",
			"listener d (tcp) ?/?",
			"listener e (tcp) ?/1",
			"listener f (tcp) ::/2379",
			"listener g (tcp) ::1/2379",
			"listener h (tcp) ?/?",
			"listener i (tcp) ?/?",
			"server x ? ? drain=(false) backup=? checked=(false)",
		}},
		{"servers", `global
backend b
  server early 10.0.0.0:1
  default-server check inter 3s on-marked-down shutdown-sessions
  default-server fall 5
  server a 10.0.0.1:1 weight 0
  server b 10.0.0.2:1 backup inter 3000
  server c 10.0.0.3 disabled
  server d 10.0.0.4:+5 no-check
  server e 10.0.0.5:1 track other/x
  server-template t 2-3 etcd.example.com:2379
  server-template u ${N} etcd.example.com:2379
`, []string{
			"server early 10.0.0.0 1 drain=(false) backup=? checked=(false)",
			"server a 10.0.0.1 1 drain=true backup=? checked=true",
			"server b 10.0.0.2 1 drain=(false) backup=true checked=true",
			"server c 10.0.0.3 ? drain=true backup=? checked=true",
			"server d 10.0.0.4 ? drain=(false) backup=? checked=(false)",
			"server e 10.0.0.5 1 drain=(false) backup=? checked=true",
			"server t2 etcd.example.com 2379 drain=(false) backup=? checked=true",
			"server t3 etcd.example.com 2379 drain=(false) backup=? checked=true",
			"server ? etcd.example.com 2379 drain=(false) backup=? checked=true",
			"pool b (tcp) balance=(roundrobin) connect=(0s) retries=(3) cut=true",
		}},
		{"unknown parameters", "global\nbackend b\nserver a 10.0.0.1:1 check frobnicate 5\nserver b 10.0.0.2:1 idle-ping 10s init-state up\n", []string{
			"server a 10.0.0.1 1 drain=? backup=? checked=true",
			"server b 10.0.0.2 1 drain=(false) backup=? checked=(false)",
		}},
		{"the last check method wins", "global\nbackend b\noption httpchk GET /health\noption tcp-check\nserver a 10.0.0.1:1 check\n", []string{
			"check b tcp (1) ? ? every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) @4:1-17",
		}},
		{"checks", `global
backend hello
  option ssl-hello-chk
  server a 10.0.0.1:1 check
backend tls
  server a 10.0.0.1:1 check check-ssl crt /c ca-file /d verify required
backend talk
  option tcp-check
  tcp-check send PING
  server a 10.0.0.1:1 check
backend sent
  option httpchk
  http-check connect port 2381 ssl
  http-check send meth GET uri /readyz hdr Host x
  server a 10.0.0.1:1 check port 5
backend mysql
  option mysql-check user x
  server a 10.0.0.1:1 check
backend mixed
  option httpchk /x
  server a 10.0.0.1:1 check port 7
  server b 10.0.0.2:2 check port 7 check-ssl inter 1s
backend tracked
  server a 10.0.0.1:1 track sent/a
backend outside
  option external-check
  server a 10.0.0.1:1 check
backend encrypted
  option httpchk
  server a 10.0.0.1:1 check ssl verify none
backend elsewhere
  option httpchk
  server a 10.0.0.1:1 check ssl port 2381
`, []string{
			"check hello tls (1) ? ? every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) @3:3-23",
			"check tls tls (1) ? ? every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) cert=/c key=(/c.key) ca=/d verify=true @6:23-28",
			"check talk ? (1) ? ? every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) @8:3-19",
			"check sent https 2381 GET /readyz every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) cert=() key=() ca=() verify=(true) @12:3-17",
			"check mysql ? (1) ? ? every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) @17:3-28",
			"check mixed ? 7 (OPTIONS) /x every=?/?/? timeout=? fall=(3) rise=(2) @20:3-20",
			"check tracked ? ? ? ? every=?/?/? timeout=? fall=? rise=? @23:1-16",
			"check outside ? (1) ? ? every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) @26:3-24",
			"check encrypted https (1) (OPTIONS) (/) every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) cert=() key=() ca=() verify=false @29:3-17",
			"check elsewhere http 2381 (OPTIONS) (/) every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) @32:3-17",
		}},
		{"conditional blocks", `global
.if defined(WITH_LIMIT)
  maxconn 10
.else
  maxconn 20
.endif
frontend f
  timeout client 5m
.if defined(Y)
  bind ${A}:2379
.endif
  default_backend b
backend b
  timeout server 5m
.if version_atleast(2.5)
  timeout tunnel 1h
  server a 10.0.0.1:2379 check
.endif
  server b 10.0.0.2:2379 check
.if defined(X)
backend maybe
.endif
`, []string{
			"proxy max=? stop=(0s)",
			"listener f (tcp) ?/?",
			"route f > b idle=? @0:0-0",
			"server ? ? ? drain=? backup=? checked=?",
			"server b 10.0.0.2 2379 drain=(false) backup=? checked=true",
			"pool ? ? balance=? connect=? retries=? cut=?",
		}},
		{"placeholders", `defaults
  timeout client 5m
  timeout server q_zq_zq_
frontend f
  bind q_zq_:q_zq,q_zq_:2380
  default_backend b
backend b
  option q_zq_z
  server q_zq q_zq_z:2379 check
  q_zq_zq_zq_z
  server c 10.0.0.3:q_zq check q_zq_z
`, []string{
			"listener f (tcp) ?/? ?/2380",
			"route f > b idle=? @0:0-0",
			"server ? ? 2379 drain=(false) backup=? checked=true",
			"server ? ? ? drain=? backup=? checked=?",
			"server c 10.0.0.3 ? drain=? backup=? checked=true",
			"check b ? ? ? ? every=?/?/? timeout=? fall=? rise=? @7:1-10",
		}},
		{"environment", "global\nmaxconn \"${MAX}\"\nlisten a\nbind $ADDR:2379\nlisten b\nbind \"10.0.0.1:${PORT}\"\nserver x \"$HOST\":2379\nserver y '$literal':2379\n", []string{
			"proxy max=? stop=(0s)",
			"listener a (tcp) ?/2379",
			"listener b (tcp) 10.0.0.1/?",
			"server x ? 2379 drain=(false) backup=? checked=(false)",
		}},
		{"sources", `global
frontend a
  mode http
  acl ops src 10.0.0.0/8 192.0.2.7
  http-request deny deny_status 403 if !ops
  http-request use-service prometheus-exporter if { path /metrics }
frontend b
  mode http
  stats enable
  tcp-request connection reject unless { src 10.1.0.0/16 }
frontend c
  mode http
  stats enable
  http-request deny if { src 10.1.0.0/16 }
frontend d
  mode http
  stats enable
  http-request deny unless { src -f /etc/list }
frontend e
  mode http
  stats enable
  default_backend x
`, []string{
			"listener a http metrics from=10.0.0.0/8 from=192.0.2.7/32",
			"listener b http metrics from=10.1.0.0/16",
			"listener c http metrics from=?",
			"listener d http metrics from=? from=?",
			"listener e http",
		}},
		{"method that a condition guards", "global\nlisten a\n.if defined(X)\noption tcp-check\n.endif\nserver x 10.0.0.1:1 check\n", []string{
			"check a ? (1) ? ? every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) @4:1-17",
		}},
		{"check of another address", "global\nlisten a\noption httpchk GET /health\nserver x 10.0.0.1:1 check addr 10.0.0.9\n", []string{
			"check a http ? GET /health every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) @3:1-27",
		}},
		{"check whose words a run fills in", "global\nlisten a\noption httpchk\nhttp-check send \"${HOW}\"\nserver x 10.0.0.1:1 check\n", []string{
			"check a http (1) ? ? every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) @3:1-15",
		}},
		{"connection of a check, a run fills it in", "global\nlisten a\noption httpchk GET /x\nhttp-check connect \"${HOW}\"\nserver x 10.0.0.1:1 check\n", []string{
			"check a ? ? GET /x every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) @3:1-22",
		}},
		{"option that may choose the check", "global\nlisten a\noption tcp-check\noption q_zq_z\nserver x 10.0.0.1:1 check\n", []string{
			"check a ? (1) ? ? every=(2s)/(2s)/(2s) timeout=? fall=(3) rise=(2) @3:1-17",
		}},
		{"several globals", "global\nmaxconn 10\nglobal\nhard-stop-after 5m\nglobal\nmaxconn 20\n", []string{"proxy max=20 stop=5m0s"}},
		{"inherited", "defaults\nmode http\nmaxconn 50\ndefault_backend b\nretries 1\noption httpchk GET /health\nhttp-check send meth HEAD\ndefault-server check\nfrontend f\nbackend b\nserver a 10.0.0.1:1\n", []string{
			"listener f http max=50",
			"route f > b idle=(0s) @9:1-11",
			"pool b http balance=(roundrobin) connect=(0s) retries=1 cut=(false)",
			"check b http (1) HEAD /health every=(2s)/(2s)/(2s) timeout=(2s) fall=(3) rise=(2) @6:1-27",
		}},
		{"defaults start anew", "defaults\ntimeout client 1m\ntimeout server 1m\ndefaults\nmode tcp\nlisten a\n", []string{"route a > a idle=(0s) @6:1-9"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := describe(readProxy(t, tt.text))
			for _, want := range tt.want {
				if !slices.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, strings.Join(got, "\n"))
				}
			}
		})
	}
}

// TestParseSeveralFiles: the files of one folder are one text, except that a section ends with its file; the last
// defaults section holds on.
func TestParseSeveralFiles(t *testing.T) {
	top, problems := parse(source(
		target.Artifact{Path: "conf.d/1.cfg", Data: []byte("defaults web\ntimeout client 30s\ntimeout server 30s")},
		target.Artifact{Path: "conf.d/2.cfg", Data: []byte("timeout client 1h\nlisten etcd\nbind :2379")},
	))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	idle := top.Proxies[0].Listeners[0].Routes[0].Idle
	if show(idle) != "30s" || idle.Span.File != "conf.d/1.cfg" || idle.Span.Line != 2 {
		t.Errorf("idle %s at %v", show(idle), idle.Span)
	}
	if at := top.Proxies[0].Listeners[0].Span; at.File != "conf.d/2.cfg" || at.Line != 2 {
		t.Errorf("listener at %v", at)
	}
}

// TestBranches: of lines in branches of a template nobody knows which one is there; those that say the same, or stand
// between the same statements, are no branches.
func TestBranches(t *testing.T) {
	const text = `global
listen a
{% if long %}
timeout client 1h
timeout server 1h
timeout tunnel 30s
timeout tunnel 2h
option httpchk GET /health
{% else %}
timeout client 30s
timeout server 1h
option tcp-check
{% endif %}
server x 10.0.0.1:1 check
`
	masked := strings.Split(text, "\n")
	for i, l := range masked {
		if strings.HasPrefix(l, "{%") {
			masked[i] = strings.Repeat(" ", len(l))
		}
	}
	file := target.File{Path: "a.cfg", Data: []byte(strings.Join(masked, "\n")), Written: []byte(text)}
	top, _ := parse(target.Source{Path: "a.cfg", Files: []target.File{file}})
	p := top.Proxies[0]
	l, b := p.Listeners[0], p.Pools[0]
	if got := show(l.ClientTimeout) + " " + show(b.ServerTimeout) + " " + show(b.Tunnel); got != "? 1h0m0s 2h0m0s" {
		t.Errorf("client, server, tunnel: %s", got)
	}
	if b.Check.Kind.Known() || len(p.Overridden) > 0 {
		t.Errorf("check %s, overridden %v", show(b.Check.Kind), p.Overridden)
	}
}

func TestParseNothing(t *testing.T) {
	for _, text := range []string{"", "\n\n", "# nothing\n", "timeout client 5m\n", ".if\n.endif"} {
		if top := read(t, text); len(top.Proxies) != 0 {
			t.Errorf("%q has a proxy: %v", text, describe(&top.Proxies[0]))
		}
	}
}

// TestUnfoldingIsBounded: a few lines cannot make millions of facts.
func TestUnfoldingIsBounded(t *testing.T) {
	text := "global\nlisten a\n" + strings.Repeat("bind :1-65535\nbind :1000-2000\nserver-template s 99999999 h:1\nserver-template s 1000 h:1\n", 100)
	p := readProxy(t, text)
	if n := len(p.Listeners[0].Binds) + len(p.Pools[0].Servers); n > 2*unfolding {
		t.Errorf("%d facts", n)
	}
}

func TestDetect(t *testing.T) {
	tests := []struct {
		path, head string
		want       bool
	}{
		{"/etc/haproxy/haproxy.cfg", "", true},
		{"templates/haproxy.cfg.j2", "{# x #}\n", true},
		{"haproxy-etcd.cfg", "", true},
		{"haproxy-keepalived.cfg", "! virtual router of haproxy\n\nglobal_defs {\n}\n", false},
		{"haproxy_nginx.cfg", "stream {\n  upstream etcd {\n", false},
		{"conf.d/50-etcd.cfg", "# comment\n\nfrontend etcd\n  bind :2379\n", true},
		{"conf.d/60-etcd.cfg", "frontend etcd # {clients} of etcd\n  bind :2379\n", true},
		{"stats.cfg", "listen stats :1936\n  stats enable\n", true},
		{"listen.yml", "listen: {address: x}\nmode: y\n", false},
		{"lb.tpl", "{% set x = 1 %}\nbackend etcd\n  server a 10.0.0.1:2379\n", true},
		{"x.cfg", ".if defined(A)\nglobal\n  daemon\n", true},
		{"part.cfg", "[...]\nfrontend etcd\n  bind :2379\n", true},
		{"setup.cfg", "[global]\nmode = x\n", false},
		{"ansible.cfg", "[defaults]\nlog = x\n", false},
		{"main.tf", "backend \"s3\" {\n  bucket = 1\n}\n", false},
		{"README.md", "# Proxy\n\nUse this:\n\nfrontend etcd\n  bind :2379\n", false},
		{"nginx.conf", "http {\n  server x;\n}\n", false},
		{"list.cfg", "listen carefully\nto this\n", false},
		{"smb.conf", "global:\n  log level 1\n", false},
		{"empty.cfg", "", false},
	}
	for _, tt := range tests {
		if got := Target.Detect(tt.path, []byte(tt.head)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.path, got, tt.want)
		}
	}
}

func TestUnit(t *testing.T) {
	for path, want := range map[string]string{
		"/etc/haproxy/conf.d/50-etcd.cfg": "/etc/haproxy/conf.d",
		"haproxy.d/a.cfg":                 "haproxy.d",
		"/etc/haproxy/haproxy.cfg":        "/etc/haproxy/haproxy.cfg",
		"haproxy.cfg":                     "haproxy.cfg",
	} {
		if got := Target.Unit(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
