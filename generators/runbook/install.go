package runbook

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func (b *book) balancer() {
	if host := b.Dialed[0].V; !isAddress(host) && !b.local() {
		b.say("The name that clients dial must lead to the load balancer, and to nothing else:")
		b.run("getent ahosts " + host)
	}
	b.borrowed()
	if p := b.proxy("haproxy"); p != nil {
		b.haproxy(p)
	}
	if p := b.proxy("nginx"); p != nil {
		b.nginx(p)
	}
	b.modules()
}

func (b *book) haproxy(p *topology.Proxy) {
	const main = "/etc/haproxy/haproxy.cfg"
	b.say("HAProxy, on " + b.machines() + ":")
	switch {
	case p.Fragment:
		file := "haproxy/conf.d/50-" + p.Pools[0].Name.V + ".cfg"
		b.run("install -m 0644 "+file+" /etc/haproxy/conf.d/", "haproxy -c -f "+main+" -f /etc/haproxy/conf.d",
			"systemctl reload haproxy")
		b.say("HAProxy must be started with both " + code("-f") + " as well. The head of the file says what it expects of the global section.")
	case p.Container:
		b.run("haproxy -c -f haproxy/haproxy.cfg")
		b.say("Mount the file as " + code("/usr/local/etc/haproxy/haproxy.cfg") + " and restart the container.")
	default:
		b.run("haproxy -c -f haproxy/haproxy.cfg", "install -m 0644 haproxy/haproxy.cfg "+main, "systemctl reload-or-restart haproxy")
	}
	b.say("It answers 200 as soon as one member is up:")
	b.run(b.haproxyAnswers(p))
	if !p.Container {
		b.say("Each member, its connections and its state:")
		b.run(b.haproxyServers(p))
	}
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// socket is HAProxy's console, on its machine.
const socket = "| socat stdio /run/haproxy/admin.sock"

// haproxyAnswers asks HAProxy, on its machine, whether any member is up.
func (b *book) haproxyAnswers(p *topology.Proxy) string {
	for _, l := range p.Listeners {
		if l.Metrics && len(l.Binds) > 0 {
			return fmt.Sprintf("curl -fsS http://127.0.0.1:%d/healthz", l.Binds[0].Port.V)
		}
	}
	return ""
}

// haproxyServers prints, on HAProxy's machine, each member's connections and state.
func (b *book) haproxyServers(p *topology.Proxy) string {
	return "echo 'show stat' " + socket + " | grep '^" + p.Pools[0].Name.V + ",' | cut -d, -f2,5,18"
}

func (b *book) nginx(p *topology.Proxy) {
	b.say("NGINX, on " + b.machines() + ":")
	if p.Fragment {
		b.run("install -m 0644 nginx/stream.d/"+p.Pools[0].Name.V+".conf /etc/nginx/stream.d/", "nginx -t", "systemctl reload nginx")
		b.say("The stream block of " + code("/etc/nginx/nginx.conf") + " must include that folder: " +
			code("include /etc/nginx/stream.d/*.conf;") + ".")
		return
	}
	b.run(`nginx -t -c "$PWD/nginx/nginx.conf"`, "install -m 0644 nginx/nginx.conf /etc/nginx/nginx.conf",
		"systemctl reload-or-restart nginx")
}

// stop says how each load balancer is stopped.
func (b *book) stop() string {
	out := []string{"When no client is left on the load balancer, stop it."}
	for _, p := range b.Proxies {
		switch {
		case p.Cloud():
			out = append(out, destroy(p))
		case p.Fragment:
			out = append(out, "Remove its file from "+p.Target+"'s folder, and reload "+p.Target+".")
		case p.Container:
			out = append(out, "Remove the containers of "+p.Target+".")
		default:
			out = append(out, code("systemctl disable --now "+p.Target)+".")
		}
	}
	return strings.Join(out, " ")
}

func (b *book) prometheus() {
	base := "etcd-lb-" + b.Name.V
	rules, tests := "prometheus/rules/"+base+".yml", "prometheus/tests/"+base+"_test.yml"
	b.run("promtool check rules "+rules, "promtool test rules "+tests)
	b.say("Install "+code(rules)+" where rule_files looks, and "+code("prometheus/scrape/"+base+".yml")+
		" where scrape_config_files does; not the tests, which stop Prometheus from loading. Then reload Prometheus.",
		"Each alert links to its section below.")
}

// metricsURL is where a member answers health checks and scrapes.
func (b *book) metricsURL(m topology.Member) string {
	return b.Etcd.MetricsScheme.V + "://" + net.JoinHostPort(m.Host(), strconv.Itoa(b.Etcd.MetricsPort.V))
}

// healthChecks ask each voting member as the load balancer does, where it has a port for that.
func (b *book) healthChecks() []string {
	if !b.Etcd.MetricsPort.Known() {
		return nil
	}
	var out []string
	for _, m := range b.Etcd.Members {
		if !m.Learner.V {
			out = append(out, b.healthCheck(m))
		}
	}
	return out
}

func (b *book) healthCheck(m topology.Member) string {
	flags := ""
	if b.Etcd.MetricsScheme.V == "https" {
		flags = `--cacert "$ETCDCTL_CACERT" --cert "$ETCDCTL_CERT" --key "$ETCDCTL_KEY" `
	}
	return "curl -fsS " + flags + "'" + b.metricsURL(m) + b.healthPath() + "'"
}

// healthPath is what the load balancer's own check asks for.
func (b *book) healthPath() string {
	for _, p := range b.Proxies {
		for _, pool := range p.Pools {
			if c := pool.Check; c.Path.Known() && c.Port.V == b.Etcd.MetricsPort.V {
				return c.Path.V
			}
		}
	}
	return "/health?exclude=NOSPACE"
}
