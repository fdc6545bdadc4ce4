package topology

import (
	"net"
	"strconv"
)

// BalancerURL is what clients dial: the load balancer by its name, or by its address where it has none. It is "" where
// neither is known.
func (t *Topology) BalancerURL() string {
	if len(t.Dialed) == 0 {
		return ""
	}
	return t.Etcd.url(t.Dialed[0].V, t.BalancerPort.V)
}

// DirectURLs are the members that serve clients, past the load balancer. A drained one still does, a learner does not.
func (e Etcd) DirectURLs() []string {
	var out []string
	for _, m := range e.Members {
		if !m.Learner.V {
			out = append(out, e.ClientURL(m))
		}
	}
	return out
}

// PeerAddresses are name=url, as in --initial-cluster: once a URL, since a member may advertise several.
func (e Etcd) PeerAddresses() []string {
	var out []string
	for _, m := range e.Members {
		for _, u := range e.PeerURLs(m) {
			out = append(out, m.Name.V+"="+u)
		}
	}
	return out
}

// ClientURL is where clients reach a member itself: the first URL it is stated to advertise, else its own address.
func (e Etcd) ClientURL(m Member) string { return e.ClientURLs(m)[0] }

// ClientURLs are what a member advertises to clients: at least one URL.
func (e Etcd) ClientURLs(m Member) []string { return e.urls(m.ClientURLs, m, e.ClientPort) }

// PeerURLs are what a member advertises to other members: at least one URL, never the load balancer's.
func (e Etcd) PeerURLs(m Member) []string { return e.urls(m.PeerURLs, m, e.PeerPort) }

func (e Etcd) urls(stated []Value[string], m Member, port Value[int]) []string {
	if len(stated) == 0 {
		return []string{e.url(m.Host(), port.V)}
	}
	out := make([]string, len(stated))
	for i, u := range stated {
		out[i] = u.V
	}
	return out
}

func (e Etcd) url(host string, port int) string {
	return e.Scheme.V + "://" + net.JoinHostPort(host, strconv.Itoa(port))
}

// Host is how others reach the member: its first address, else its host name, else, where both are left out, its name.
func (m Member) Host() string {
	switch {
	case m.Address.Known():
		return m.Address.V.String()
	case m.Address6.Known():
		return m.Address6.V.String()
	case m.Hostname.Known():
		return m.Hostname.V
	}
	return m.Name.V
}
