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

// monitoring is what the expressions of a group are judged by.
type monitoring struct {
	// builtIn says that the spec, or some expression, shows that the built-in exporter is the one that is scraped.
	builtIn  bool
	recorded map[string]bool // metrics that recording rules make
	pools    map[string]int  // those of etcd's, by name: how many servers each has
	voters   int             // etcd's voting members; 0 where they are not known
}

func monitoringOf(g *topology.Group) monitoring {
	m := monitoring{recorded: map[string]bool{}, pools: map[string]int{}}
	both := false
	for _, t := range g.Sources {
		m.builtIn = m.builtIn || t.Format == "spec" && slices.Contains(t.Targets, "haproxy")
		for _, name := range t.Recorded {
			m.recorded[name] = true
		}
		for _, a := range t.Alerts {
			for _, s := range a.Reads {
				both = both || strings.HasPrefix(s.Metric, "haproxy_exporter_")
				m.builtIn = m.builtIn || slices.Contains(builtIn, s.Metric) || bySection(s.Metric) && requires(s, "proxy")
			}
		}
		if m.voters == 0 {
			m.voters = voters(t.Etcd.Members)
		}
	}
	for _, b := range g.EtcdPools() {
		m.pools[b.Name.V] = len(b.Servers)
	}
	m.builtIn = m.builtIn && !both
	return m
}

// deadRead is a metric or label of the retired exporter, which the built-in one does not give.
type deadRead struct {
	what, instead string
	sees          string // what an alert sees of it
	sure          bool   // false: the retired one may be in use
}

// dead says what a selector names that the built-in exporter does not give; false for nothing.
func (m monitoring) dead(s topology.Selector) (deadRead, bool) {
	if s.Either || ofRouter(s) || m.recorded[s.Metric] {
		return deadRead{}, false
	}
	if instead, ok := retired[s.Metric]; ok {
		if s.Metric == "haproxy_up" && !m.builtIn { // others give that, too
			return deadRead{}, false
		}
		return deadRead{s.Metric, instead, "nothing", m.builtIn}, true
	}
	for _, label := range []string{"backend", "frontend"} {
		sees := "nothing"
		switch {
		case !bySection(s.Metric):
			continue
		case requires(s, label):
		case slices.Contains(s.By, label):
			sees = "all of them as one"
		default:
			continue
		}
		return deadRead{"the label " + label + " of " + s.Metric, "proxy", sees, m.builtIn || slices.Contains(builtIn, s.Metric)}, true
	}
	return deadRead{}, false
}

func voters(members []topology.Member) int {
	n := 0
	for _, m := range members {
		if !m.Learner.V {
			n++
		}
	}
	return n
}
