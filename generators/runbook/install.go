package runbook

import (
	"fmt"
	"net"
	"net/netip"
	"path"
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

// firewallFolders is where the files of the roles are installed.
func (b *book) firewallFolders() []string {
	out := []string{b.firewallFolder(topology.Members)}
	if len(b.Nodes) > 0 {
		out = append(out, b.firewallFolder(topology.Nodes))
	}
	return out
}

func (b *book) firewallFolder(role string) string { return path.Join("/etc/etcd-lb", b.Name.V, role) }

// observing reports whether the files at hand only log what they would refuse.
func (b *book) observing() bool {
	for _, f := range b.Firewalls {
		if f.Target == "iptables" {
			return f.Observe.V
		}
	}
	return false
}

func (b *book) observe() {
	if !b.observing() {
		b.say("These files enforce. First build with " + code(`targets: iptables: mode: "observe"`) + " and install those.")
	}
	b.say("They log what enforcing would refuse, and let it through. Install " + code("iptables/members") + " as " +
		code(b.firewallFolder(topology.Members)) + " on each member.")
	if len(b.Nodes) > 0 {
		b.say("Install " + code("iptables/nodes") + " as " + code(b.firewallFolder(topology.Nodes)) + " on " + b.machines() + ".")
	}
	b.applyFirewall()
	b.say("After a day or more the kernel's log says who would be refused; admit them in the spec, or move them to the load balancer:")
	b.run("journalctl -k --since -1d --grep '^(" + strings.Join(b.chains(), "|") + ") '")
}

// chains are the names that log lines begin with.
func (b *book) chains() []string {
	var out []string
	for _, f := range b.Firewalls {
		if f.Target == "iptables" && f.Family == topology.IPv4 {
			out = append(out, f.Name.V)
		}
	}
	return out
}

// applyFirewall is how rules get onto a machine without locking anybody out.
func (b *book) applyFirewall() {
	b.say("On each machine, in that folder, then from a second login that proves the machine is still reachable:")
	b.run("./apply.sh apply --rollback-after 60s", "./apply.sh confirm  # from the second login, within the minute", "./apply.sh status")
	unit := "etcd-lb-firewall-" + b.Name.V + ".service"
	b.say("So that it comes back at boot:")
	b.run("install -m 0644 "+unit+" /etc/systemd/system/", "systemctl daemon-reload", "systemctl enable "+unit)
}

func (b *book) enforce() {
	if b.observing() {
		b.say("Set " + code(`targets: iptables: mode: "enforce"`) + " in the spec, build, and install the folders again.")
	} else {
		b.say("Install the folders of this build.")
	}
	b.applyFirewall()
	b.say("Then verify once more, through the load balancer and directly. From a machine that is not admitted, a member must refuse at once:")
	b.run("nc -zvw 3 " + b.example().Host() + " " + b.clientPort())
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
