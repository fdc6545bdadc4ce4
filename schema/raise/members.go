package raise

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// member is one of etcd's, as far as the sources know it.
type member struct {
	name               string
	address, address6  string
	hostname, zone     string
	learner, drain     bool
	clientURL, peerURL []string
}

// members gathers etcd's members: what their own configurations say, then what the load balancer sends clients to.
func (r *raising) members() {
	for _, t := range r.Sources {
		for _, m := range t.Etcd.Members {
			r.member(t.Etcd, m)
		}
	}
	if r.pool != nil {
		r.servers()
	}
	r.dialedDirectly()
	r.settle()
}

func (r *raising) member(e topology.Etcd, m topology.Member) {
	known := &member{}
	if m.Name.Known() {
		r.use(m.Name.Span)
		known.name = m.Name.V
	}
	known.address, known.address6 = r.address(m.Address), r.address(m.Address6)
	if m.Hostname.Known() {
		r.use(m.Hostname.Span)
		known.hostname = m.Hostname.V
	}
	if m.Zone.Known() {
		known.zone = m.Zone.V
	}
	known.learner, known.drain = m.Learner.Known() && m.Learner.V, m.Drain.Known() && m.Drain.V
	known = r.merge(known)
	known.clientURL = r.advertised(known, known.clientURL, m.ClientURLs, e.ClientPort)
	known.peerURL = r.advertised(known, known.peerURL, m.PeerURLs, e.PeerPort)
	r.use(m.Span)
}

// address is an address as text, "" where it is unknown.
func (r *raising) address(a topology.Value[netip.Addr]) string {
	if !a.Known() {
		return ""
	}
	r.use(a.Span)
	return a.V.String()
}

// advertised are URLs that are not simply the member's own address.
func (r *raising) advertised(m *member, before []string, urls []topology.Value[string], port topology.Value[int]) []string {
	var out []string
	for _, v := range urls {
		u, ok := topology.ParseURL(v)
		if !ok {
			continue
		}
		r.use(v.Span)
		if _, err := netip.ParseAddr(u.Host); err != nil && m.hostname == "" {
			m.hostname = u.Host
		}
		own := u.Host == m.address || m.address == "" && u.Host == m.address6 || m.address == "" && u.Host == m.hostname
		if !own || port.Known() && u.Port != port.V {
			out = append(out, v.V)
		}
	}
	if len(before) > 0 || len(out) == 0 {
		return before
	}
	return out
}

// servers are members that are known only from the load balancer. A member to which it sends no clients is drained.
func (r *raising) servers() {
	behind := map[*member]bool{}
	complete := !r.pool.Partial
	for _, s := range r.pool.Servers {
		if !s.Host.Known() {
			complete = false
			continue
		}
		m := memberAt(topology.CanonicalHost(s.Host.V))
		m.name = s.Name.V
		if name := s.VerifyHost; name.Known() && m.hostname == "" {
			m.hostname = topology.CanonicalHost(name.V)
		}
		m.drain = s.Drain.Known() && s.Drain.V
		if !s.Backup.V { // a spec has no second choice
			r.use(s.Span)
		}
		behind[r.merge(m)] = true
	}
	for _, m := range r.etcd {
		if complete && len(behind) > 0 && !behind[m] {
			m.drain = true
		}
	}
}

func memberAt(host string) *member {
	a, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return &member{hostname: host}
	case a.Is4():
		return &member{address: host}
	}
	return &member{address6: host}
}

// merge adds what is known of a member to what was known before.
func (r *raising) merge(m *member) *member {
	same := func(a, b string) bool { return a != "" && a == b }
	i := slices.IndexFunc(r.etcd, func(k *member) bool {
		return same(k.address, m.address) || same(k.address6, m.address6) || same(k.hostname, m.hostname)
	})
	if i < 0 {
		i = slices.IndexFunc(r.etcd, func(k *member) bool {
			return same(k.name, m.name) && (k.address == "" || m.address == "" || k.address == m.address)
		})
	}
	if i < 0 {
		r.etcd = append(r.etcd, m)
		return m
	}
	k := r.etcd[i]
	for _, f := range []struct{ to, from *string }{
		{&k.name, &m.name}, {&k.address, &m.address}, {&k.address6, &m.address6}, {&k.hostname, &m.hostname}, {&k.zone, &m.zone},
	} {
		if *f.to == "" {
			*f.to = *f.from
		}
	}
	k.learner, k.drain = k.learner || m.learner, k.drain || m.drain
	return k
}

// dialedDirectly are members that are known only from clients with several endpoints: one alone is the load balancer.
func (r *raising) dialedDirectly() {
	if len(r.etcd) > 0 {
		return
	}
	for _, t := range r.Sources {
		for _, d := range t.Dialers {
			if len(d.Endpoints) < 2 {
				continue
			}
			for _, e := range d.Endpoints {
				if u, ok := topology.ParseURL(e); ok && !u.OnLoopback() {
					r.use(e.Span)
					r.merge(memberAt(u.Host))
				}
			}
		}
	}
}

var dnsLabel = pattern.New(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// settle gives members names that a spec allows: their own where that is a DNS label, else the first part of their host
// name, else a number. Their only address is their first.
func (r *raising) settle() {
	taken := map[string]bool{}
	for i, m := range r.etcd {
		name := ""
		for _, candidate := range []string{strings.ReplaceAll(m.name, "_", "-"), m.hostname} {
			if _, err := netip.ParseAddr(candidate); err == nil {
				continue
			}
			candidate, _, _ = strings.Cut(strings.ToLower(candidate), ".")
			if dnsLabel.MatchString(candidate) && !taken[candidate] {
				name = candidate
				break
			}
		}
		for n := i + 1; name == "" || taken[name]; n++ {
			name = fmt.Sprintf("etcd-%d", n)
		}
		m.name = name
		taken[name] = true
		if m.address == "" {
			m.address, m.address6 = m.address6, ""
		}
	}
	slices.SortFunc(r.etcd, func(a, b *member) int { return strings.Compare(a.name, b.name) })
}

func (m *member) object() *object {
	o := &object{}
	for _, f := range []struct{ name, value string }{
		{"address", m.address}, {"address6", m.address6}, {"hostname", m.hostname}, {"zone", m.zone},
	} {
		if f.value != "" {
			o.put(f.name, f.value)
		}
	}
	if m.learner {
		o.put("learner", true)
	}
	if m.drain {
		o.put("drain", true)
	}
	o.put("advertiseClientURLs", m.clientURL)
	o.put("initialAdvertisePeerURLs", m.peerURL)
	return o
}
