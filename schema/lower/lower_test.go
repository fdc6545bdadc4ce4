package lower_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/lower"
	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const members = `
cluster: name: "prod"
cluster: members: {"etcd-1": address: "10.0.1.10", "etcd-2": address: "10.0.1.11", "etcd-3": address: "10.0.1.12"}
`

// TestHealthPath: /readyz exactly where etcd serves it, else /health that looks past a space alarm.
func TestHealthPath(t *testing.T) {
	const old, ready = "/health?exclude=NOSPACE", "/readyz"
	for version, want := range map[string]string{
		"": old, "3.3.27": old, "3.4.28": old, "3.4.29": ready, "3.4": old, "3.5": old, "3.5.10": old, "3.5.11": ready,
		"3.6": ready, "3.6.0": ready, "3.7.1": ready, "3.10": ready,
	} {
		spec := members + "cluster: metrics: port: 2381\nloadBalancer: host: \"lb\"\n"
		if version != "" {
			spec += fmt.Sprintf("cluster: version: %q\n", version)
		}
		top, _ := lower.Topology(lowertest.Cluster(t, spec))
		if got := top.Proxies[0].Pools[0].Check.Path.V; got != want {
			t.Errorf("etcd %q: want %s, have %s", version, want, got)
		}
	}
}

// TestCheck: how each platform asks members, for each way that a spec may ask for.
func TestCheck(t *testing.T) {
	const all = "targets: {haproxy: {}, nginx: edition: \"plus\", terraform: aws: {}}\nloadBalancer: host: \"lb\"\n"
	const certificate = "loadBalancer: healthCheck: certificate: {ca: \"/ca\", cert: \"/c\", key: \"/c.key\"}\n"
	for name, c := range map[string]struct {
		spec string
		want string // haproxy, nginx, terraform
	}{
		"nothing said":    {"", "tcp:2379 tcp:2379 tcp:2379"},
		"metrics":         {"cluster: metrics: port: 2381", "http:2381 http:2381 http:2381"},
		"metrics by TLS":  {"cluster: metrics: {port: 2381, scheme: \"https\"}\n" + certificate, "https:2381 tcp:2379 tcp:2379"},
		"client":          {"loadBalancer: healthCheck: via: \"client\"\n" + certificate, "https:2379 tcp:2379 tcp:2379"},
		"client HTTP":     {"cluster: ports: clientHTTP: 2382\nloadBalancer: healthCheck: via: \"client\"\n" + certificate, "https:2382 tcp:2379 tcp:2379"},
		"plaintext":       {"cluster: scheme: \"http\"\nloadBalancer: healthCheck: via: \"client\"", "http:2379 http:2379 http:2379"},
		"tcp by its name": {"cluster: metrics: port: 2381\nloadBalancer: healthCheck: via: \"tcp\"", "tcp:2379 tcp:2379 tcp:2379"},
	} {
		top, _ := lower.Topology(lowertest.Cluster(t, members+all+c.spec))
		var got []string
		for _, p := range top.Proxies {
			check := p.Pools[0].Check
			got = append(got, fmt.Sprintf("%s:%d", check.Kind.V, check.Port.V))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: want %s, have %s", name, c.want, got)
		}
	}
}

// TestClamp: what a cloud does not take is put right, with a word where the spec had set it.
func TestClamp(t *testing.T) {
	const aws = "targets: terraform: aws: {}\nloadBalancer: host: \"lb\"\n"
	for name, c := range map[string]struct {
		spec, idle, interval string
		warnings             int
	}{
		"defaults":  {"", "1h", "5s", 0},
		"too long":  {`loadBalancer: timeouts: idle: "6h"`, "1h40m", "5s", 1},
		"too short": {`loadBalancer: {timeouts: idle: "5s", healthCheck: {interval: "1s", fall: 1, rise: 20}}`, "1m", "5s", 4},
		"in range":  {`loadBalancer: {timeouts: idle: "90m", healthCheck: {interval: "30s", fall: 3, rise: 3}}`, "1h30m", "30s", 0},
	} {
		top, diags := lower.Topology(lowertest.Cluster(t, members+aws+c.spec))
		p := top.Proxies[0]
		idle, interval := topology.Short(p.Listeners[0].Routes[0].Idle.V), topology.Short(p.Pools[0].Check.Interval.V)
		if idle != c.idle || interval != c.interval || len(diags) != c.warnings {
			t.Errorf("%s: want %s, %s and %d warnings, have %s, %s and %v", name, c.idle, c.interval, c.warnings, idle, interval, diags)
		}
	}
}

// TestAdmissions: who may reach which ports, in the order of the rules.
func TestAdmissions(t *testing.T) {
	const spec = members + `
cluster: members: "etcd-1": address6: "fd00::10"
cluster: metrics: port: 2381
loadBalancer: {host: "lb", nodes: {"lb-1": address: "10.0.1.101", "lb-2": address: "10.0.1.102"}}
clients: {networks: ["10.0.2.0/24"], direct: ["10.0.9.0/24"], kubeApiServers: ["10.0.3.10"]}
monitoring: networks: ["10.0.8.0/24"]
targets: {haproxy: {}, iptables: {}}
`
	top, _ := lower.Topology(lowertest.Cluster(t, spec))
	want := map[string]string{
		"members 4": "lo established 10.0.1.101/32:2379,2381 10.0.1.102/32:2379,2381 10.0.1.10/32:2379,2380 10.0.1.11/32:2379,2380 " +
			"10.0.1.12/32:2379,2380 10.0.9.0/24:2379 10.0.8.0/24:2381 reject",
		"members 6": "lo established fd00::10/128:2379,2380 reject",
		"nodes 4":   "vrrp-10.0.1.101/32 vrrp-10.0.1.102/32 lo established 10.0.2.0/24:2379 10.0.3.10/32:2379 10.0.8.0/24:8405 reject",
		"nodes 6":   "lo established reject",
	}
	for _, f := range top.Firewalls {
		key := fmt.Sprintf("%s %d", f.Role, f.Family)
		if got := admissions(f); got != want[key] {
			t.Errorf("%s: want\n%s\nhave\n%s", key, want[key], got)
		}
		delete(want, key)
	}
	for key := range want {
		t.Errorf("%s: no firewall", key)
	}
}

