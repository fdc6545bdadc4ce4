package terraform

import (
	"strconv"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// webURL is a URL as it stands in a file. Its host may be, or contain, a template.
var (
	webURL   = pattern.New(`^"(https?://[^"/]+:([0-9]+))"$`)
	template = pattern.New(`\$\{[^}]*\}`)
)

// endpoints are the URLs among the outputs that lead to a listener's port.
func (f *folder) endpoints(proxies []topology.Proxy) []topology.Value[string] {
	ports := map[int]bool{}
	for _, p := range proxies {
		for _, l := range p.Listeners {
			for _, b := range l.Binds {
				ports[b.Port.V] = b.Port.Known()
			}
		}
	}
	var out []topology.Value[string]
	for _, e := range f.outputs {
		r := e.Range()
		m := webURL.FindStringSubmatch(string(r.SliceBytes(f.texts[r.Filename])))
		if m == nil {
			continue
		}
		if port, err := strconv.Atoi(m[2]); err == nil && ports[port] {
			out = append(out, topology.SetAt(template.ReplaceAllString(m[1], topology.Hole), f.span(r)))
		}
	}
	return out
}
