package nginx

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
)

func TestIncludes(t *testing.T) {
	const main = `include modules-enabled/*.conf;
events { }
stream { proxy_timeout 2h; include /etc/nginx/stream.d/*.conf; include q_zq_z; }
`
	if d := cmp.Diff([]string{"modules-enabled/*.conf", "/etc/nginx/stream.d/*.conf", "stream.d/*.conf"},
		Target.Includes([]byte(main))); d != "" {
		t.Errorf("includes: -want +got:\n%s", d)
	}
	got, diags := Target.Parse(target.Source{Path: "conf/nginx.conf", Files: []target.File{
		{Path: "conf/nginx.conf", Data: []byte(main)},
		{Path: "conf/stream.d/b.conf", Data: []byte("server { listen 2379; proxy_pass etcd; include common; }\n")},
		{Path: "conf/stream.d/a.conf", Data: []byte("upstream etcd { server 10.0.0.1:2379; }\n")},
		{Path: "conf/stream.d/a.conf", Data: []byte("upstream etcd { server 10.0.0.1:2379; }\n")},
		{Path: "conf/common", Data: []byte("proxy_connect_timeout 3s;\n")},
	}})
	want := `nginx max=(240) stop=?
listen (0.0.0.0):2379 -> etcd idle=2h0m0s
pool etcd (roundrobin) connect=3s retries=? check=(passive) interval=(10s) fall=(1)
  10.0.0.1:2379
`
	if d := cmp.Diff(want, summary(got)); d != "" || len(diags) > 0 {
		t.Errorf("-want +got:\n%s%v", d, diags)
	}
	if file := got.Proxies[0].Listeners[0].Span.File; file != "conf/stream.d/b.conf" {
		t.Errorf("the listener stands in %s", file)
	}
}

func TestIncludeCycle(t *testing.T) {
	files := []target.File{{Path: "nginx.conf", Data: []byte("events { }\nstream { include a; server { listen 1; proxy_pass 10.0.0.1:2; } }\n")}}
	for _, name := range []string{"a", "b"} {
		files = append(files, target.File{Path: name, Data: []byte("include a; include b; include a; include b;\n")})
	}
	got, _ := Target.Parse(target.Source{Path: "nginx.conf", Files: files})
	if n := len(got.Proxies[0].Listeners); n != 1 {
		t.Errorf("%d listeners", n)
	}
}
