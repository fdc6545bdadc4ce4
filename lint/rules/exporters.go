package rules

import (
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// What is known of the two exporters of HAProxy: the built-in one, and haproxy_exporter, a program of its own that is
// retired since HAProxy has the other.

// retired maps metrics that only haproxy_exporter gives to what the built-in exporter gives instead.
var retired = map[string]string{
	"haproxy_up":                                         "up",
	"haproxy_backend_up":                                 "haproxy_backend_active_servers",
	"haproxy_backend_current_server":                     "haproxy_backend_active_servers",
	"haproxy_backend_server_selected_total":              "haproxy_backend_loadbalanced_total",
	"haproxy_backend_http_queue_time_average_seconds":    "haproxy_backend_queue_time_average_seconds",
	"haproxy_backend_http_connect_time_average_seconds":  "haproxy_backend_connect_time_average_seconds",
	"haproxy_backend_http_response_time_average_seconds": "haproxy_backend_response_time_average_seconds",
	"haproxy_backend_http_total_time_average_seconds":    "haproxy_backend_total_time_average_seconds",
	"haproxy_server_up":                                  `haproxy_server_status{state="UP"}`,
	"haproxy_server_server_selected_total":               "haproxy_server_loadbalanced_total",
	"haproxy_server_check_duration_milliseconds":         "haproxy_server_check_duration_seconds",
	"haproxy_server_http_queue_time_average_seconds":     "haproxy_server_queue_time_average_seconds",
	"haproxy_server_http_connect_time_average_seconds":   "haproxy_server_connect_time_average_seconds",
	"haproxy_server_http_response_time_average_seconds":  "haproxy_server_response_time_average_seconds",
	"haproxy_server_http_total_time_average_seconds":     "haproxy_server_total_time_average_seconds",
}

// builtIn are metrics that only the built-in exporter gives and that alerts read: one of them tells which is in use.
var builtIn = []string{
	"haproxy_backend_active_servers", "haproxy_backend_backup_servers", "haproxy_backend_status", "haproxy_frontend_status",
	"haproxy_server_status", "haproxy_server_check_status", "haproxy_backend_loadbalanced_total",
	"haproxy_server_loadbalanced_total", "haproxy_process_current_connections", "haproxy_process_max_connections",
	"haproxy_process_uptime_seconds", "haproxy_process_idle_time_percent", "haproxy_process_build_info",
}

// bySection reports whether a metric is labelled by section: with proxy by the built-in exporter, with backend or frontend
// by the retired one.
func bySection(metric string) bool {
	for _, kind := range []string{"backend", "frontend", "server"} {
		if strings.HasPrefix(metric, "haproxy_"+kind+"_") {
			return true
		}
	}
	return false
}

// requires reports whether a selector selects only series with a label.
func requires(s topology.Selector, label string) bool {
	return s.Labels[label] != "" || slices.Contains(s.Needs, label)
}

// ofRouter reports whether a selector is about the router of OpenShift, which has an exporter of its own.
func ofRouter(s topology.Selector) bool {
	return slices.ContainsFunc([]string{"route", "exported_namespace", "exported_service", "exported_pod"},
		func(label string) bool { return requires(s, label) })
}

// usesBuiltIn reports whether the spec, or some expression, shows that the built-in exporter is the one that is scraped.
func usesBuiltIn(g *topology.Group) bool {
	found := false
	for _, t := range g.Sources {
		if t.Format == "spec" && slices.Contains(t.Targets, "haproxy") {
			found = true
		}
		for _, a := range t.Alerts {
			for _, s := range a.Reads {
				if strings.HasPrefix(s.Metric, "haproxy_exporter_") {
					return false // both are, or were
				}
				found = found || slices.Contains(builtIn, s.Metric) || bySection(s.Metric) && requires(s, "proxy")
			}
		}
	}
	return found
}

// isDead says why a selector selects nothing of the built-in exporter: a metric or label of the retired one. Sure is
// false where the retired one may be in use.
func isDead(g *topology.Group, s topology.Selector) (what, instead string, sure bool) {
	if s.Either || ofRouter(s) || recorded(g, s.Metric) {
		return "", "", false
	}
	sure = usesBuiltIn(g)
	if instead, ok := retired[s.Metric]; ok {
		if s.Metric == "haproxy_up" && !sure { // others give that, too
			return "", "", false
		}
		return s.Metric, instead, sure
	}
	for _, label := range []string{"backend", "frontend"} {
		if bySection(s.Metric) && requires(s, label) {
			return "the label " + label + " of " + s.Metric, "proxy", sure || slices.Contains(builtIn, s.Metric)
		}
	}
	return "", "", false
}

// recorded reports whether a recording rule makes a metric.
func recorded(g *topology.Group, metric string) bool {
	return slices.ContainsFunc(g.Sources, func(t *topology.Topology) bool { return slices.Contains(t.Recorded, metric) })
}
