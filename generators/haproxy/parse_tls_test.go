package haproxy

import (
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// TestEncryption: what a listener offers and what servers are spoken to, as it holds after inheritance.
func TestEncryption(t *testing.T) {
	const global = "global\n maxconn 100\n"
	for name, tc := range map[string]struct{ bind, defaults, servers, want string }{
		"passthrough":             {":2379", "", "server a 10.0.0.1:2379 check", "tls=? h2=? | tls=? verify=? cert=? h2=? header=?"},
		"checked over TLS alone":  {":2379", "", "server a 10.0.0.1:2379 check check-ssl crt /c verify none", "tls=? h2=? | tls=? verify=? cert=? h2=? header=?"},
		"terminated":              {":2379 ssl crt /c alpn h2,http/1.1", "", "server a 10.0.0.1:2379 ssl crt /c ca-file /ca verify required alpn h2", "tls=true h2=true | tls=true verify=true cert=/c h2=true header=?"},
		"no offer":                {":2379 ssl crt /c", "", "server a 10.0.0.1:2379 ssl", "tls=true h2=(false) | tls=true verify=(true) cert=() h2=(false) header=?"},
		"other offers":            {":2379 ssl crt /c alpn http/1.1", "", "server a 10.0.0.1:2379 ssl alpn http/1.1 verify none", "tls=true h2=false | tls=true verify=false cert=() h2=false header=?"},
		"offer in a list":         {":2379 ssl crt-list /l", "", "server a 10.0.0.1:2379", "tls=true h2=? | tls=? verify=? cert=? h2=? header=?"},
		"offer in a variable":     {`:2379 ssl crt /c alpn "${ALPN}"`, "", "server a 10.0.0.1:2379 ssl alpn ${ALPN}", "tls=true h2=? | tls=true verify=(true) cert=() h2=? header=?"},
		"one of two":              {":2379", "", "server a 10.0.0.1:2379 ssl verify required\n server b 10.0.0.2:2379 ssl verify none", "tls=? h2=? | tls=true verify=false cert=() h2=(false) header=?"},
		"several certificates":    {":2379", "", "server a 10.0.0.1:2379 ssl\n server b 10.0.0.2:2379 ssl crt /b\n server c 10.0.0.3:2379 ssl crt /c", "tls=? h2=? | tls=true verify=(true) cert=/b h2=(false) header=?"},
		"inherited":               {":2379", "default-server ssl verify none send-proxy", "server a 10.0.0.1:2379", "tls=? h2=? | tls=true verify=false cert=() h2=(false) header=true"},
		"inherited and taken off": {":2379", "default-server ssl send-proxy", "server a 10.0.0.1:2379 no-ssl no-send-proxy", "tls=? h2=? | tls=? verify=? cert=? h2=? header=?"},
		"HTTP":                    {":2379", "mode http", "server a 10.0.0.1:2379", "tls=? h2=? | tls=? verify=? cert=? h2=(false) header=?"},
		"HTTP/2 without TLS":      {":2379", "mode http", "server a 10.0.0.1:2379 proto h2", "tls=? h2=? | tls=? verify=? cert=? h2=true header=?"},
	} {
		t.Run(name, func(t *testing.T) {
			p := readProxy(t, global+"defaults\n "+tc.defaults+"\nfrontend f\n bind "+tc.bind+"\n default_backend b\nbackend b\n "+tc.servers+"\n")
			l, b := p.Listeners[0], p.Pools[0]
			got := "tls=" + show(l.TLS) + " h2=" + show(l.HTTP2) + " | tls=" + show(b.TLS) + " verify=" + show(b.Verify) +
				" cert=" + show(b.Cert) + " h2=" + show(b.HTTP2) + " header=" + show(b.ProxyHeader)
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestResolves: a name is looked up again with resolvers; HAProxy starts without an answer where init-addr ends in none.
func TestResolves(t *testing.T) {
	for server, want := range map[string]string{
		"10.0.0.1:2379":                                "?",
		"etcd.example.com:2379":                        "(false)",
		"etcd.example.com:2379 resolvers dns":          "true",
		"etcd.example.com:2379 init-addr last,libc":    "false",
		"etcd.example.com:2379 init-addr libc,none":    "true",
		"${HOST}:2379":                                 "?",
		"ETCD_HOST:2379":                               "?",
		"<etcd-1>:2379":                                "?",
		"10.0.0.x:2379":                                "?",
		"etcd.example.com:2379 init-addr ${INIT_ADDR}": "?",
	} {
		p := readProxy(t, "defaults\n mode tcp\nbackend b\n server a "+server+"\n")
		if got := show(p.Pools[0].Servers[0].Resolves); got != want {
			t.Errorf("%s: got %s, want %s", server, got, want)
		}
	}
	p := readProxy(t, "backend b\n server a etcd.example.com:2379\n")
	if got := show(p.Pools[0].Servers[0].Resolves); got != "?" {
		t.Errorf("in a fragment: got %s", got)
	}
}

// TestMissingBackends: a route leads nowhere only where no other file and no template can have what it names.
func TestMissingBackends(t *testing.T) {
	const front = "frontend f\n bind :2379\n default_backend gone\n"
	for name, tc := range map[string]struct {
		text   string
		beside bool
		want   bool
	}{
		"missing":                 {text: "defaults\n mode tcp\n" + front, want: true},
		"a fragment":              {text: front},
		"beside other files":      {text: "defaults\n mode tcp\n" + front, beside: true},
		"a section of a template": {text: "defaults\n mode tcp\n" + front + "backend " + topology.Hole + "\n"},
		"a conditional section":   {text: "defaults\n mode tcp\n" + front + ".if defined(X)\nbackend gone\n.endif\n"},
		"a listen section":        {text: "defaults\n mode tcp\n" + front + "listen gone\n mode http\n stats enable\n"},
	} {
		s := target.Source{Path: "haproxy.cfg", Files: []target.File{{Path: "haproxy.cfg", Data: []byte(tc.text)}}, Beside: tc.beside}
		top, _ := parse(s)
		if got := top.Proxies[0].Listeners[0].Routes[0].Missing; got != tc.want {
			t.Errorf("%s: missing is %v", name, got)
		}
	}
}
