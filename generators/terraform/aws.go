package terraform

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// awsModule is what the AWS module is made of: the facts of the load balancer on that platform, and the options that only
// AWS knows.
type awsModule struct {
	*topology.CloudBalancer
	etcd       topology.Etcd
	provider   int
	targetType string
	protection bool
	static     map[string]string // address of the load balancer by zone
}

// renderAWS writes a Network Load Balancer with its security groups, alarm and record.
func renderAWS(t *topology.Topology, options *topology.Tree) ([]file, diag.List) {
	b := t.CloudBalancer(targetName, "aws")
	if b == nil {
		return nil, nil
	}
	m := &awsModule{
		CloudBalancer: b,
		etcd:          t.Etcd,
		provider:      topology.Get[int](options, "provider").V,
		targetType:    topology.Get[string](options, "targetType").V,
		protection:    topology.Get[bool](options, "deletionProtection").V,
		static:        map[string]string{},
	}
	addresses := options.Get("addresses")
	for _, zone := range addresses.Keys() {
		m.static[zone] = topology.Get[string](addresses, zone).V
	}
	return []file{m.versions(), m.variables(), m.main(), m.outputs(), m.tests()}, nil
}

// monitored reports whether members have a metrics port of their own.
func (m *awsModule) monitored() bool { return m.etcd.MetricsPort.Known() }

// portName says what a port of a member is for; it is the key of the rule for it.
func (m *awsModule) portName(port int) string {
	for _, known := range []struct {
		name string
		port topology.Value[int]
	}{
		{"client", m.etcd.ClientPort},
		{"peer", m.etcd.PeerPort},
		{"metrics", m.etcd.MetricsPort},
		{"client_http", m.etcd.ClientHTTPPort},
	} {
		if known.port.Known() && known.port.V == port {
			return known.name
		}
	}
	return fmt.Sprint("port_", port)
}
