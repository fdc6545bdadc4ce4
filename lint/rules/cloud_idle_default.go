package rules

import (
	"fmt"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var cloudIdleDefault = Rule{
	ID:       "cloud-idle-default",
	Title:    "a cloud's own idle timeout is left standing",
	Severity: "warning",
	Why: "Where nothing is written, a cloud drops a connection that was quiet for as long as it sees fit (AWS 350s, Azure 4min), and " +
		"tells neither side. A client that does not ping learns of it at its next request: a watch is silent for ever. Clients " +
		"that are known to ping more than twice as often are safe.",
	Fix: "Set `tcp_idle_timeout_seconds = 3600` on the AWS listener (TCP only; aws 5.73 or later), `idle_timeout_in_minutes` and " +
		"`tcp_reset_enabled` on the Azure rule; or state the clients' ping interval in a spec (`clients.keepalive`).",
	References: []string{
		"kubernetes/ingress-nginx#5695", "hashicorp/terraform-provider-aws#3611",
		"https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html",
		"https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-reset",
	},
	Check: checkCloudIdleDefault,
}

func checkCloudIdleDefault(g *topology.Group) diag.List {
	var out diag.List
	ping, pings := clientPing(g)
	for _, l := range clientListeners(g) {
		for _, r := range l.Routes {
			unwritten := l.Proxy.Cloud() && r.Idle.State == topology.Defaulted && r.Idle.V != topology.Never
			if _, bad := judgeIdle(r.Idle.V, ping, pings.Known()); !unwritten || bad || pings.Known() || r.Idle.V >= enoughNoPings {
				continue
			}
			out = append(out, diag.Diagnostic{
				Span:     r.Idle.Span,
				Severity: diag.Warning,
				Message: fmt.Sprintf("%s leaves the cloud's idle timeout of %s standing, after which the connections of clients that do "+
					"not ping are dropped in silence; need a timeout that is written down, such as 1h", l.Called(), short(r.Idle.V)),
				Hint:    patience(l, time.Hour),
				Subject: l.Subject(),
			})
		}
	}
	return out
}
