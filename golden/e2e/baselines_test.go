//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Contender is one configuration of the comparison.
type Contender struct {
	Name  string
	NGINX bool
	// config is the text for these servers, one a line, or "" for what was built.
	config func(servers string) string
}

// Contenders are what is built, what guides advise and what cluster installers write.
var Contenders = []Contender{
	{Name: ourHAProxy},
	{Name: "etcdlbgen, NGINX", NGINX: true},
	{Name: "a guide's HAProxy", config: guideHAProxy},
	{Name: "a guide's NGINX", NGINX: true, config: guideNGINX},
	{Name: "an installer's HAProxy", config: installerHAProxy},
	{Name: "an installer's NGINX", NGINX: true, config: installerNGINX},
}

// guideHAProxy is what most guides show: checks that only connect, every ten seconds, and ten seconds to connect.
func guideHAProxy(servers string) string {
	return `global
    maxconn 4096
defaults
    mode tcp
    timeout connect 10s
    timeout client 5m
    timeout server 5m
frontend etcd
    bind *:2379
    default_backend etcd
backend etcd
    balance roundrobin
    option tcp-check
` + lines(servers, "    server %s %s:2379 check inter 10s fall 3 rise 2\n")
}

// installerHAProxy is how installers of Kubernetes set up the proxy before their API servers, with an etcd behind it:
// long timeouts, a check that only connects, servers that come back slowly.
func installerHAProxy(servers string) string {
	return `global
    maxconn 4000
defaults
    mode tcp
    retries 5
    timeout queue 5m
    timeout connect 30s
    timeout client 15m
    timeout server 15m
    timeout check 30s
    option redispatch
frontend etcd
    bind *:2379
    default_backend etcd
backend etcd
    balance leastconn
    default-server inter 15s downinter 15s rise 2 fall 2 slowstart 60s maxconn 1000 maxqueue 256 weight 100
` + lines(servers, "    server %s %s:2379 check\n")
}

// nginxHead is what NGINX needs around a stream.
const nginxHead = `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
worker_processes auto;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events { worker_connections 4096; }
`

func guideNGINX(servers string) string {
	return nginxHead + `stream {
    upstream etcd {
` + lines(servers, "        # %s\n        server %s:2379 max_fails=3 fail_timeout=30s;\n") + `    }
    server {
        listen 2379;
        proxy_pass etcd;
        proxy_connect_timeout 10s;
        proxy_timeout 5m;
    }
}
`
}

func installerNGINX(servers string) string {
	return nginxHead + `stream {
    upstream etcd {
        least_conn;
` + lines(servers, "        # %s\n        server %s:2379;\n") + `    }
    server {
        listen 2379;
        proxy_pass etcd;
        proxy_timeout 10m;
        proxy_connect_timeout 1s;
    }
}
`
}

// lines formats each server's name and address.
func lines(servers, format string) string {
	var b strings.Builder
	for line := range strings.Lines(servers) {
		name, address, _ := strings.Cut(strings.TrimSpace(line), " ")
		fmt.Fprintf(&b, format, name, address)
	}
	return b.String()
}

// Contend starts a contender on a machine of its own.
func (c *Cluster) Contend(what Contender, node int, b *Built) *Proxy {
	c.Helper()
	h := c.Host(fmt.Sprintf("lb-%d", node+1), nodeAddr(node), nodeAddr6(node))
	config := "haproxy/haproxy.cfg"
	if what.NGINX {
		config = "nginx/nginx.conf"
	}
	if what.config == nil {
		config = b.Path(config)
	} else {
		var servers strings.Builder
		for _, m := range c.Members {
			fmt.Fprintf(&servers, "%s %s\n", m.Name, m.Addr())
		}
		config = filepath.Join(h.dir, filepath.Base(config))
		if err := os.WriteFile(config, []byte(what.config(servers.String())), 0o644); err != nil {
			c.Fatal(err)
		}
	}
	if what.NGINX {
		return c.NGINX(h, config)
	}
	return c.HAProxy(h, config)
}
