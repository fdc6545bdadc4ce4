package verify

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

// judge turns what was seen into lines. It knows neither network nor clock.
type judge struct {
	now         time.Time
	roots       *x509.CertPool
	certificate *tls.Certificate
	book        map[uint64]string   // names of members, as etcd lists them
	cluster     uint64              // that the members are of; 0: not known
	where       map[uint64][]string // endpoints of members at which a member answers
	named       []string            // members that are dialed by name
	shown       map[string]string   // endpoint of a member, by the certificate that it serves
	failed      map[string]bool     // lines of members, by endpoint and check
}

// learn takes in what all endpoints say together.
func (j *judge) learn(endpoints []Endpoint, all []seen) {
	j.where, j.shown, j.failed = map[uint64][]string{}, map[string]string{}, map[string]bool{}
	clusters := map[uint64]int{}
	for i, e := range endpoints {
		if e.Role == Member {
			j.named = append(j.named, e.Name)
			if chain := all[i].served.chain; len(chain) > 0 {
				j.shown[string(chain[0].Raw)] = e.Label()
			}
		}
		for _, a := range all[i].answers {
			if a.member == 0 {
				continue
			}
			clusters[a.cluster]++
			if e.Role == Member {
				clusters[a.cluster] += len(all) * 10 // a member's word counts for more than what a load balancer leads to
				j.where[a.member] = append(j.where[a.member], e.Label())
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(clusters)) {
		if clusters[id] > clusters[j.cluster] {
			j.cluster = id
		}
	}
}

// endpoints are the lines of all endpoints. Members are judged first: what is a member's fault is said of it alone, not
// of a load balancer that leads there, too.
func (j *judge) endpoints(endpoints []Endpoint, all []seen) []Line {
	lines := make([][]Line, len(endpoints))
	for _, role := range []Role{Member, Balancer} {
		for i, e := range endpoints {
			if e.Role != role {
				continue
			}
			lines[i] = j.endpoint(e, all[i])
			for _, l := range lines[i] {
				j.failed[e.Label()+l.Check] = l.Result == Fail
			}
		}
	}
	return slices.Concat(lines...)
}

// endpoint are the lines of one endpoint, in the order in which a client meets what they are about.
func (j *judge) endpoint(e Endpoint, s seen) []Line {
	if s.connect != nil {
		return []Line{unreachable(e, s.connect)}
	}
	lines := []Line{e.line("connect", Pass, "accepts connections", "")}
	if e.TLS {
		lines = append(lines, j.encryption(e, s.served)...)
	}
	if s.usable() {
		if e.Role == Balancer {
			lines = append(lines, j.behind(e, s.answers))
		} else {
			lines = append(lines, j.member(e, s.answers[0]))
		}
	}
	if e.Role == Balancer {
		return append(lines, peerPort(e, s.open))
	}
	return append(lines, healthy(e, s.health, s.silent()))
}

func unreachable(e Endpoint, err error) Line {
	why, hint := err.Error(), ""
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		why = "its name cannot be resolved (" + dns.Err + ")"
		hint = "add " + dns.Name + " to DNS, or ask from a machine that knows it"
	case errors.Is(err, syscall.ECONNREFUSED):
		why = "it refuses connections"
		hint = "is it running and listening there? A firewall may refuse this machine"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		why = "it does not answer"
		hint = "its machine is down, or a firewall drops what comes from here"
	}
	harm := "so every client fails"
	if e.Role == Member {
		harm = "so one more failure may cost the quorum, unless only this machine is kept out"
		if hint != "" {
			hint += "; clients.direct says who may dial members"
		}
	}
	return e.line("connect", Fail, fmt.Sprintf("%s, %s; need %s to accept connections", why, harm, e.Address), hint)
}

// member judges what etcd says at a member's own address.
func (j *judge) member(e Endpoint, a answer) Line {
	const check = "etcd"
	name := j.name(a.member)
	switch {
	case a.denied:
		return e.line(check, Pass, "etcd answers, and knows who asks: permission denied", "")
	case a.err != nil:
		return e.line(check, Fail, fmt.Sprintf("etcd does not answer a read (%v), so clients hang; need a member with a quorum", a.err),
			"see etcd's log there, and its peers")
	case j.cluster != a.cluster:
		return e.line(check, Fail, fmt.Sprintf("%s is a member of another cluster (%x) than the others (%x), so its clients see "+
			"other data; need one cluster", name, a.cluster, j.cluster), "see the address, and the member's --initial-cluster")
	case len(j.where[a.member]) > 1:
		return e.line(check, Fail, fmt.Sprintf("one member, %s, answers at %s; need another one at each address", name,
			strings.Join(j.where[a.member], " and ")), "see the addresses in the spec")
	case j.book[a.member] != e.Name && slices.Contains(j.named, j.book[a.member]):
		return e.line(check, Fail, fmt.Sprintf("%s answers, which has another address in the spec; need %s", name, e.Name),
			"swap the addresses in the spec")
	}
	if l, bad := j.troubled(e, a, name); bad {
		return l
	}
	return e.line(check, Pass, "etcd "+a.version+" answers as "+name, "")
}

// troubled judges what etcd says of itself.
func (j *judge) troubled(e Endpoint, a answer, name string) (Line, bool) {
	if a.leader == 0 {
		return e.line("etcd", Fail, name+" sees no leader, so it refuses writes and reads; need a quorum of members", "see the other members"), true
	}
	own := j.own(e, a)
	if len(own) == 0 {
		return Line{}, false
	}
	return e.line("etcd", Fail, fmt.Sprintf("%s reports %s, so the whole cluster may refuse writes; need none", name, strings.Join(own, ", ")),
		"etcdctl alarm list; of NOSPACE: compact, defrag each member directly, then etcdctl alarm disarm"), true
}

var raisedBy = pattern.New(`^memberID:(\d+) `)

// own are the problems of an answer that are not said of another endpoint: each member tells all alarms.
func (j *judge) own(e Endpoint, a answer) []string {
	var out []string
	for _, p := range a.problems {
		if m := raisedBy.FindStringSubmatch(p); m != nil {
			id, err := strconv.ParseUint(m[1], 10, 64)
			if err == nil && (e.Role == Balancer || id != a.member) && len(j.where[id]) > 0 {
				continue
			}
			p = strings.TrimPrefix(p, m[0])
		}
		out = append(out, strings.TrimSpace(p))
	}
	return out
}

// behind judges who answers through a load balancer, on one connection after the other.
func (j *judge) behind(e Endpoint, answers []answer) Line {
	const check = "etcd"
	met := map[string]int{}
	for _, a := range answers {
		name := j.name(a.member)
		switch {
		case a.denied:
			return e.line(check, Pass, "etcd answers, and knows who asks: permission denied", "")
		case a.err != nil:
			return e.line(check, Fail, fmt.Sprintf("connection %d of %d gets no answer from etcd (%v), so clients fail; need only members that are well behind it",
				slices.IndexFunc(answers, func(o answer) bool { return o.err != nil })+1, len(answers), a.err),
				"see the health of the members below, and whether the load balancer checks it")
		case j.cluster != a.cluster:
			return e.line(check, Fail, fmt.Sprintf("it leads to another cluster (%x) than that of the members (%x), so clients see other data; need one cluster",
				a.cluster, j.cluster), "see the servers in the load balancer's configuration")
		case a.learner:
			return e.line(check, Fail, fmt.Sprintf("it leads to the learner %s, which answers no client; need voting members", name),
				"take the learner out of the load balancer")
		}
		if l, bad := j.troubled(e, a, name); bad {
			return l
		}
		met[name]++
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(met)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, met[name]))
	}
	return e.line(check, Pass, fmt.Sprintf("etcd answers on %d of %d connections: %s", len(answers), len(answers), strings.Join(parts, ", ")), "")
}

