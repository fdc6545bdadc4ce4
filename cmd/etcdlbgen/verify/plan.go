package verify

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Role is what an endpoint is.
type Role string

// The roles.
const (
	Balancer Role = "load balancer"
	Member   Role = "member"
)

// Endpoint is one address of etcd that is dialed.
type Endpoint struct {
	Role    Role
	Name    string // of a member
	URL     string
	Address string // host:port
	TLS     bool
	Holds   []string // names and addresses that the served certificate must hold
	Learner bool     // answers no client
	// Peer is the host:port that must not be reachable through a load balancer; "" with NoPeer, which says why not.
	Peer, NoPeer string
	// Health is what the load balancer asks of a member; without URL, None says why not.
	Health Health
}

// Health is a health check as the load balancer runs it.
type Health struct {
	URL     string
	Timeout time.Duration
	None    string
}

// Plan is what is dialed for one cluster.
type Plan struct {
	Cluster   string     // "" where no spec names it
	Endpoints []Endpoint // the load balancer's first
	// Discover says that the members are those that etcd lists.
	Discover bool
	listed   bool // what etcd lists, alone
}

// Label names the endpoint in a report.
func (e Endpoint) Label() string {
	if e.Name == "" {
		return string(e.Role)
	}
	return string(e.Role) + " " + e.Name
}

func (e Endpoint) host() string {
	host, _, _ := net.SplitHostPort(e.Address)
	return host
}

// Of is what is dialed for the cluster of a spec: what clients dial, and each member of which an address is known.
func Of(t *topology.Topology) Plan {
	p := Plan{Cluster: t.Name.V}
	hosts := []string{}
	for i, d := range t.Dialed { // the first is what clients are told
		virtual := slices.ContainsFunc(t.Virtual, func(a topology.Value[netip.Addr]) bool { return a.V.String() == d.V })
		if i == 0 || virtual {
			hosts = append(hosts, d.V)
		}
	}
	for _, h := range hosts {
		e := endpoint(Balancer, t.Etcd.Scheme.V, net.JoinHostPort(h, strconv.Itoa(t.BalancerPort.V)))
		e.Holds = dialed(t)
		e.Peer = net.JoinHostPort(h, strconv.Itoa(t.Etcd.PeerPort.V))
		if e.NoPeer = sharesMachine(t, h); e.NoPeer != "" {
			e.Peer = ""
		}
		p.Endpoints = append(p.Endpoints, e)
	}
	for _, m := range t.Etcd.Members {
		if e, ok := member(t, m); ok {
			p.Endpoints = append(p.Endpoints, e)
		}
	}
	return p
}

func member(t *topology.Topology, m topology.Member) (Endpoint, bool) {
	if len(m.ClientURLs) == 0 && len(m.Addresses()) == 0 && !m.Hostname.Known() {
		return Endpoint{}, false
	}
	e, err := parse(Member, t.Etcd.ClientURL(m))
	if err != nil {
		return Endpoint{}, false
	}
	e.Name, e.Learner = m.Name.V, m.Learner.V
	e.Holds = []string{e.host()}
	for _, a := range m.Addresses() {
		e.Holds = append(e.Holds, a.V.String())
	}
	if m.Hostname.Known() {
		e.Holds = append(e.Holds, m.Hostname.V)
	}
	if !terminates(t) && !m.Learner.V { // clients of the load balancer see this certificate
		e.Holds = append(e.Holds, dialed(t)...)
	}
	e.Holds = unique(e.Holds)
	e.Health = health(t, m)
	return e, true
}

// dialed are the names and addresses by which clients reach the load balancer.
func dialed(t *topology.Topology) []string {
	out := make([]string, len(t.Dialed))
	for i, d := range t.Dialed {
		out[i] = d.V
	}
	return out
}

// terminates reports whether the load balancer ends the clients' TLS.
func terminates(t *topology.Topology) bool {
	return slices.ContainsFunc(t.Proxies, func(p topology.Proxy) bool {
		return slices.ContainsFunc(p.Listeners, func(l topology.Listener) bool { return !l.Metrics && l.TLS.V })
	})
}

// sharesMachine says why an open peer port at a load balancer's address would prove nothing; "" where it does.
func sharesMachine(t *topology.Topology, host string) string {
	var members []netip.Addr
	for _, m := range t.Etcd.Members {
		for _, a := range m.Addresses() {
			members = append(members, a.V)
		}
	}
	if a, err := netip.ParseAddr(host); err == nil && slices.Contains([]string{"127.0.0.1", "::1"}, a.String()) {
		return "loopback is whatever machine this is, perhaps a member's"
	}
	for _, n := range t.Nodes {
		for _, a := range n.Addresses() {
			if slices.Contains(members, a.V) {
				return "the load balancer runs on members' machines, where the peer port is the member's own"
			}
		}
	}
	return ""
}

// health is the check of the first load balancer that asks members for their health.
func health(t *topology.Topology, m topology.Member) Health {
	if m.Learner.V {
		return Health{None: "a learner is never behind the load balancer"}
	}
	for i := range t.Proxies {
		for j := range t.Proxies[i].Pools {
			c := t.Proxies[i].Pools[j].Check
			if c.Kind.V != topology.CheckHTTP && c.Kind.V != topology.CheckHTTPS {
				continue
			}
			u := url.URL{Scheme: string(c.Kind.V), Host: net.JoinHostPort(m.Host(), strconv.Itoa(c.Port.V))}
			return Health{URL: u.String() + c.Path.V, Timeout: c.Timeout.V}
		}
	}
	return Health{None: "the load balancer's check only connects"}
}

// FromURLs is what is dialed without a spec. The members are those that etcd lists.
func FromURLs(urls []string) (Plan, error) {
	p := Plan{Discover: true}
	for _, u := range urls {
		e, err := parse(Balancer, u)
		if err != nil {
			return Plan{}, fmt.Errorf("--endpoint %s: not a URL; need one such as https://etcd-lb.example.com:2379", u)
		}
		e.Holds = []string{e.host()}
		e.Peer = net.JoinHostPort(e.host(), "2380")
		p.Endpoints = append(p.Endpoints, e)
	}
	return p, nil
}

// listed adds the members that etcd lists. What a client of theirs dials is the first URL that they advertise.
func (p *Plan) add(members []listedMember) {
	dials := map[string]bool{}
	var names []string
	for _, e := range p.Endpoints {
		dials[e.Address] = true
		names = append(names, e.host())
	}
	members = slices.SortedFunc(slices.Values(members), func(a, b listedMember) int { return cmp.Compare(a.name, b.name) })
	for _, m := range members {
		if len(m.urls) == 0 { // has not started yet
			continue
		}
		e, err := parse(Member, m.urls[0])
		if err != nil || dials[e.Address] { // advertises the load balancer
			continue
		}
		e.Name, e.Learner = m.name, m.learner
		e.Holds = unique(append([]string{e.host()}, names...))
		e.Health = Health{None: "no spec says what the load balancer asks"}
		p.Endpoints = append(p.Endpoints, e)
	}
}

func parse(role Role, s string) (Endpoint, error) {
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return Endpoint{}, err
	case u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return Endpoint{}, fmt.Errorf("%s is no URL of etcd", s)
	}
	port := u.Port()
	if port == "" {
		port = "2379"
	}
	return endpoint(role, u.Scheme, net.JoinHostPort(u.Hostname(), port)), nil
}

func endpoint(role Role, scheme, address string) Endpoint {
	return Endpoint{Role: role, URL: scheme + "://" + address, Address: address, TLS: scheme == "https"}
}

func unique(in []string) []string {
	var out []string
	for _, s := range in {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
