package schema

// defaults are the values of what a spec leaves out, by path; "*" stands for any key. The comments of spec.cue state
// them too. Their sources are the facts measured on real proxies and members; ports are etcd's own.
var defaults = map[string]any{
	"cluster.scheme":                           "https",
	"cluster.auth":                             false,
	"cluster.members.*.learner":                false,
	"cluster.members.*.drain":                  false,
	"cluster.ports.client":                     2379,
	"cluster.ports.peer":                       2380,
	"cluster.metrics.scheme":                   "http",
	"cluster.tls.clientCertAuth":               true,
	"loadBalancer.port":                        2379,
	"loadBalancer.mode":                        "passthrough",
	"loadBalancer.placement":                   "dedicated",
	"loadBalancer.balance":                     "leastconn",
	"loadBalancer.maxConnections":              20000,
	"loadBalancer.timeouts.connect":            "1s",
	"loadBalancer.timeouts.idle":               "1h",
	"loadBalancer.timeouts.hardStopAfter":      "30m",
	"loadBalancer.healthCheck.interval":        "2s",
	"loadBalancer.healthCheck.timeout":         "1s",
	"loadBalancer.healthCheck.fall":            2,
	"loadBalancer.healthCheck.rise":            2,
	"targets.haproxy.output":                   "file",
	"targets.haproxy.metricsPort":              8405,
	"targets.haproxy.statsPage":                false,
	"targets.haproxy.container":                false,
	"targets.haproxy.log":                      "/dev/log",
	"targets.nginx.edition":                    "oss",
	"targets.nginx.output":                     "file",
	"targets.nginx.dynamicModule":              true,
	"targets.nginx.healthPort":                 8406,
	"targets.terraform.aws.provider":           6,
	"targets.terraform.aws.targetType":         "ip",
	"targets.terraform.aws.crossZone":          true,
	"targets.terraform.aws.deletionProtection": true,
	"targets.terraform.azure.provider":         5,
	"targets.terraform.gcp.provider":           7,
	"targets.terraform.gcp.globalAccess":       false,
	"targets.iptables.mode":                    "enforce",
	"targets.prometheus.probe.exporter":        "127.0.0.1",
	"targets.prometheus.probe.port":            9115,
	"targets.nftables.mode":                    "enforce",

	"targets.terraform.dnsFailover.endpoints.*.priority": 100,
}

// optional are the structs that are not there unless the spec has them: no default is filled in below them.
var optional = map[string]bool{
	"cluster.metrics":         true,
	"targets":                 true,
	"targets.haproxy":         true,
	"targets.nginx":           true,
	"targets.keepalived":      true,
	"targets.terraform":       true,
	"targets.terraform.aws":   true,
	"targets.terraform.azure": true,
	"targets.terraform.gcp":   true,
	"targets.iptables":        true,

	"targets.prometheus.probe": true,

	"targets.nftables": true,

	"targets.terraform.dnsFailover": true,
}
