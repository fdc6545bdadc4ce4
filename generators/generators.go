// Package generators is the list of all targets, and the compiler that runs them.
package generators

import (
	"github.com/etcdlbgen/etcdlbgen/generators/ansible"
	"github.com/etcdlbgen/etcdlbgen/generators/certificates"
	"github.com/etcdlbgen/etcdlbgen/generators/cloudcli"
	"github.com/etcdlbgen/etcdlbgen/generators/endpoints"
	"github.com/etcdlbgen/etcdlbgen/generators/etcd"
	"github.com/etcdlbgen/etcdlbgen/generators/grafana"
	"github.com/etcdlbgen/etcdlbgen/generators/haproxy"
	"github.com/etcdlbgen/etcdlbgen/generators/iptables"
	"github.com/etcdlbgen/etcdlbgen/generators/keepalived"
	"github.com/etcdlbgen/etcdlbgen/generators/kubernetes"
	"github.com/etcdlbgen/etcdlbgen/generators/nginx"
	"github.com/etcdlbgen/etcdlbgen/generators/pem"
	"github.com/etcdlbgen/etcdlbgen/generators/prometheus"
	"github.com/etcdlbgen/etcdlbgen/generators/runbook"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/generators/terraform"
)

// Targets are all the text formats. A new one is added here, and its options to schema/spec.cue.
var Targets = []target.Target{
	haproxy.Target,
	nginx.Target,
	terraform.Target,
	cloudcli.Target,
	iptables.Target,
	iptables.Nftables,
	prometheus.Target,
	grafana.Target,
	etcd.Target,
	kubernetes.Target,
	endpoints.Target,
	certificates.Target,
	ansible.Target,
	runbook.Target,
	pem.Target,
	keepalived.Target,
}
