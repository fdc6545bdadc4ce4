package lint

import (
	"encoding/json"
	"strings"
	"testing"
)

// columnTexts are files by name, in which facts stand behind an X in the same line.
var columnTexts = map[string]string{
	"haproxy.cfg":     "listen a\n\tbind :2379\n\tserver X 10.0.0.1:2379 check inter 5s\n",
	"nginx.conf":      "events {}\nstream { upstream X { server 10.0.0.1:2379; } server { listen 2379; proxy_pass b; } }\n",
	"main.tf":         "resource \"aws_lb_target_group\" \"a\" { name = \"X\", port = 2379 }\n",
	"rules.v4":        "*filter\n-A INPUT -m comment --comment \"X\" -s 10.0.0.1 -p tcp --dport 2379 -j ACCEPT\nCOMMIT\n",
	"rules.nft":       "table inet filter { chain input { type filter hook input priority 0; tcp dport 22 accept comment \"X\"; tcp dport 2379 accept; } }\n",
	"firewall.sh":     "#!/bin/sh\niptables -A INPUT -m comment --comment 'X' -s 10.0.0.1 -p tcp --dport 2379 -j ACCEPT\n",
	"rules.yml":       "groups:\n- name: a\n  rules:\n  - alert: b\n    expr: up\n  - {alert: \"X\", expr: \"haproxy_server_status == 0\", for: 1m}\n",
	"etcd.conf.yml":   "name: a\nlisten-client-urls: http://X:2379,http://10.0.0.1:2379\n",
	"etcd.service":    "[Service]\nExecStart=/usr/bin/etcd --name X --listen-client-urls http://10.0.0.1:2379\n",
	"keepalived.conf": "vrrp_instance X { virtual_router_id 7 }\n",
	"kube-apiserver.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: kube-apiserver}\nspec:\n  containers:\n  - name: kube-apiserver\n" +
		"    command: [kube-apiserver, \"--audit-log-path=X\", \"--etcd-servers=https://10.0.0.1:2379\"]\n",
	"setup.sh": "#!/bin/sh\ncd X && cat > /etc/haproxy/haproxy.cfg <<EOF\nlisten a\n\tbind :2379\n\tserver $(X) 10.0.0.1:2379 check\nEOF\n",
}

// TestColumns: a column is a character, however many bytes it has or cells it takes, in placeholders and beside them.
func TestColumns(t *testing.T) {
	for name, text := range columnTexts {
		t.Run(name, func(t *testing.T) {
			for _, same := range [][]string{
				{"uvw", "üéñ", "日本語", "😀u😀"},
				{"{{ uvw }}", "{{ üéñ }}", "{{ 日本語 }}"},
				{"<%= u %>", "<%= é %>"},
			} {
				want := facts(t, name, text, same[0])
				if want == facts(t, name, text, "u"+same[0]) {
					t.Fatalf("%s: no fact stands behind it", same[0])
				}
				for _, x := range same[1:] {
					if got := facts(t, name, text, x); got != want {
						t.Errorf("%s moves what stands behind it:\n%s\n%s", x, got, want)
					}
				}
			}
		})
	}
}

// facts are what a file with a word for X says, and where, the word itself left out.
func facts(t *testing.T, name, text, word string) string {
	t.Helper()
	f := file{path: name, data: []byte(strings.ReplaceAll(text, "X", word))}
	f.format = detect(name, f.data)
	if parts := embedded(f); f.format == nil && len(parts) > 0 {
		f = parts[0]
	}
	if f.format == nil {
		t.Fatal("of no format")
	}
	src, err := unit{format: f.format, files: []file{f}}.read()
	if err != nil {
		t.Fatal(err)
	}
	read, _ := f.format.Parse(src)
	out, err := json.Marshal(read)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(out), word, "X")
}
