package terraform

import (
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// ineffective is an argument that does nothing where it is written.
func ineffective(n node, argument, fate, instead string) []topology.Ineffective {
	v, ok := n.get(argument)
	if !ok {
		return nil
	}
	return []topology.Ineffective{{Setting: argument, Fate: fate, Instead: instead, Span: n.scope.folder.span(v.at)}}
}

// idleOfOthers is the idle timeout of TCP on a listener of another protocol.
func idleOfOthers(listener node) []topology.Ineffective {
	const argument = "tcp_idle_timeout_seconds"
	protocol, _ := listener.get("protocol")
	p, _ := protocol.text()
	switch p = strings.ToUpper(p); p {
	case "TLS", "TCP_UDP":
		return ineffective(listener, argument, "AWS ignores on a listener of protocol "+p+", which closes quiet connections after 350s",
			"use protocol TCP: etcd's own TLS passes through it")
	}
	return nil
}
