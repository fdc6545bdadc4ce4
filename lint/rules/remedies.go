package rules

import "github.com/etcdlbgen/etcdlbgen/schema/topology"

// remedies are what to write, in the words of each platform; those of "spec" where a spec is what is judged, and of "" where
// a platform has none of its own.
type remedies map[string]string

func (r remedies) of(t *topology.Topology, p *topology.Proxy) string {
	key := p.Platform
	switch {
	case t.Format == "spec":
		key = "spec"
	case key == "nginx-plus":
		key = "nginx"
	}
	if text, ok := r[key]; ok {
		return text
	}
	return r[""]
}
