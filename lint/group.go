package lint

import (
	"encoding/json"
	"maps"
	"net/netip"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// source is one Source as it was read.
type source struct {
	*topology.Topology          // nil where light forgot it
	host               string   // the machine it is from, where the command line says so
	files              []string // as shown
	unit               unit     // what it is read from
	verdict            *verdict // what the rules say of it alone, where light asked them

	// What grouping goes by, but for specs; see index.
	own, mentions []string
	certifies     bool // it holds certificates
}

// index notes what a source is grouped by, apart from the text that it was read from.
func (s *source) index() {
	for key := range memberKeys(*s) {
		s.own = append(s.own, strings.Clone(key))
	}
	for key := range keys(*s) {
		s.mentions = append(s.mentions, strings.Clone(key))
	}
	s.certifies = len(s.Certificates) > 0
}

// grouping sorts sources into groups.
type grouping struct {
	specs, others []source
	manifests     [][]string // the files of each manifest, as shown
}

// groups returns the sources that are judged together. A spec is with the files that mention what is its alone: what
// clients dial, a member's address or host name, and with all files of a manifest that lists one of these. Other sources
// join by a member that they share. What joins nothing is alone, but for certificates that another group names.
func (g grouping) groups() [][]source {
	var out [][]source
	for _, spec := range g.specs {
		out = append(out, []source{spec})
	}
	var rest []source
	for j, specs := range g.about() {
		for i := range out {
			if specs[i] {
				out[i] = append(out[i], g.others[j])
			}
		}
		if len(specs) == 0 {
			rest = append(rest, g.others[j])
		}
	}
	return adopt(append(out, byMember(rest)...))
}

// adopt adds certificates that stand alone to the groups of which a spec or manifest names their file.
func adopt(groups [][]source) [][]source {
	names := make([][]*topology.Topology, len(groups)) // what may name files
	for i, g := range groups {
		for _, s := range g {
			if s.Topology != nil && s.NamesFiles() {
				names[i] = append(names[i], s.Topology)
			}
		}
	}
	var out [][]source
	alone := make([]bool, len(groups))
	for i, g := range groups {
		if len(g) != 1 || !g[0].certifies || len(names[i]) > 0 {
			continue
		}
		for j, by := range names {
			if slices.ContainsFunc(by, func(t *topology.Topology) bool { return t.Names(g[0].files[0]) }) {
				groups[j] = append(groups[j], g[0])
				alone[i] = true
			}
		}
	}
	for i, g := range groups {
		if !alone[i] {
			out = append(out, g)
		}
	}
	return out
}

// about says of each other source which specs it is about.
func (g grouping) about() []map[int]bool {
	owners := g.owners()
	out := make([]map[int]bool, len(g.others))
	holder := map[string]int{} // of files
	for j, s := range g.others {
		out[j] = map[int]bool{}
		for _, key := range s.mentions {
			if spec, ok := owners[key]; ok && spec != nobody {
				out[j][spec] = true
			}
		}
		for _, f := range s.files {
			holder[f] = j
		}
	}
	for _, listed := range g.manifests {
		all := map[int]bool{}
		for _, f := range listed {
			if j, ok := holder[f]; ok {
				maps.Copy(all, out[j])
			}
		}
		for _, f := range listed {
			if j, ok := holder[f]; ok {
				maps.Copy(out[j], all)
			}
		}
	}
	return out
}

// nobody owns a key that several specs share.
const nobody = -1

// owners maps each name and address to the one spec that it belongs to.
func (g grouping) owners() map[string]int {
	out := map[string]int{}
	for i, spec := range g.specs {
		for key := range ownKeys(spec) {
			if _, taken := out[key]; taken {
				out[key] = nobody
				continue
			}
			out[key] = i
		}
	}
	return out
}

// listed are the files that a manifest names, as shown. A manifest that cannot be read names none.
func listed(m file) []string {
	var content struct{ Files map[string]json.RawMessage }
	if err := json.Unmarshal(m.data, &content); err != nil {
		return nil
	}
	var out []string
	for f := range content.Files {
		out = append(out, filepath.Join(filepath.Dir(m.path), filepath.FromSlash(path.Clean(f))))
	}
	return out
}

// byMember joins sources that share a member: one sends to it or names it as such, the other mentions it.
func byMember(sources []source) [][]source {
	root := make([]int, len(sources))
	holder := map[string]int{} // the first source that has it as a member
	for i, s := range sources {
		root[i] = i
		for _, key := range s.own {
			if _, ok := holder[key]; !ok {
				holder[key] = i
			}
		}
	}
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for i, s := range sources {
		for _, key := range s.mentions {
			if h, ok := holder[key]; ok {
				a, b := find(i), find(h)
				root[max(a, b)] = min(a, b)
			}
		}
	}
	at := map[int]int{} // where the group of a root stands
	var out [][]source
	for i, s := range sources {
		n, ok := at[find(i)]
		if !ok {
			n = len(out)
			at[find(i)] = n
			out = append(out, nil)
		}
		out[n] = append(out[n], s)
	}
	return out
}

// set is names and addresses in canonical form, machines as "host:NAME" and pools, as alerts name them, as "pool:NAME".
type set map[string]bool

// add takes a name or address in, unless every machine has it.
func (s set) add(host string) {
	host = topology.Host(host)
	if a, err := netip.ParseAddr(host); err == nil && (a.IsLoopback() || a.IsUnspecified()) {
		return
	}
	if host != "" && host != "localhost" && !topology.IsHole(host) {
		s[host] = true
	}
}

// ownKeys are what tells a spec from others: what clients dial, its members, its machines.
func ownKeys(s source) set {
	out := memberKeys(s)
	for _, v := range s.Dialed {
		out.add(v.V)
	}
	for _, m := range s.Etcd.Members {
		out["host:"+m.Name.V] = true
	}
	for _, n := range s.Nodes {
		out["host:"+n.Name.V] = true
	}
	for _, p := range s.Proxies {
		for _, b := range p.Pools {
			out["pool:"+b.Name.V] = true
		}
	}
	return out
}

// memberKeys are etcd's members as a source names them: as such, or as the servers of etcd's pools. Of virtual routers
// they are the machines and addresses.
func memberKeys(s source) set {
	out := set{}
	for _, h := range s.MemberHosts() {
		out.add(h)
	}
	if s.Format == "spec" {
		return out
	}
	vrrpKeys(out, s.VRRP)
	g := topology.Group{Sources: []*topology.Topology{s.Topology}}
	for _, b := range g.EtcdPools() {
		for _, v := range b.Servers {
			if v.Host.Known() {
				out.add(v.Host.V)
			}
		}
	}
	return out
}

// keys are all names and addresses that a source mentions.
func keys(s source) set {
	out := memberKeys(s)
	if s.host != "" {
		out["host:"+s.host] = true
	}
	for _, v := range s.Dialed {
		out.add(v.V)
	}
	urlKeys(out, s.Topology)
	for _, p := range s.Proxies {
		proxyKeys(out, p)
	}
	for _, f := range s.Firewalls {
		for _, r := range f.Rules {
			if r.From.Known() && r.From.V.IsSingleIP() {
				out.add(r.From.V.Addr().String())
			}
			out.add(r.FromName.V)
		}
	}
	for _, c := range s.Certificates {
		for _, a := range c.Addrs.V {
			out.add(a.String())
		}
		for _, n := range c.Names.V {
			out.add(n)
		}
	}
	for _, a := range s.Alerts {
		for _, r := range a.Reads {
			for _, label := range []string{"proxy", "backend"} {
				if pool := r.Labels[label]; pool != "" {
					out["pool:"+pool] = true
				}
			}
		}
	}
	return out
}

// urlKeys are the hosts of what members listen on, and of what others dial or scrape.
func urlKeys(out set, t *topology.Topology) {
	for _, m := range t.Etcd.Members {
		for _, v := range slices.Concat(m.ClientURLs, m.PeerURLs) {
			if u, err := url.Parse(v.V); err == nil {
				out.add(u.Hostname())
			}
		}
	}
	for _, d := range t.Dialers {
		for _, v := range slices.Concat(d.Endpoints, d.Overrides) {
			if u, ok := topology.ParseURL(v); ok {
				out.add(u.Host)
			}
		}
	}
	for _, sc := range t.Scrapes {
		for _, v := range sc.Targets {
			full := "//" + v.V
			if strings.Contains(v.V, "://") { // of a probe
				full = v.V
			}
			if u, err := url.Parse(full); err == nil {
				out.add(u.Hostname())
			}
		}
	}
}

func vrrpKeys(out set, routers []topology.VRRP) {
	for _, v := range routers {
		for _, a := range append(slices.Clone(v.Peers), v.Source) {
			if a.Known() {
				out.add(a.V.String())
			}
		}
		for _, p := range v.Addresses {
			if p.Known() {
				out.add(p.V.Addr().String())
			}
		}
	}
}

func proxyKeys(out set, p topology.Proxy) {
	for _, l := range p.Listeners {
		for _, b := range l.Binds {
			if b.Addr.Known() {
				out.add(b.Addr.V.String())
			}
		}
	}
	for _, b := range p.Pools {
		for _, v := range b.Servers {
			if v.Host.Known() {
				out.add(v.Host.V)
			}
		}
	}
}
