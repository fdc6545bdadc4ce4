package haproxy

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/haproxytech/config-parser/v5/common"
	"github.com/haproxytech/config-parser/v5/params"
	"github.com/haproxytech/config-parser/v5/parsers"
	"github.com/haproxytech/config-parser/v5/parsers/actions"
	"github.com/haproxytech/config-parser/v5/parsers/http"
	httpactions "github.com/haproxytech/config-parser/v5/parsers/http/actions"
	"github.com/haproxytech/config-parser/v5/parsers/tcp"
	"github.com/haproxytech/config-parser/v5/types"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

func (w *writer) backend(pool *topology.Pool) {
	s := w.section("backend", pool.Name.V)
	if w.fragment {
		s.word(&parsers.Mode{}, "tcp", "as the frontend")
		s.add(&parsers.Log{}, logWhy, types.Log{Global: true})
		w.serverSide(s)
		if idle := w.idle(); idle.Known() {
			s.timeout("tunnel", spell(idle.V), "so that no foreign default shortens a watch: it outranks client and server")
		}
	}
	if pool.Balance.Known() {
		s.add(&parsers.Balance{}, "how new connections are spread; gRPC keeps few for long", types.Balance{Algorithm: pool.Balance.V})
	}
	w.method(s, &pool.Check)
	s.add(&parsers.DefaultServer{}, "for all servers; the lines add up", w.defaultServers(pool)...)
	servers := make([]common.ParserData, len(pool.Servers))
	for i := range pool.Servers {
		servers[i] = w.server(pool, &pool.Servers[i])
	}
	s.add(&parsers.Server{}, "the voting members", servers...)
}

// method writes how members are asked. etcd answers GET only; the TCP check is spelled out because a foreign defaults
// section might say something else.
func (w *writer) method(s *part, check *topology.Check) {
	switch check.Kind.V {
	case topology.CheckTCP:
		s.option("tcp-check", "connects only: cannot see a hung member or one without quorum")
		s.add(&tcp.Checks{}, "the whole dialogue", &actions.CheckConnect{})
	case topology.CheckHTTP, topology.CheckHTTPS:
		s.add(&parsers.OptionHttpchk{}, "asks etcd itself: a member that hangs or has no quorum still accepts connections", types.OptionHttpchk{})
		s.add(&http.Checks{}, "GET: etcd answers anything else with 405",
			&httpactions.CheckSend{Method: check.Method.V, URI: check.Path.V},
			&actions.CheckExpect{Match: "status", Pattern: "200"})
	}
}

// defaultServers are the parameters of all servers, one line for each purpose: they add up.
func (w *writer) defaultServers(pool *topology.Pool) []common.ParserData {
	check := &pool.Check
	var lines []common.ParserData
	if w.fragment {
		var plain []params.ServerOption
		if !pool.TLS.V {
			plain = []params.ServerOption{flag("no-ssl")}
		}
		lines = append(lines, types.DefaultServer{
			Params: append(plain,
				flag("no-check-ssl"), flag("no-send-proxy"), flag("no-send-proxy-v2"), flag("no-backup"),
				with("maxconn", "0"),
			),
			Comment: "in case a foreign defaults section says otherwise",
		})
	}
	if check.Plain.V && !w.fragment {
		lines = append(lines, types.DefaultServer{
			Params:  []params.ServerOption{flag("no-check-ssl")},
			Comment: "on purpose: members speak no TLS",
		})
	}
	var when []params.ServerOption
	if check.Port.Known() && (w.fragment || len(pool.Servers) > 0 && check.Port.V != pool.Servers[0].Port.V) {
		when = append(when, with("port", strconv.Itoa(check.Port.V)))
	}
	when = append(when, times("inter", check.Interval)...)
	when = append(when, times("fastinter", check.Fast)...)
	when = append(when, times("downinter", check.Down)...)
	when = append(when, counts("fall", check.Fall)...)
	when = append(when, counts("rise", check.Rise)...)
	lines = append(lines,
		types.DefaultServer{Params: when, Comment: "often, and more often while something changes"},
		types.DefaultServer{
			Params:  []params.ServerOption{with("observe", "layer4"), with("error-limit", "10"), with("on-error", "fastinter")},
			Comment: "failed connections of clients bring the next check forward",
		})
	if pool.CutOnDown.V {
		lines = append(lines, types.DefaultServer{
			Params:  []params.ServerOption{with("on-marked-down", "shutdown-sessions")},
			Comment: "watches move at once instead of hanging on a member known to be down",
		})
	}
	if pool.TLS.V {
		lines = append(lines, types.DefaultServer{
			Params:  append([]params.ServerOption{flag("ssl")}, append(identity(pool.Cert, pool.CA, pool.Verify), with("alpn", "h2"))...),
			Comment: "every client is this certificate to etcd; without ALPN h2 gRPC fails while checks are green",
		})
	}
	if check.Kind.V == topology.CheckHTTPS {
		tls := []params.ServerOption{flag("check-ssl"), with("check-alpn", "http/1.1")}
		if !pool.TLS.V { // else as above
			tls = append(tls, identity(check.Cert, check.CA, check.Verify)...)
		}
		lines = append(lines, types.DefaultServer{Params: tls, Comment: "etcd's health needs TLS; without ALPN http/1.1 it would speak HTTP/2"})
	}
	return lines
}

// identity is what the proxy presents to members and how it verifies them. The key is found beside the certificate.
func identity(cert, ca topology.Value[string], verified topology.Value[bool]) []params.ServerOption {
	var out []params.ServerOption
	if cert.V != "" {
		out = append(out, with("crt", cert.V))
	}
	if ca.V != "" {
		out = append(out, with("ca-file", ca.V))
	}
	verify := "required"
	if verified.Known() && !verified.V {
		verify = "none"
	}
	return append(out, with("verify", verify))
}

func (w *writer) server(pool *topology.Pool, v *topology.Server) types.Server {
	line := types.Server{Name: v.Name.V, Address: net.JoinHostPort(v.Host.V, strconv.Itoa(v.Port.V))}
	var notes []string
	if v.Checked.V {
		line.Params = append(line.Params, flag("check"))
	}
	if pool.Check.Kind.V == topology.CheckHTTPS || pool.TLS.V {
		if v.VerifyHost.Known() {
			line.Params = append(line.Params, with("verifyhost", v.VerifyHost.V))
		} else {
			notes = append(notes, "no verifyhost: it never matches an address, and the spec gives no hostname")
		}
	}
	if v.Drain.V {
		line.Params = append(line.Params, with("weight", "0"))
		notes = append(notes, "drained: no new connection")
	}
	line.Comment = strings.Join(notes, "; ")
	return line
}

func times(name string, v topology.Value[time.Duration]) []params.ServerOption {
	if !v.Known() {
		return nil
	}
	return []params.ServerOption{with(name, spell(v.V))}
}

func counts(name string, v topology.Value[int]) []params.ServerOption {
	if !v.Known() {
		return nil
	}
	return []params.ServerOption{with(name, strconv.Itoa(v.V))}
}
