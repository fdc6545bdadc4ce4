package topology

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// Flags are what one etcd server is started with, whether flags, variables or a file of configuration say it. Lists hold
// URLs as they are written; one that cannot be read is unknown.
type Flags struct {
	ListenClientURLs     []Value[string]
	AdvertiseClientURLs  []Value[string]
	ListenPeerURLs       []Value[string]
	AdvertisePeerURLs    []Value[string] // --initial-advertise-peer-urls
	ListenMetricsURLs    []Value[string]
	ListenClientHTTPURLs []Value[string]
	InitialCluster       Value[int] // how many members a new cluster begins with
	ClientCertAuth       Value[bool]
	TrustedCA            Value[string] // path
	Cert                 Value[string] // path of the server certificate
	ClientCert           Value[string] // path of what etcd presents to itself, where that is not Cert
	PeerTrustedCA        Value[string]
	PeerCert             Value[string]
	KeepaliveMinTime     Value[time.Duration] // clients that ping more often are cut off
	KeepaliveInterval    Value[time.Duration] // how often quiet clients are pinged
	KeepaliveTimeout     Value[time.Duration]
	Span                 diag.Span // what says so; zero where nothing does
}

// Known reports whether anything says how the server is started.
func (f Flags) Known() bool { return f.Span != diag.Span{} }

// Dialer is a program that is a client of etcd, as its own configuration has it.
type Dialer struct {
	Program   string          // "kube-apiserver", "etcdctl"
	Address   Value[string]   // of the machine that it runs on
	Endpoints []Value[string] // URLs as they are written
	// Placeholder is what is written in the place of the only endpoint, where a template or a variable fills it in.
	Placeholder Value[string]
	Overrides   []Value[string] // URLs for some of the data
	Certificate KeyPair
	Insecure    Value[bool] // does not verify the server's certificate
	Span        diag.Span
}

// EtcdOf is what the flags of members say of them and of their cluster. Of members without flags, their peer URLs are
// taken to be their own.
func EtcdOf(members []Member) Etcd {
	e := Etcd{Members: slices.Clone(members)}
	slices.SortStableFunc(e.Members, func(a, b Member) int { return cmp.Compare(a.Name.V, b.Name.V) })
	for i := range e.Members {
		m := &e.Members[i]
		f := m.Flags
		if len(f.AdvertiseClientURLs) > 0 {
			m.ClientURLs = f.AdvertiseClientURLs
		}
		if len(f.AdvertisePeerURLs) > 0 {
			m.PeerURLs = append(slices.Clone(f.AdvertisePeerURLs), besides(m.PeerURLs, f.AdvertisePeerURLs)...)
		}
		m.locate()
		first(&e.ClientPort, portOf(slices.Concat(f.ListenClientURLs, m.ClientURLs)))
		first(&e.PeerPort, portOf(slices.Concat(f.ListenPeerURLs, m.PeerURLs)))
		first(&e.MetricsPort, portOf(f.ListenMetricsURLs))
		first(&e.MetricsScheme, schemeOf(f.ListenMetricsURLs))
		first(&e.ClientHTTPPort, portOf(f.ListenClientHTTPURLs))
		first(&e.Scheme, schemeOf(slices.Concat(f.ListenClientURLs, m.ClientURLs)))
		first(&e.ClientCertAuth, f.ClientCertAuth)
		first(&e.TrustedCA, f.TrustedCA)
	}
	return e
}

// besides are the URLs that are none of others: what the first cluster has a member by, where its own flags differ.
func besides(urls, others []Value[string]) []Value[string] {
	return slices.DeleteFunc(slices.Clone(urls), func(u Value[string]) bool {
		return slices.ContainsFunc(others, func(o Value[string]) bool { return o.V == u.V })
	})
}

func first[T any](to *Value[T], from Value[T]) {
	if !to.Known() {
		*to = from
	}
}

// locate finds a member's addresses: those it listens on, else what other members reach it by.
func (m *Member) locate() {
	if m.Address.Known() || m.Address6.Known() || m.Hostname.Known() {
		return
	}
	for _, urls := range [][]Value[string]{slices.Concat(m.Flags.ListenClientURLs, m.Flags.ListenPeerURLs), m.PeerURLs} {
		for _, v := range urls {
			m.reachedBy(v)
		}
		if m.Address.Known() || m.Address6.Known() || m.Hostname.Known() {
			return
		}
	}
}

// reachedBy takes the host of a URL as the member's, unless every machine has it. Its state is Defaulted: it is derived.
func (m *Member) reachedBy(v Value[string]) {
	u, ok := ParseURL(v)
	if !ok || u.OnLoopback() || u.Everywhere() {
		return
	}
	a, err := netip.ParseAddr(u.Host)
	switch {
	case err != nil:
		first(&m.Hostname, DefaultAt(u.Host, v.Span))
	case a.Is4():
		first(&m.Address, DefaultAt(a, v.Span))
	default:
		first(&m.Address6, DefaultAt(a, v.Span))
	}
}

// URL is a URL of etcd, taken apart.
type URL struct {
	Scheme string // http, https, unix or unixs
	Host   string // in canonical form
	Port   int    // 0 where there is none
}

// PlainURL is all that is left of an unknown URL whose scheme is written down and is not TLS.
const PlainURL = "http://"

// ParseURL takes a URL apart. It is not ok where the URL is unknown or none.
func ParseURL(v Value[string]) (URL, bool) {
	u, err := url.Parse(v.V)
	if !v.Known() || err != nil || u.Host == "" {
		return URL{}, false
	}
	port, _ := strconv.Atoi(u.Port())
	return URL{Scheme: strings.ToLower(u.Scheme), Host: Host(u.Hostname()), Port: port}, u.Hostname() != ""
}

// OnLoopback reports whether only the machine itself reaches the URL.
func (u URL) OnLoopback() bool {
	a, err := netip.ParseAddr(u.Host)
	return u.Host == "localhost" || err == nil && a.IsLoopback() || strings.HasPrefix(u.Scheme, "unix")
}

// Everywhere reports whether the URL is one of all addresses of the machine.
func (u URL) Everywhere() bool {
	a, err := netip.ParseAddr(u.Host)
	return err == nil && a.IsUnspecified()
}

// portOf is the port of the first URL that others can reach, else of the first one.
func portOf(urls []Value[string]) Value[int] {
	var out Value[int]
	for _, v := range urls {
		if u, ok := ParseURL(v); ok && u.Port > 0 {
			if !u.OnLoopback() {
				return SetAt(u.Port, v.Span)
			}
			first(&out, SetAt(u.Port, v.Span))
		}
	}
	return out
}

// schemeOf is the scheme that all URLs that others can reach have.
func schemeOf(urls []Value[string]) Value[string] {
	var out Value[string]
	for _, v := range urls {
		u, ok := ParseURL(v)
		if !ok || u.OnLoopback() || u.Scheme != "http" && u.Scheme != "https" {
			continue
		}
		if out.Known() && out.V != u.Scheme {
			return Value[string]{}
		}
		first(&out, SetAt(u.Scheme, v.Span))
	}
	return out
}
