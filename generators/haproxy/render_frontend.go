package haproxy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/haproxytech/config-parser/v5/common"
	"github.com/haproxytech/config-parser/v5/params"
	"github.com/haproxytech/config-parser/v5/parsers"
	"github.com/haproxytech/config-parser/v5/parsers/actions"
	"github.com/haproxytech/config-parser/v5/parsers/http"
	httpactions "github.com/haproxytech/config-parser/v5/parsers/http/actions"
	"github.com/haproxytech/config-parser/v5/parsers/stats"
	settings "github.com/haproxytech/config-parser/v5/parsers/stats/settings"
	"github.com/haproxytech/config-parser/v5/types"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func (w *writer) frontend(l *topology.Listener) {
	s := w.section("frontend", l.Name.V)
	if l.Metrics {
		w.metrics(s, l)
		return
	}
	if w.fragment {
		w.clientSide(s)
	}
	s.add(&parsers.Bind{}, bindWhy(l.Binds), w.terminating(l, binds(l.Binds))...)
	s.option("tcplog", "one line a connection, with member, duration and who ended it")
	if l.MaxConns.Known() {
		s.number(&parsers.MaxConn{}, l.MaxConns.V, "below the global limit, so that metrics and checks always get through")
	}
	for _, r := range l.Routes {
		s.word(&parsers.DefaultBackend{}, r.Pool.V, "the members")
	}
}

// terminating has bind lines end TLS where the listener does: clients must present a certificate, and gRPC's HTTP/2 is
// offered.
func (w *writer) terminating(l *topology.Listener, lines []common.ParserData) []common.ParserData {
	if !l.TLS.V {
		return lines
	}
	out := make([]common.ParserData, len(lines))
	for i, line := range lines {
		b := line.(types.Bind)
		b.Params = append(b.Params, &params.BindOptionWord{Name: "ssl"})
		for _, p := range [][2]string{
			{"crt", l.Certificate.Cert.V},
			{"ca-file", l.Certificate.CA.V},
			{"verify", "required"},
			{"alpn", "h2,http/1.1"},
			{"ssl-min-ver", "TLSv1.2"},
		} {
			b.Params = append(b.Params, &params.BindOptionValue{Name: p[0], Value: p[1]})
		}
		b.Comment = "who has no certificate would borrow the load balancer's identity"
		out[i] = b
	}
	return out
}

// metrics writes the proxy's own frontend: metrics, the answer for keepalived, the status page where it is wanted.
func (w *writer) metrics(s *part, l *topology.Listener) {
	s.word(&parsers.Mode{}, "http", "speaks for this haproxy, not for etcd")
	s.add(&parsers.Bind{}, bindWhy(l.Binds), binds(l.Binds)...)
	s.add(&parsers.Log{}, logWhy, types.Log{Global: true})
	s.add(&parsers.OptionHTTPLog{}, "one line a request", types.OptionHTTPLog{})
	s.option("dontlog-normal", "a scrape that works is no news")
	if l.ClientTimeout.Known() {
		s.timeout("client", spell(l.ClientTimeout.V), "short: nobody holds these connections open")
	}
	s.timeout("http-request", "5s", "nor dawdles over a request")
	if len(w.proxy.Pools) > 0 {
		pool := w.proxy.Pools[0].Name.V
		s.add(&parsers.MonitorURI{}, "for keepalived and local checks; answers before any http-request rule",
			types.MonitorURI{URI: "/healthz"})
		s.add(&parsers.MonitorFail{}, "fails when no member is left",
			types.MonitorFail{Condition: "if", ACLList: []string{"{", "nbsrv(" + pool + ")", "lt", "1", "}"}})
	}
	var rules []common.ParserData
	if len(l.Sources) > 0 {
		s.add(&parsers.ACL{}, "who may read all but monitor-uri", sources(l.Sources)...)
		rules = append(rules, &httpactions.Deny{Cond: "unless", CondTest: readers})
	}
	rules = append(rules, &actions.UseService{Name: exporter, Cond: "if", CondTest: "{ path /metrics }"})
	s.add(&http.Requests{}, "the exporter is compiled into most packages", rules...)
	if w.statsPage {
		s.add(&stats.Stats{Mode: "frontend"}, "the status page",
			&settings.OneWord{Name: "enable"}, &settings.URI{Prefix: "/stats"}, &settings.Refresh{Delay: "10s"})
	}
}

// bindWhy is the reason for the addresses of a listener.
func bindWhy(all []topology.Bind) string {
	if slices.ContainsFunc(all, func(b topology.Bind) bool { return b.Addr.V.IsUnspecified() }) {
		return "all addresses: a standby does not have the VIP that it will take over"
	}
	return "no other address is reachable"
}

// exporter is the service that answers with metrics, compiled into most packages of HAProxy.
const exporter = "prometheus-exporter"

// readers is the ACL of those who may read metrics.
const readers = "monitoring"

// sources spells who is admitted. HAProxy reads 64 words a line; lines of one name add up.
func sources(from []topology.Value[netip.Prefix]) []common.ParserData {
	var lines []common.ParserData
	for chunk := range slices.Chunk(from, 32) {
		var nets []string
		for _, n := range chunk {
			nets = append(nets, n.V.String())
		}
		lines = append(lines, types.ACL{Name: readers, Criterion: "src", Value: strings.Join(nets, " ")})
	}
	return lines
}

// binds spells listening addresses. `*` is all of IPv4 only, hence one dual-stack socket where both families are asked
// for.
func binds(all []topology.Bind) []common.ParserData {
	var lines []common.ParserData
	for _, b := range all {
		if !b.Addr.Known() || !b.Port.Known() {
			continue
		}
		port := strconv.Itoa(b.Port.V)
		switch addr := b.Addr.V; {
		case addr == netip.IPv4Unspecified() && has(all, netip.IPv6Unspecified(), b.Port.V):
			lines = append(lines, bind(":::"+port, "v4v6"))
		case addr == netip.IPv4Unspecified():
			lines = append(lines, bind("*:"+port))
		case addr == netip.IPv6Unspecified() && has(all, netip.IPv4Unspecified(), b.Port.V):
			continue // in the line of IPv4
		case addr == netip.IPv6Unspecified():
			lines = append(lines, bind(":::"+port, "v6only"))
		default:
			lines = append(lines, bind(netip.AddrPortFrom(addr, uint16(b.Port.V)).String()))
		}
	}
	return lines
}

func has(all []topology.Bind, addr netip.Addr, port int) bool {
	return slices.ContainsFunc(all, func(b topology.Bind) bool { return b.Addr.V == addr && b.Port.V == port })
}

func bind(address string, flags ...string) types.Bind {
	b := types.Bind{Path: address}
	for _, f := range flags {
		b.Params = append(b.Params, &params.BindOptionWord{Name: f})
	}
	return b
}
