package rules

import (
	"fmt"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var watchTimeout = Rule{
	ID:       "watch-timeout",
	Title:    "an idle timeout cuts quiet watches",
	Severity: "error or warning",
	Why: "A watch is a connection on which nothing happens for as long as nothing changes. A load balancer that closes idle " +
		"connections too soon cuts all quiet watches at once, and all clients come back with a handshake and a new list. Only the " +
		"pings of HTTP/2 refresh the timer, TCP keepalives do not; kube-apiserver pings every 30s, a default Go client never.",
	Fix: "Set the idle timeout well above twice the ping interval of the clients; 1h suits all. In HAProxy that is `timeout " +
		"tunnel`, in NGINX `proxy_timeout`, on an AWS TCP listener `tcp_idle_timeout_seconds`, in a spec `loadBalancer.timeouts.idle`.",
	References: []string{
		"kubernetes/kubeadm#2227", "coreos/tectonic-installer#390", "giantswarm/aws-operator#445", "kubernetes/ingress-nginx#5695",
		"https://docs.haproxy.org/2.6/configuration.html#4.2-timeout%20tunnel",
		"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_timeout",
		"https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html",
	},
	Check:    checkWatchTimeout,
	Unjudged: watchTimeoutUnjudged,
}

// What idle timeouts are measured by. An interval of clients that is not known is taken to be kube-apiserver's.
const (
	usualPing     = 30 * time.Second
	goFloor       = 10 * time.Second // no Go client pings faster, whatever it is told
	tightIdle     = 5 * time.Minute
	tightNoPings  = 10 * time.Minute
	enoughNoPings = time.Hour
)

func checkWatchTimeout(g *topology.Group) diag.List {
	var out diag.List
	ping, pings := clientPing(g)
	for _, l := range clientListeners(g) {
		for _, r := range l.Routes {
			if !r.Idle.Known() || r.Idle.V == topology.Never {
				continue
			}
			d, bad := judgeIdle(r.Idle.V, ping, pings.Known())
			if !bad {
				continue
			}
			d.Message = fmt.Sprintf("%s closes idle connections after %s, %s", l.Called(), short(r.Idle.V), d.Message)
			d.Span, d.Subject = r.Idle.Span, l.Subject()
			enough := max(enoughNoPings, 3*ping)
			d.Hint = patience(l, enough)
			if r.Idle.State == topology.Set && enough == enoughNoPings { // not every platform admits more
				d.Edits = []diag.Edit{{Span: r.Idle.Span, From: r.Idle.V, To: enough}}
			}
			if pings.State == topology.Set {
				d.Related = []diag.Related{{Span: pings.Span, Message: "the clients' ping interval"}}
			}
			out = append(out, d)
		}
	}
	return out
}

// patience spells an idle timeout.
func patience(l topology.EtcdListener, d time.Duration) string {
	seconds := fmt.Sprint(int(d / time.Second))
	aws := "set tcp_idle_timeout_seconds = " + seconds
	nginx := "set proxy_timeout " + topology.Short(d)
	haproxy := "add timeout tunnel " + topology.Short(d) + " to the backend, or set timeout client and timeout server to as much"
	if l.Mode.V == topology.HTTP {
		aws = "set idle_timeout = " + seconds
		haproxy = "set timeout client and timeout server to " + topology.Short(d) + "; in HTTP mode timeout tunnel does not hold"
		nginx = "set grpc_read_timeout and grpc_send_timeout (with proxy_pass, proxy_read_timeout) to " + topology.Short(d)
	}
	return remedies{
		"haproxy": haproxy, "nginx": nginx, "aws": aws, "aws-classic": "set idle_timeout = " + seconds,
		"azure":     "set idle_timeout_in_minutes = " + fmt.Sprint(int(d/time.Minute)),
		"gcp-proxy": "set timeout_sec = " + seconds, "spec": `set timeouts: idle: "` + topology.Short(d) + `"`,
		"": "set it to " + topology.Short(d),
	}.of(l.Source, l.Proxy)
}

// judgeIdle judges an idle timeout against a ping interval, topology.Never for clients that never ping. The message is
// the second half of a sentence.
func judgeIdle(idle, ping time.Duration, known bool) (diag.Diagnostic, bool) {
	who := "clients"
	if !known {
		who = "clients such as kube-apiserver"
	}
	switch {
	case ping == topology.Never && idle < tightNoPings:
		return diag.Diagnostic{Severity: diag.Error, Message: "but clients never ping, so quiet watches die; need 1h"}, true
	case ping == topology.Never && idle < enoughNoPings:
		return diag.Diagnostic{Severity: diag.Warning, Message: "but clients never ping, so watches that are quiet that long die; need 1h"}, true
	case ping == topology.Never:
		return diag.Diagnostic{}, false
	case idle <= 2*ping:
		return diag.Diagnostic{Severity: diag.Error, Message: fmt.Sprintf(
			"but %s ping every %s, so quiet watches die; need more than %s", who, short(ping), short(2*ping))}, true
	case idle <= goFloor:
		return diag.Diagnostic{Severity: diag.Error, Message: fmt.Sprintf(
			"but no Go client pings faster than every %s, so quiet watches die; need more than %s", short(goFloor), short(2*goFloor))}, true
	case idle < tightIdle:
		return diag.Diagnostic{Severity: diag.Warning, Message: fmt.Sprintf(
			"which cuts the watches of every client that pings less often than every %s; need 5m or more", short(idle/2))}, true
	}
	return diag.Diagnostic{}, false
}

// clientPing is the clients' ping interval, and what says so.
func clientPing(g *topology.Group) (time.Duration, topology.Value[time.Duration]) {
	for _, t := range g.Sources {
		if v := t.Clients.Keepalive; v.Known() {
			return v.V, v
		}
	}
	return usualPing, topology.Value[time.Duration]{}
}

func watchTimeoutUnjudged(g *topology.Group) string {
	for _, l := range clientListeners(g) {
		for _, r := range l.Routes {
			if !r.Idle.Known() {
				return "an idle timeout is not in the files: a variable, a placeholder or set elsewhere"
			}
		}
	}
	return ""
}
