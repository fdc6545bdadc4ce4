package nginx

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

func TestSyntax(t *testing.T) {
	const whole = `nginx max=(240) stop=(0s)
listen (0.0.0.0):2379 -> etcd idle=5m0s
pool etcd (roundrobin) connect=(1m0s) retries=(0) check=(passive) interval=(10s) fall=(1)
  10.0.0.1:2379
`
	tests := []struct {
		name, text string
		line, col  int
		message    string
	}{
		{
			"missing semicolon",
			"events { }\nstream {\n upstream etcd { server 10.0.0.1:2379; }\n server {\n  listen 2379\n  proxy_timeout 5m;\n  proxy_pass etcd;\n }\n}\n",
			5, 3, `"listen" has no ";"`,
		},
		{
			"missing semicolon before a brace",
			"events { }\nstream {\n upstream etcd { server 10.0.0.1:2379 }\n server { listen 2379; proxy_timeout 5m; proxy_pass etcd; }\n}\n",
			3, 18, `"server" has no ";"`,
		},
		{
			"unclosed stream",
			"events { }\nstream {\n upstream etcd { server 10.0.0.1:2379; }\n server { listen 2379; proxy_timeout 5m; proxy_pass etcd; }\n",
			2, 1, `block "stream" is never closed`,
		},
		{
			"unclosed upstream",
			"events { }\nstream {\n upstream etcd { server 10.0.0.1:2379;\n server { listen 2379; proxy_timeout 5m; proxy_pass etcd; }\n}\n",
			3, 2, `block "upstream" is never closed`,
		},
		{
			"a brace too many",
			"events { } }\nstream {\n upstream etcd { server 10.0.0.1:2379; }\n server { listen 2379; proxy_timeout 5m; proxy_pass etcd; }\n}\n",
			1, 12, `"}" stands where`,
		},
		{
			"two semicolons",
			"events { }\nstream {\n upstream etcd { server 10.0.0.1:2379;; }\n server { listen 2379; proxy_timeout 5m; proxy_pass etcd; }\n}\n",
			3, 39, `";" stands where`,
		},
		{
			"unclosed quote",
			"events { }\nstream {\n upstream etcd { server 10.0.0.1:2379; }\n server { listen 2379; proxy_timeout 5m; proxy_pass etcd; }\n}\nuser \"www;\n",
			6, 1, `"user" has no ";"`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, diags := read("nginx.conf", tt.text)
			if len(diags) != 1 || diags[0].Rule != "syntax" || diags[0].Severity != diag.Error ||
				diags[0].Span.Line != tt.line || diags[0].Span.Col != tt.col || !strings.HasPrefix(diags[0].Message, tt.message) {
				t.Errorf("want one syntax error %q at %d:%d, got %+v", tt.message, tt.line, tt.col, diags)
			}
			if d := cmp.Diff(whole, summary(got)); d != "" {
				t.Errorf("what can be read: -want +got:\n%s", d)
			}
		})
	}
}

func TestHostileInput(t *testing.T) {
	for name, text := range map[string]string{
		"nesting":      strings.Repeat("a {", 100_000),
		"braces":       strings.Repeat("}", 100_000),
		"openings":     strings.Repeat("{", 100_000),
		"semicolons":   strings.Repeat(";", 100_000),
		"a mixture":    strings.Repeat("}{;", 30_000),
		"placeholders": strings.Repeat("server {{ x }}:2379;\n", 10_000),
	} {
		if _, diags := read("nginx.conf", text); len(diags) == 0 {
			t.Errorf("%s: no diagnostic", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range samples() {
		f.Add(string(write(f, s).Data))
	}
	f.Add(foreign)
	f.Add("stream { upstream e { server q_zq_z:2379 } server { listen [::]:1-9; proxy_pass $x; health_check match=m; } match m { send 'GET / HTTP/'; } }")
	f.Add("a \\\r\n # x \\\n \"b\\\" c\" ${d} } ; {")
	f.Fuzz(func(t *testing.T, text string) {
		got, diags := read("nginx.conf", text)
		Target.Includes([]byte(text))
		lines := strings.Count(text, "\n") + 1
		for _, d := range diags {
			if d.Rule != "syntax" || d.Span.Line < 1 || d.Span.Line > lines || d.Span.Col < 1 {
				t.Errorf("diagnostic outside of the file: %+v", d)
			}
		}
		for _, p := range got.Proxies {
			for _, l := range p.Listeners {
				if l.Span.Line < 1 || l.Span.Line > lines {
					t.Errorf("listener outside of the file: %+v", l.Span)
				}
			}
		}
	})
}
