package process

import (
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Facts are what the runs of a source say.
type Facts struct {
	// Written returns the text of a span before placeholders were masked, or "".
	Written func(diag.Span) string
	// Branches says that a template decides which lines there are: of two that set one thing nobody knows which.
	Branches bool

	members []topology.Member
	dialers []topology.Dialer
	version topology.Value[string]
}

// Fill puts the facts into a topology.
func (f *Facts) Fill(t *topology.Topology) {
	t.Etcd = topology.EtcdOf(f.members)
	t.Etcd.Version = f.version
	t.Dialers = f.dialers
}

// Started reports whether a server of etcd was among the runs.
func (f *Facts) Started() bool { return len(f.members) > 0 }

// Run adds what a run says. Variables are read by etcd where it is what runs, by etcdctl wherever they are.
func (f *Facts) Run(r Run) {
	etcd, etcdctl := Variables(r.Env)
	for _, c := range r.calls() {
		c.flags = f.certain(c.flags)
		switch c.program {
		case Etcd:
			before := len(f.members)
			f.Etcd(append(etcd, c.flags...), c.span)
			etcd = nil
			if v := r.version(); v.Known() && len(f.members) > before {
				f.version = v
			}
		case APIServer:
			f.Dialer(APIServerOf(c.flags, c.span))
		case Etcdctl:
			f.etcdctl(append(c.flags, etcdctl...), c.span)
			etcdctl = nil
		}
	}
	f.etcdctl(etcdctl, r.Span)
}

// Variables sorts the variables that etcd and etcdctl read from others, by the names of the flags they stand for.
func Variables(env Settings) (etcd, etcdctl Settings) {
	for _, v := range env {
		if rest, ok := strings.CutPrefix(v.Name, "ETCDCTL_"); ok {
			etcdctl = append(etcdctl, Setting{flagName(rest), v.Value})
		} else if rest, ok := strings.CutPrefix(v.Name, "ETCD_"); ok {
			etcd = append(etcd, Setting{flagName(rest), v.Value})
		}
	}
	return etcd, etcdctl
}

func flagName(variable string) string { return strings.ToLower(strings.ReplaceAll(variable, "_", "-")) }

// serving are flags of which a server has at least one, and another use of the program or of its variables none.
var serving = []string{
	"name", "data-dir", "listen-client-urls", "advertise-client-urls", "listen-peer-urls", "initial-advertise-peer-urls",
	"initial-cluster", "listen-metrics-urls", "client-cert-auth", "cert-file", "trusted-ca-file", "peer-cert-file",
}

// certain makes unknown what branches of a template set to different values.
func (f *Facts) certain(s Settings) Settings {
	if !f.Branches {
		return s
	}
	first, torn := map[string]string{}, map[string]bool{}
	for _, v := range s {
		if before, ok := first[v.Name]; ok && before != v.Value.V {
			torn[v.Name] = true
		}
		first[v.Name] = v.Value.V
	}
	if len(torn) == 0 {
		return s
	}
	s = slices.Clone(s)
	for i, v := range s {
		if torn[v.Name] {
			s[i].Value = topology.SetAt(topology.Hole, v.Value.Span)
		}
	}
	return s
}

// maxMembers is how many members of one source are read, more than any cluster has.
const maxMembers = 1000

// Etcd adds a server of etcd.
func (f *Facts) Etcd(s Settings, at diag.Span) {
	if !slices.ContainsFunc(serving, s.Has) || len(f.members) > maxMembers {
		return
	}
	s = f.certain(s)
	flags := topology.Flags{
		ListenClientURLs:     s.list("listen-client-urls"),
		AdvertiseClientURLs:  s.list("advertise-client-urls"),
		ListenPeerURLs:       s.list("listen-peer-urls"),
		AdvertisePeerURLs:    s.list("initial-advertise-peer-urls"),
		ListenMetricsURLs:    s.list("listen-metrics-urls"),
		ListenClientHTTPURLs: s.list("listen-client-http-urls"),
		InitialCluster:       s.initialCluster(),
		ClientCertAuth:       s.flag("client-cert-auth"),
		TrustedCA:            s.Get("trusted-ca-file"),
		Cert:                 s.Get("cert-file"),
		ClientCert:           s.Get("client-cert-file"),
		PeerTrustedCA:        s.Get("peer-trusted-ca-file"),
		PeerCert:             s.Get("peer-cert-file"),
		KeepaliveMinTime:     s.duration("grpc-keepalive-min-time"),
		KeepaliveInterval:    s.duration("grpc-keepalive-interval"),
		KeepaliveTimeout:     s.duration("grpc-keepalive-timeout"),
		Span:                 at,
	}
	if mode := s.Get("proxy").V; mode == "on" || mode == "readonly" { // it is no member, and nobody's peer
		flags.ListenPeerURLs, flags.AdvertisePeerURLs, flags.InitialCluster = nil, nil, topology.Value[int]{}
	}
	own := topology.Member{Name: s.Get("name"), Flags: flags, Span: at}
	f.members = append(f.members, others(&own, s.list("initial-cluster"))...)
	f.members = append(f.members, own)
}

// initialCluster counts the members of a new cluster. A member that joins an existing one lists those of the day.
func (s Settings) initialCluster() topology.Value[int] {
	names := map[string]bool{}
	for _, entry := range Split(s.raw("initial-cluster"), ",") {
		name, _, ok := strings.Cut(entry.V, "=") // where it is does not matter
		if !ok || !settled(name) {
			return topology.UnknownAt[int](entry.Span)
		}
		names[name] = true
	}
	said, state := s.Has("initial-cluster-state"), s.Get("initial-cluster-state")
	if len(names) == 0 || said && state.V != "new" || !said && len(names) == 1 { // kubeadm's first member begins alone
		return topology.Value[int]{}
	}
	return topology.SetAt(len(names), s.raw("initial-cluster").Span)
}

// others are the members that the initial cluster lists beside a server's own, whose name it tells where nothing else
// does.
func others(own *topology.Member, cluster []topology.Value[string]) []topology.Member {
	var out []topology.Member
	at := map[string]int{}
	for _, entry := range cluster {
		name, url, ok := strings.Cut(entry.V, "=")
		if !entry.Known() || !ok {
			continue
		}
		peer := Part(entry, len(name)+1, len(entry.V))
		if !own.Name.Known() && hasURL(own.Flags.AdvertisePeerURLs, url) {
			own.Name = Part(entry, 0, len(name))
		}
		if own.Name.V == name {
			own.PeerURLs = append(own.PeerURLs, peer)
			continue
		}
		i, seen := at[name]
		if !seen {
			i = len(out)
			at[name] = i
			out = append(out, topology.Member{Name: Part(entry, 0, len(name)), Span: entry.Span})
		}
		out[i].PeerURLs = append(out[i].PeerURLs, peer)
	}
	return out
}

func hasURL(urls []topology.Value[string], url string) bool {
	for _, u := range urls {
		if u.Known() && u.V == url {
			return true
		}
	}
	return false
}

// APIServerOf is what a kube-apiserver's flags say of etcd.
func APIServerOf(s Settings, at diag.Span) topology.Dialer {
	d := topology.Dialer{
		Program:     APIServer,
		Address:     s.Get("advertise-address"),
		Endpoints:   s.list("etcd-servers"),
		Certificate: topology.KeyPair{CA: s.Get("etcd-cafile"), Cert: s.Get("etcd-certfile"), Key: s.Get("etcd-keyfile")},
		Span:        at,
	}
	for _, o := range Split(s.raw("etcd-servers-overrides"), ",") { // group/resource#URL;URL
		if i := strings.Index(o.V, "#"); i >= 0 {
			for _, u := range Split(Part(o, i+1, len(o.V)), ";") {
				d.Overrides = append(d.Overrides, Plain(u))
			}
		}
	}
	return d
}

// Dialer adds a client, if it says where etcd is.
func (f *Facts) Dialer(d topology.Dialer) {
	if len(d.Endpoints) == 1 && !d.Endpoints[0].Known() && f.Written != nil {
		at := d.Endpoints[0].Span
		d.Placeholder = topology.SetAt(f.Written(at), at)
	}
	if len(d.Endpoints)+len(d.Overrides) > 0 {
		f.dialers = append(f.dialers, d)
	}
}

// etcdctl adds a call of etcdctl that says how the server is verified.
func (f *Facts) etcdctl(s Settings, at diag.Span) {
	insecure := s.flag("insecure-skip-tls-verify")
	if !insecure.Known() {
		return
	}
	f.dialers = append(f.dialers, topology.Dialer{
		Program: Etcdctl, Endpoints: s.list("endpoints"), Insecure: insecure, Span: at,
	})
}
