// Package topology holds what a configuration means for etcd: proxies, checks, timeouts, firewalls, alerts. A spec is
// lowered to it, files are parsed to it, targets render it and rules judge it. It knows no text format.
package topology

import (
	"net/netip"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// Topology is everything one Source says. What it does not say is left out or unknown.
type Topology struct {
	Format       string        // the target that read it, or "spec"
	Span         diag.Span     // the source as a whole
	Name         Value[string] // the cluster's
	Etcd         Etcd
	Dialed       []Value[string]     // every name and address that clients dial, in canonical form; its host name first
	BalancerPort Value[int]          // of a spec: where clients dial the load balancer
	Cloud        []Value[netip.Addr] // of a spec: a cloud load balancer's own addresses
	Virtual      []Value[netip.Addr] // of a spec: addresses that move between the load balancer's machines
	Clients      Clients
	Nodes        []Node
	Monitoring   []Value[netip.Prefix]
	Proxies      []Proxy
	Firewalls    []Firewall
	VRRP         []VRRP
	Failover     *Failover // of a spec; nil where the name leads to one load balancer
	Certificates []Certificate
	Required     []Required // of a spec: the certificates to issue
	Alerts       []Alert
	Recorded     []string // metrics that recording rules make
	Scrapes      []Scrape
	Panels       []Panel // of a spec: what a dashboard shows
	Dialers      []Dialer
	Endpoints    []Value[string] // URLs that clients of the load balancer are told, beside Dialed
	Targets      []string        // of a spec: the enabled targets, sorted
}

// Etcd is the cluster behind the load balancer.
type Etcd struct {
	Version        Value[string]
	Scheme         Value[string] // http or https, of client and peer URLs
	Auth           Value[bool]
	ClientCertAuth Value[bool]
	TrustedCA      Value[string] // path
	ClientPort     Value[int]
	PeerPort       Value[int]
	ClientHTTPPort Value[int] // --listen-client-http-urls
	MetricsPort    Value[int] // --listen-metrics-urls; unknown where there is none
	MetricsScheme  Value[string]
	Members        []Member // sorted by name
}

// Member is one etcd server.
type Member struct {
	Name       Value[string]
	Address    Value[netip.Addr] // unknown where the spec leaves it out
	Address6   Value[netip.Addr] // a second family
	Hostname   Value[string]
	Zone       Value[string]
	Learner    Value[bool]
	Drain      Value[bool]
	ClientURLs []Value[string] // advertised
	PeerURLs   []Value[string] // advertised
	Flags      Flags           // of a spec: where it writes them
	Span       diag.Span
}

// Addresses are the member's known addresses.
func (m Member) Addresses() []Value[netip.Addr] { return known(m.Address, m.Address6) }

// Node is a machine that runs the load balancer.
type Node struct {
	Name      Value[string]
	Address   Value[netip.Addr]
	Address6  Value[netip.Addr]
	Interface Value[string]
	Priority  Value[int]
	Span      diag.Span
}

// Addresses are the node's known addresses.
func (n Node) Addresses() []Value[netip.Addr] { return known(n.Address, n.Address6) }

func known[T any](vs ...Value[T]) []Value[T] {
	var out []Value[T]
	for _, v := range vs {
		if v.Known() {
			out = append(out, v)
		}
	}
	return out
}

// Clients is who dials the load balancer.
type Clients struct {
	Networks       []Value[netip.Prefix] // may reach the load balancer; kube-apiservers included
	Direct         []Value[netip.Prefix] // may reach members
	KubeAPIServers []Value[netip.Addr]
	Keepalive      Value[time.Duration] // ping interval; Never where clients never ping
	Certificate    KeyPair
}

// Never is the ping interval of clients that do not ping, and the idle timeout of a proxy that waits for ever.
const Never time.Duration = 0

// KeyPair names files on the machine that uses them.
type KeyPair struct {
	CA, Cert, Key Value[string]
}

// Proxy is one load balancer program, or one cloud load balancer.
type Proxy struct {
	Target    string               // the target that writes it: "haproxy", "nginx", "terraform"
	Platform  string               // what runs it: "haproxy", "nginx", "nginx-plus", or a cloud's: "aws", "aws-classic", "azure", "gcp", "gcp-proxy", "gcp-pool"
	Fragment  bool                 // of a spec: written as one file among others of a proxy that serves more
	Container bool                 // of a spec: runs in a container, without a control socket
	MaxConns  Value[int]           // client connections the whole process admits
	HardStop  Value[time.Duration] // how long old connections outlive a reload; Never: without end
	Internal  Value[bool]          // of a cloud: not facing the internet
	CrossZone Value[bool]          // of a cloud, where it can be chosen
	Zones     Value[int]           // of a cloud: in how many it stands
	Workers   Value[int]           // processes of which each admits MaxConns; unknown where that is for all together
	// FilesSuffice says that the process raises the number of files it may open to what its connections need, where that
	// is its own business.
	FilesSuffice Value[bool]
	// Firewalled says that a cloud load balancer has security groups, where it cannot get any later.
	Firewalled Value[bool]
	// Ineffective are settings that the platform ignores or refuses.
	Ineffective []Ineffective
	// Overridden are choices of a health check that another one in the same section replaces.
	Overridden []Overridden
	// Credentials are all that the source writes down, those of listeners among them.
	Credentials []Credential
	// Leaks are defaults of one file that hold for sections of others.
	Leaks     []Leak
	Listeners []Listener
	Pools     []Pool
	Span      diag.Span
}

// Pool returns the pool of that name, or nil.
func (p *Proxy) Pool(name string) *Pool {
	for i := range p.Pools {
		if p.Pools[i].Name.V == name {
			return &p.Pools[i]
		}
	}
	return nil
}

// Ineffective is a setting that does nothing.
type Ineffective struct {
	Setting string // in the words of the format: "option check-ssl"
	Fate    string // what becomes of it, to follow "which": "haproxy refuses, since it has no such option"
	Instead string // what does the thing, as a hint
	Span    diag.Span
}

// Overridden is a setting that holds no more in its own section.
type Overridden struct {
	Section     string // where both stand, in the words of the format: `backend "etcd"`
	Lost, Holds Value[string]
}

// Leak is a defaults section at the end of a file: it holds for the sections of whatever file is loaded next.
type Leak struct {
	Name     Value[string] // unknown where it has none
	Captured []diag.Span   // the sections that it holds for, as far as they show
	Span     diag.Span
}

// Credential is what somebody shows to get in. A password that is a variable or hashed is unknown.
type Credential struct {
	User, Password Value[string]
}

// Mode is the layer a listener speaks.
type Mode string

// The modes.
const (
	TCP  Mode = "tcp"
	HTTP Mode = "http"
)

// Listener accepts connections.
type Listener struct {
	Name     Value[string]
	Mode     Value[Mode]
	Metrics  bool // serves the proxy's own metrics or status, not etcd
	Commands bool // takes commands to the proxy from whoever connects; it then is for Metrics, too
	Binds    []Bind
	MaxConns Value[int]
	// ClientTimeout is how long the proxy waits for a client that says nothing; Never: for ever.
	ClientTimeout Value[time.Duration]
	// TLS is true where the proxy ends the clients' TLS, else unknown.
	TLS Value[bool]
	// Certificate is what clients are shown where the listener ends TLS. Its CA signs what they must present; "" where
	// they need not.
	Certificate KeyPair
	// HTTP2 says whether clients are offered HTTP/2, where the listener ends TLS or speaks HTTP.
	HTTP2   Value[bool]
	Sources []Value[netip.Prefix] // who is admitted, where the listener itself restricts it
	// Authenticated says of a listener for metrics or status that it asks for a password, Credentials which ones it takes.
	Authenticated Value[bool]
	Credentials   []Credential
	Routes        []Route
	Span          diag.Span
}

// Bind is one listening address. The unspecified address is all addresses of its family.
type Bind struct {
	Addr Value[netip.Addr]
	Port Value[int]
	// Shared binds are limited to an interface or a name, or perhaps not there at all: others may have the same address
	// and port.
	Shared bool
}

// Route is a way from a listener to a pool.
type Route struct {
	Pool    Value[string]
	Missing bool // there is no such pool, and what is read is all there is
	// Idle is how long a connection on this way may stay quiet until the proxy cuts it; Never: for ever. Its span is the
	// setting that governs.
	Idle Value[time.Duration]
	// Reset says that both sides are told by a TCP reset when the connection is cut for being quiet.
	Reset Value[bool]
}

// Pool is a set of servers and how they are chosen and checked.
type Pool struct {
	Name    Value[string]
	Mode    Value[Mode]
	Balance Value[string]        // leastconn, roundrobin, source, …
	Connect Value[time.Duration] // connect timeout
	Retries Value[int]           // further attempts after the first
	// ServerTimeout is how long the proxy waits for a server that says nothing, Tunnel how long for either side of a
	// connection that is established, where it takes the place of the others; Never: for ever, or not at all.
	ServerTimeout, Tunnel Value[time.Duration]
	CutOnDown             Value[bool] // connections to a server that goes down are closed
	// CutOnRemoval says that connections to a server that is taken out of the pool are closed.
	CutOnRemoval Value[bool]
	// KeepsSource says that servers see the client's address, not the proxy's.
	KeepsSource Value[bool]
	// KeepsDestination says that servers see the address that the client dialed, not their own.
	KeepsDestination Value[bool]
	// TLS is true where the proxy speaks TLS to servers, else unknown; Verify says then whether it verifies their
	// certificates, and with which CA, Cert which one of its own it presents ("" for none), with which Key.
	TLS, Verify   Value[bool]
	Cert, Key, CA Value[string]
	// HTTP2 says whether the proxy speaks, or offers, HTTP/2 to servers, where it speaks TLS or HTTP.
	HTTP2 Value[bool]
	// ProxyHeader is true where the proxy begins connections to servers with a PROXY protocol header, else unknown.
	ProxyHeader Value[bool]
	// Partial pools may have further servers that the source does not show.
	Partial bool
	Check   Check
	Servers []Server // in file order; a spec's by name
	Span    diag.Span
}

// Server is one member of a pool.
type Server struct {
	Name    Value[string]
	Host    Value[string] // canonical address, or name
	Port    Value[int]
	Drain   Value[bool] // gets no new connection
	Backup  Value[bool]
	Checked Value[bool] // the pool's check applies to it
	// VerifyHost is the name that the certificate must hold, where the proxy verifies one against a fixed name.
	VerifyHost Value[string]
	// Resolves says, of a server with a host name, whether the proxy starts without an answer and sees changes.
	Resolves Value[bool]
	Span     diag.Span
}

// CheckKind is how a proxy decides that a server is well.
type CheckKind string

// The kinds, from blind to telling.
const (
	CheckNone    CheckKind = "none"
	CheckPassive CheckKind = "passive" // by failed connections of clients
	CheckTCP     CheckKind = "tcp"     // connect only
	CheckTLS     CheckKind = "tls"     // handshake only
	CheckHTTP    CheckKind = "http"
	CheckHTTPS   CheckKind = "https"
)

// Check is a pool's health check.
type Check struct {
	Kind     Value[CheckKind]
	Port     Value[int]  // the server's own port where the format's default is that
	Plain    Value[bool] // of an HTTP check: it is written down that it is not encrypted
	Method   Value[string]
	Path     Value[string] // with query
	Interval Value[time.Duration]
	// IntervalAt are the places where servers state the interval each for itself; none where one place states it for all.
	IntervalAt []diag.Span
	Fast       Value[time.Duration] // interval while a server changes state
	Down       Value[time.Duration] // interval while a server is down
	Timeout    Value[time.Duration]
	Fall       Value[int]
	Rise       Value[int]
	Cert       Value[string] // path of the client certificate that the check presents; "" for none
	Key        Value[string]
	CA         Value[string]
	Verify     Value[bool]
	// Sources are where a cloud's probes come from, for firewalls to let in; none: unknown, or the proxy's own addresses.
	Sources   []netip.Prefix
	SourceTag string // what a cloud's firewall calls Sources; "" where it has no name for them
	Span      diag.Span
}

// CertRole is what a certificate is for.
type CertRole string

// The roles.
const (
	ServerCert CertRole = "server"
	ClientCert CertRole = "client"
	PeerCert   CertRole = "peer"
	CACert     CertRole = "ca"
)

// Certificate is what a certificate file holds, or what a spec declares that the members' ones hold.
type Certificate struct {
	Role     CertRole
	Declared bool                // by a spec: the load balancer's part of what each member's server certificate carries
	Name     Value[string]       // common name
	Names    Value[[]string]     // DNS SANs; defaulted where they are derived from what clients dial
	Addrs    Value[[]netip.Addr] // IP SANs, likewise
	// ClientAuth says whether the certificate may be used by a client; unknown where its usages are not limited.
	ClientAuth          Value[bool]
	NotBefore, NotAfter time.Time // zero of a declared one
	DER                 []byte    // the certificate itself, for its signature
	Span                diag.Span
}

// Alert is one alerting rule.
type Alert struct {
	Name                 Value[string]
	Expr                 Value[string] // PromQL, on one line
	Layout               string        // Expr as it is written, on several lines where it is long; not read back
	Reads                []Selector    // in the order of Expr; none where that is unknown
	Compares             []Comparison  // likewise, the outer ones first
	For                  Value[time.Duration]
	Severity             Value[string]
	Labels               map[string]string // further labels, from the spec
	Summary, Description string            // annotations, in Prometheus' own template language
	Span                 diag.Span
}

// Selector is a set of time series that an expression reads.
type Selector struct {
	Metric string            // "" where a pattern selects it
	Labels map[string]string // that must be equal
	Needs  []string          // further labels without which no series is selected
	By     []string          // backend and frontend, where an aggregation above it sorts by them
	Either bool              // stands on one side of an "or": the other may give what this one does not
}

// Comparison compares series with a number.
type Comparison struct {
	Of        Selector
	Functions []string // functions and aggregations that are applied to the series, from the inside
	Op        string   // ==, !=, <, <=, > or >=, the number on the right
	Number    float64
	Bool      bool // gives 0 or 1 where it would give nothing or the series
	Decides   bool // nothing around it restricts it: where it gives something, the alert fires
}

// Scrape is one Prometheus job.
type Scrape struct {
	Job         Value[string]
	Scheme      Value[string]
	Path        Value[string]
	Targets     []Value[string]   // host:port
	Labels      map[string]string // that all targets carry, beside job
	Certificate KeyPair
	Insecure    Value[bool] // does not verify the targets' certificates
	// Exporter is the host:port of a blackbox exporter that probes the targets, which are URLs then, and Module the one
	// of its modules that it does so with.
	Exporter, Module Value[string]
	Span             diag.Span
}
