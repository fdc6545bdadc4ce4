package nginx

import (
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// useless are directives that do nothing for TCP in a stream block, and what becomes of them.
var useless = map[string]string{
	"proxy_read_timeout": "nginx refuses in a stream block",
	"proxy_send_timeout": "nginx refuses in a stream block",
	"proxy_responses":    "nginx ignores for TCP",
}

// ineffective notes the directives of a block that do nothing.
func (r *reader) ineffective(nodes []*node) {
	for _, n := range nodes {
		if fate, ok := useless[n.name.text]; ok {
			r.proxy.Ineffective = append(r.proxy.Ineffective, topology.Ineffective{
				Setting: n.name.text,
				Fate:    fate,
				Instead: "remove it; proxy_timeout says how long a connection may be quiet",
				Span:    n.span(),
			})
		}
	}
}

// servesUDP reports whether a block listens for datagrams.
func servesUDP(n *node) bool {
	return n.name.text == "server" && slices.ContainsFunc(n.block, func(c *node) bool {
		return c.name.text == "listen" && len(c.args) > 0 && (isUDP(c) || c.filledIn(1))
	})
}
