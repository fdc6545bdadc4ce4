package nginx

import (
	"strings"
	"testing"
)

// TestLua: what stands in blocks of Lua is not NGINX's syntax, and what follows them keeps its place.
func TestLua(t *testing.T) {
	text := `http {
  init_by_lua_block {
    local open = "{" -- it's }
    --[[ { ]] local long = [[ } ]]
    if open then print('\'}') end
  }
  server { set_by_lua_block $x { return { 1, 2 } }
  "rewrite_by_lua_block" { x({ t = "ok" }) } }
}
stream {
  # content_by_lua_block {
  upstream etcd { server 10.0.0.1:2380; }
  server { listen 2379; proxy_pass etcd; }
}
`
	top, diags := read("nginx.conf", text)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if at := top.Proxies[0].Pools[0].Servers[0].Port.Span; at.Line != 12 || at.Col != 26 {
		t.Errorf("the server stands at %v", at)
	}
	if _, diags := read("nginx.conf", strings.Replace(text, "}\nstream", "\nstream", 1)); len(diags) != 1 {
		t.Errorf("a brace that is missing behind Lua: %v", diags)
	}
}

// TestUDP: datagrams are none of etcd's.
func TestUDP(t *testing.T) {
	top, _ := read("nginx.conf", "stream {\n server { listen 2380 udp; proxy_pass 10.0.0.1:2380; }\n server { listen 2379 udp; listen 2379; proxy_pass 10.0.0.1:2379; }\n}\n")
	p := top.Proxies[0]
	if len(p.Listeners) != 1 || len(p.Listeners[0].Binds) != 1 || len(p.Pools) != 1 {
		t.Errorf("listeners %v, pools %v", p.Listeners, p.Pools)
	}
}
