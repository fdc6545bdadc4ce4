package nginx

import "testing"

func TestEncryption(t *testing.T) {
	for name, tc := range map[string]struct{ listen, server, want string }{
		"passthrough":     {"2379", "", "tls=? h2=? | tls=? verify=? cert=? h2=? header=?"},
		"terminated":      {"2379 ssl", "ssl_alpn http/1.1 h2; proxy_ssl on; proxy_ssl_verify on; proxy_ssl_certificate /c;", "tls=true h2=true | tls=true verify=true cert=/c h2=(false) header=?"},
		"nothing said":    {"2379 ssl", "proxy_ssl on;", "tls=true h2=(false) | tls=true verify=(false) cert=() h2=(false) header=?"},
		"a variable":      {"2379 ssl", "ssl_alpn $alpn; proxy_ssl off;", "tls=true h2=? | tls=? verify=? cert=? h2=? header=?"},
		"PROXY protocol":  {"2379", "proxy_protocol on;", "tls=? h2=? | tls=? verify=? cert=? h2=? header=true"},
		"PROXY, accepted": {"2379 proxy_protocol", "", "tls=? h2=? | tls=? verify=? cert=? h2=? header=?"},
	} {
		t.Run(name, func(t *testing.T) {
			top, diags := read("nginx.conf", "events { }\nstream { upstream e { server 10.0.0.1:2379; }\nserver { listen "+tc.listen+"; "+
				tc.server+" proxy_pass e; } }\n")
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			l, b := top.Proxies[0].Listeners[0], top.Proxies[0].Pools[0]
			got := "tls=" + show(l.TLS) + " h2=" + show(l.HTTP2) + " | tls=" + show(b.TLS) + " verify=" + show(b.Verify) +
				" cert=" + show(b.Cert) + " h2=" + show(b.HTTP2) + " header=" + show(b.ProxyHeader)
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestFiles: a worker needs a file for each of its connections.
func TestFiles(t *testing.T) {
	for text, want := range map[string]string{
		"events { worker_connections 1024; }":                            "(false) workers=(1)",
		"worker_rlimit_nofile 1024; events { worker_connections 1024; }": "true workers=(1)",
		"worker_rlimit_nofile 512; events { worker_connections 1024; }":  "false workers=(1)",
		"worker_rlimit_nofile 4096; worker_processes 4; events { }":      "true workers=4",
		"worker_rlimit_nofile 4096; worker_processes auto; events { }":   "true workers=?",
		"include main.d/*.conf; events { }":                              "? workers=?",
	} {
		top, _ := read("nginx.conf", text+"\nstream { server { listen 2379; proxy_pass 10.0.0.1:2379; } }\n")
		p := top.Proxies[0]
		if got := show(p.FilesSuffice) + " workers=" + show(p.Workers); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