func admissions(f topology.Firewall) string {
	var out []string
	for _, r := range f.Rules {
		var ports []string
		for _, p := range r.Ports {
			ports = append(ports, fmt.Sprint(p.First))
		}
		switch {
		case r.Loopback:
			out = append(out, "lo")
		case r.Established:
			out = append(out, "established")
		case r.Verdict == topology.Reject:
			out = append(out, "reject")
		case r.Protocol == "vrrp":
			out = append(out, "vrrp-"+r.From.V.String())
		default:
			out = append(out, r.From.V.String()+":"+strings.Join(ports, ","))
		}
	}
	return strings.Join(out, " ")
}

// TestLocal: proxies on the clients' own machines listen on loopback, which members' certificates must then hold, and
// members admit the clients.
func TestLocal(t *testing.T) {
	top, _ := lower.Topology(lowertest.Cluster(t, members+`
loadBalancer: {host: "etcd.local", placement: "local", port: 12379}
clients: networks: ["10.0.2.0/24", "fd00::/64"]
targets: {haproxy: {}, iptables: {}}
`))
	var dialed, binds []string
	for _, d := range top.Dialed {
		dialed = append(dialed, d.V)
	}
	for _, b := range top.Proxies[0].Listeners[0].Binds {
		binds = append(binds, b.Addr.V.String())
	}
	if !slices.Equal(dialed, []string{"etcd.local", "127.0.0.1", "::1"}) || !slices.Equal(binds, []string{"127.0.0.1", "::1"}) {
		t.Errorf("dialed %v, bound %v", dialed, binds)
	}
	if got := admissions(top.Firewalls[0]); !strings.Contains(got, "10.0.2.0/24:2379") || len(top.Firewalls) != 2 {
		t.Errorf("%d firewalls, the members': %s", len(top.Firewalls), got)
	}
}

// TestPool: learners get no clients, drained members no new ones.
func TestPool(t *testing.T) {
	top, _ := lower.Topology(lowertest.Cluster(t, members+`
cluster: members: {"etcd-2": drain: true, "etcd-3": learner: true}
loadBalancer: host: "lb"
targets: {haproxy: {}, nginx: {}, terraform: aws: {}}
`))
	for _, p := range top.Proxies {
		var got []string
		for _, s := range p.Pools[0].Servers {
			got = append(got, fmt.Sprint(s.Name.V, s.Drain.V))
		}
		if !slices.Equal(got, []string{"etcd-1false", "etcd-2true"}) {
			t.Errorf("%s: %v", p.Platform, got)
		}
	}
}

// TestMembersScraped: metrics are read where HTTP is answered; the client port refuses it beside a port for clients' HTTP.
func TestMembersScraped(t *testing.T) {
	const all = "cluster: scheme: \"http\"\nloadBalancer: host: \"lb\"\ntargets: prometheus: {}\n"
	for spec, want := range map[string]string{
		"":                                 "10.0.1.10:2379",
		"cluster: ports: clientHTTP: 2382": "10.0.1.10:2382",
		"cluster: {ports: clientHTTP: 2382, metrics: port: 2381}": "10.0.1.10:2381",
	} {
		top, _ := lower.Topology(lowertest.Cluster(t, members+all+spec))
		if len(top.Scrapes) != 1 || top.Scrapes[0].Targets[0].V != want {
			t.Errorf("%q: want %s first, have %+v", spec, want, top.Scrapes)
		}
	}
}

// TestRefusedScrapes: members' rules admit monitoring to the metrics port alone, which the spec's line is told.
func TestRefusedScrapes(t *testing.T) {
	const spec = members + `
cluster: scheme: "http"
loadBalancer: {host: "lb", nodes: "lb-1": address: "10.0.1.101"}
clients: networks: ["10.0.2.0/24"]
monitoring: networks: ["10.0.8.0/24"]
targets: {haproxy: {}, prometheus: {}, iptables: {}}
`
	if _, diags := lower.Topology(lowertest.Cluster(t, spec)); len(diags) != 1 || diags[0].Rule != "unsupported" {
		t.Errorf("without a metrics port: %v", diags)
	}
	if _, diags := lower.Topology(lowertest.Cluster(t, spec+"cluster: metrics: port: 2381\n")); len(diags) != 0 {
		t.Errorf("with one: %v", diags)
	}
}

// NGINX counts in whole seconds how long a member is out.
func TestPassiveCheck(t *testing.T) {
	for interval, want := range map[string]time.Duration{"2s": 2 * time.Second, "500ms": time.Second, "1500ms": 2 * time.Second} {
		top, _ := lower.Topology(lowertest.Cluster(t, members+fmt.Sprintf(`loadBalancer: {host: "lb", healthCheck: interval: %q}
targets: nginx: {}`, interval)))
		if got := top.Proxies[0].Pools[0].Check.Interval.V; got != want {
			t.Errorf("%s: %v, want %v", interval, got, want)
		}
	}
}
