package nginx

import (
	"testing"
)

func TestDetect(t *testing.T) {
	const part = "upstream etcd { server 10.0.0.1:2379; }\nserver { listen 2379; proxy_pass etcd; }\n"
	for _, tt := range []struct {
		path, head string
		want       bool
	}{
		{"nginx.conf", "http { }", true},
		{"roles/lb/templates/nginx.conf.j2", "", true},
		{"stream.d/etcd.conf", part, true},
		{"proxy.conf", "events { }\nstream {\n", true},
		{"sites-enabled/etcd", part, true},
		{"etcd.yaml", part, false},
		{"conf.d/web.conf", "server {\n  listen 80;\n  server_name x;\n}\n", false},
		{"conf.d/etcd.conf", "upstream e { server 1.2.3.4:2379; }\nserver { listen 80; location / { proxy_pass http://e; } }\n", true},
		{"snippets/etcd.conf", "location /etcd { proxy_pass http://10.0.0.1:2379; }\n", true},
		{"snippets/app.conf", "location / { proxy_pass http://10.0.0.1:8080; }\n", false},
		{"conf.d/app.conf", "server {\n  port = 2379\n}\n", false},
		{"conf.d/etcd.conf", "# location /\n" + part, true},
		{"keepalived.conf", "vrrp_instance X {\n}\n", false},
		{"haproxy.conf", "frontend x\n  bind *:2379\n", false},
	} {
		if got := Target.Detect(tt.path, []byte(tt.head)); got != tt.want {
			t.Errorf("%s (%q): %v", tt.path, tt.head, got)
		}
	}
}
