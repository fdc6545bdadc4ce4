package rules

import (
	"fmt"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var reloadLingers = Rule{
	ID:       "reload-lingers",
	Title:    "each reload leaves an old process behind",
	Severity: "warning",
	Why: "After a reload the old process stays until its last connection ends. Watches do not end by themselves, so with a long " +
		"idle timeout old processes pile up, each with its memory, its own health checks and the old configuration.",
	Fix: "Bound it: `hard-stop-after 30m` in HAProxy's global section, `worker_shutdown_timeout 30m` in NGINX's main context.",
	References: []string{
		"openshift/machine-config-operator#1274", "haproxy/haproxy#228", "openshift/router#429",
		"https://docs.haproxy.org/2.6/configuration.html#3.1-hard-stop-after",
		"https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout",
	},
	Check: checkReloadLingers,
}

// stops spells how old processes end.
var stops = remedies{
	"haproxy": "add hard-stop-after 30m to the global section", "nginx": "add worker_shutdown_timeout 30m to the main context",
	"": "let old processes end after 30m",
}

func checkReloadLingers(g *topology.Group) diag.List {
	const long = time.Hour
	var out diag.List
	for _, l := range clientListeners(g) {
		stop := l.Proxy.HardStop
		if !stop.Known() || stop.V != topology.Never {
			continue
		}
		for _, r := range l.Routes {
			if !limited(r.Idle) || r.Idle.V <= long {
				continue
			}
			out = append(out, diag.Diagnostic{
				Span:     r.Idle.Span,
				Severity: diag.Warning,
				Message: fmt.Sprintf("%s keeps quiet connections for %s, and nothing bounds how long an old process serves them, so each "+
					"reload leaves one behind; need a hard stop, or an idle timeout of %s or less", l.Called(), short(r.Idle.V), short(long)),
				Hint:    stops.of(l.Source, l.Proxy),
				Subject: l.Subject(),
			})
		}
	}
	return out
}
