package runbook

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// step is one step of the rollout. Undo is a sentence; a step that changes nothing has none.
type step struct {
	title string
	write func()
	undo  string
}

func (b *book) steps() []step {
	var steps []step
	if b.tls() {
		steps = append(steps, step{"Certificates", b.certificates, "Certificates may stay: a name that nobody dials does no harm."})
	}
	steps = append(steps, step{"etcd's flags", b.flags, "etcd's flags may stay: an address more to listen on does no harm."})
	if b.filtered() {
		steps = append(steps, step{"Firewall, observing", b.observe, b.withdraw()})
	}
	if len(b.Proxies) > 0 {
		steps = append(steps, step{"Load balancer", b.balancer, b.stop()})
	}
	if len(b.VRRP) > 0 {
		steps = append(steps, step{"Virtual address", b.virtual, "On each machine, " + code("systemctl disable --now keepalived") + "."})
	}
	if b.has("prometheus") {
		steps = append(steps, step{"Alerts", b.prometheus, "Take the rule and scrape files out of Prometheus and reload it."})
	}
	steps = append(steps,
		step{"Verify", b.verify, ""},
		step{"Clients", b.clients, "Point clients back to the direct endpoints, one at a time: " + code(strings.Join(b.Etcd.DirectURLs(), ",")) + "."})
	if b.filtered() {
		steps = append(steps, step{"Firewall, enforcing", b.enforce, b.relax()})
	}
	return steps
}

func (b *book) rollout() {
	b.heading(2, "Rolling out")
	b.say("In this order; go on only when a step's check is good. Until clients are switched, nothing depends on the load balancer.")
	for i, s := range b.steps() {
		b.heading(3, fmt.Sprintf("%d. %s", i+1, s.title))
		s.write()
	}
}

func (b *book) rollback() {
	b.heading(2, "Rolling back")
	b.say("The same in reverse, as far as it is needed.")
	var items []string
	steps := b.steps()
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i].undo != "" {
			items = append(items, steps[i].undo)
		}
	}
	b.numbered(items...)
}

func (b *book) certificates() {
	b.issue()
	if l := b.ending(); l != nil {
		b.endings(l)
		return
	}
	declared := b.Certificates[0] // of a cluster that speaks TLS
	names := declared.Names.V
	var addresses []string
	for _, a := range declared.Addrs.V {
		addresses = append(addresses, a.String())
	}
	b.say("Clients dial the load balancer but speak with a member, so each member's server certificate must hold what clients dial,",
		"beside the member's own names and addresses and loopback:", codes(slices.Concat(names, addresses))+".",
		"It must be good for both server and client authentication. Replace the files one member at a time; etcd reads them anew",
		"for each connection. Then ask each member; no line may say NOT:")
	lines := checkNames(`$(openssl s_client -connect "$1" </dev/null 2>/dev/null | openssl x509)`, names, addresses)
	for _, m := range b.Etcd.Members {
		lines = append(lines, "check "+word(net.JoinHostPort(m.Host(), b.clientPort())))
	}
	b.run(lines...)
}

// endings is the step of certificates where the load balancer ends TLS.
func (b *book) endings(l *topology.Listener) {
	var names, addresses, all []string
	for _, d := range b.Dialed {
		all = append(all, d.V)
		if isAddress(d.V) {
			addresses = append(addresses, d.V)
		} else {
			names = append(names, d.V)
		}
	}
	pool := b.Proxies[0].Pools[0]
	b.say("Clients are shown the load balancer's certificate,", code(l.Certificate.Cert.V)+", which must hold what they dial:",
		codes(all)+".", "They must present one that", code(l.Certificate.CA.V), "has signed. Members are shown", code(pool.Cert.V)+
			", which must be good for client authentication, and are verified with", code(pool.CA.V)+". On each machine of the load balancer, "+
			"no line may say NOT:")
	lines := checkNames(`$(cat "$1")`, names, addresses)
	b.run(append(lines, "check "+l.Certificate.Cert.V)...)
}

// checkNames is a shell function that looks for names and addresses in the certificate that the expression gives.
func checkNames(certificate string, names, addresses []string) []string {
	lines := []string{"check() {", `  echo "== $1"`, "  cert=" + certificate}
	for _, n := range names {
		lines = append(lines, `  echo "$cert" | openssl x509 -noout -checkhost `+n)
	}
	for _, a := range addresses {
		lines = append(lines, `  echo "$cert" | openssl x509 -noout -checkip `+a)
	}
	return append(lines, `  echo "$cert" | openssl x509 -noout -enddate -ext extendedKeyUsage`, "}")
}

func (b *book) flags() {
	switch {
	case b.has("etcd"):
		b.memberFiles()
	case b.Etcd.MetricsPort.Known():
		b.say("Each member needs the flag that opens its metrics port on its own address. Restart one member at a time.")
		var rows [][]string
		for _, m := range b.Etcd.Members {
			rows = append(rows, []string{code(m.Name.V), code("--listen-metrics-urls=" + b.metricsURL(m))})
		}
		b.table([]string{"Member", "Flag"}, rows)
	default:
		b.say("None are needed. The load balancer sees whether a member accepts connections, but not whether it works. " +
			"With " + code("--listen-metrics-urls=http://<its address>:2381") + " on each member and " +
			code("cluster: metrics: port: 2381") + " in the spec it does.")
	}
	b.say("Go on to the next member only when all of them answer:")
	b.run(append(b.healthChecks(), b.direct("endpoint health"))...)
}

func (b *book) verify() {
	b.say("Through the load balancer, from a machine of a client:")
	b.run(b.healthOfBalancer())
	b.say("Directly; all members, with one leader:")
	b.run(b.direct("endpoint status -w table"))
	if b.serving() > 1 {
		b.say("Then stop etcd on one member, "+code(b.example().Name.V)+" say, and ask again through the load balancer:",
			"it must answer within a few seconds. Start the member again.")
	}
}

func (b *book) clients() {
	b.say("Begin with one client; the next follows when that one has been well for an hour. Their endpoint becomes " + code(b.BalancerURL()) +
		"; leave auto-sync of endpoints off, else clients replace it by the members.")
	if b.has("endpoints") {
		b.say(code("endpoints/endpoints.env") + " holds it as ETCD_ACCESS_ADDRESSES.")
	}
	if b.has("ansible") {
		b.say(code("ansible/group_vars/all/etcd_lb.yml") + " holds it as etcd_access_addresses, for playbooks; what a host has of it:")
		b.run("ansible-inventory -i ansible/hosts.yml --host " + b.example().Name.V)
	}
	if apis := b.Clients.KubeAPIServers; len(apis) > 0 {
		var addrs []string
		for _, a := range apis {
			addrs = append(addrs, a.V.String())
		}
		b.say("kube-apiserver is a static pod that restarts by itself when its manifest changes: in " +
			code("/etc/kubernetes/manifests/kube-apiserver.yaml") + " on " + codes(addrs) + ":")
		b.fenced("yaml", []string{"- --etcd-servers=" + b.apiServerURLs()})
		b.ways()
	}
	b.say("Who still dials a member past the load balancer? On each member, the addresses that are not the load balancer's or a member's:")
	b.run("ss -Htn state established 'sport = :" + b.clientPort() + "' " + peersOf)
}