// name is a member's, or what etcd has instead.
func (j *judge) name(id uint64) string {
	return cmp.Or(j.book[id], fmt.Sprintf("member %x", id))
}

// healthy judges the health check. Of a member that answers no client, silent, it must fail.
func healthy(e Endpoint, h checked, silent bool) Line {
	const check = "health"
	url, got := e.Health.URL, h.tell(e.Health)
	switch {
	case url == "":
		return e.line(check, Skip, e.Health.None, "")
	case h.status == 200 && silent:
		return e.line(check, Fail, got+" though the member answers no client, so the load balancer leads clients to it; need a check that "+
			"fails with the member", "check a path that asks for the quorum: /readyz, before etcd 3.5.11 /health?exclude=NOSPACE")
	case h.status == 200:
		return e.line(check, Pass, got, "")
	case silent:
		return e.line(check, Skip, got+", so the load balancer takes out a member that answers no client: see above", "")
	}
	hint := "404 is an etcd without that path, 415 one with --listen-client-http-urls; else see the member's log"
	switch {
	case errors.Is(h.err, context.DeadlineExceeded):
		hint = "the member has no quorum or hangs, or a firewall drops what comes from here"
	case h.err != nil:
		hint = "does etcd listen there (--listen-metrics-urls), and may this machine ask? The load balancer's machines and monitoring may"
	}
	return e.line(check, Fail, got+", so the load balancer takes it out; need 200", hint)
}

// tell is what happened.
func (h checked) tell(asked Health) string {
	switch {
	case errors.Is(h.err, context.DeadlineExceeded):
		return fmt.Sprintf("GET %s has no answer within %s", asked.URL, asked.Timeout)
	case h.err != nil:
		return fmt.Sprintf("GET %s fails (%v)", asked.URL, h.err)
	}
	return strings.TrimSpace(fmt.Sprintf("GET %s answers %d %s", asked.URL, h.status, h.body))
}

func peerPort(e Endpoint, open bool) Line {
	const check = "peer-port"
	switch {
	case e.Peer == "":
		return e.line(check, Skip, e.NoPeer, "")
	case open:
		return e.line(check, Fail, e.Peer+" accepts connections, so members' own traffic can pass the load balancer, and a certificate "+
			"check of peers fails or is void; need the peer port closed there", "take the listener for the peer port out of the load balancer")
	}
	return e.line(check, Pass, e.Peer+" is closed", "")
}
