package verify

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/schema/lower/lowertest"
)

const spec = `
cluster: {
	name: "prod", version: "3.6.4"
	members: {
		"etcd-1": {address: "10.0.1.10", hostname: "etcd-1.example.com"}
		"etcd-2": address: "10.0.1.11"
		"etcd-3": {address: "10.0.1.12", learner: true}
	}
	metrics: port: 2381
}
loadBalancer: {host: "lb.example.com", vip: "10.0.1.100", aliases: ["etcd.kube-system.svc"]}
`

// A spec says what is dialed, and what each certificate must hold.
func TestPlanOfSpec(t *testing.T) {
	top, _ := lowertest.Topology(t, spec, "haproxy")
	p := Of(top)
	dialed := []string{"lb.example.com", "10.0.1.100", "etcd.kube-system.svc"}
	balancer := func(host string) Endpoint {
		return Endpoint{Role: Balancer, URL: "https://" + host + ":2379", Address: host + ":2379", TLS: true, Holds: dialed, Peer: host + ":2380"}
	}
	member := func(name, host string, holds []string, h Health) Endpoint {
		return Endpoint{Role: Member, Name: name, URL: "https://" + host + ":2379", Address: host + ":2379", TLS: true, Holds: holds, Health: h}
	}
	ready := func(host string) Health { return Health{URL: "http://" + host + ":2381/readyz", Timeout: time.Second} }
	learner := member("etcd-3", "10.0.1.12", []string{"10.0.1.12"}, Health{None: "a learner is never behind the load balancer"})
	learner.Learner = true
	want := Plan{Cluster: "prod", Endpoints: []Endpoint{
		balancer("lb.example.com"), balancer("10.0.1.100"),
		member("etcd-1", "10.0.1.10", append([]string{"10.0.1.10", "etcd-1.example.com"}, dialed...), ready("10.0.1.10")),
		member("etcd-2", "10.0.1.11", append([]string{"10.0.1.11"}, dialed...), ready("10.0.1.11")),
		learner,
	}}
	if diff := cmp.Diff(want, p, cmp.AllowUnexported(Plan{})); diff != "" {
		t.Error(diff)
	}
}

// Where a member's own peer port would be met, nothing is asked of the load balancer's.
func TestPlanWithoutPeerPort(t *testing.T) {
	for name, text := range map[string]string{
		"on members' machines": strings.Replace(spec, "loadBalancer: {", `loadBalancer: {port: 2390, nodes: n: address: "10.0.1.10", `, 1),
		"on loopback":          strings.Replace(spec, "loadBalancer: {host: \"lb.example.com\", vip: \"10.0.1.100\"", `loadBalancer: {host: "127.0.0.1.nip", vip: "127.0.0.1", placement: "local", port: 2390`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			top, _ := lowertest.Topology(t, text, "haproxy")
			for _, e := range Of(top).Endpoints {
				if a, _, _ := net.SplitHostPort(e.Address); e.Role == Balancer && (name == "on members' machines" || a == "127.0.0.1") && (e.Peer != "" || e.NoPeer == "") {
					t.Errorf("%+v", e)
				}
			}
		})
	}
}

func TestPlanOfURLs(t *testing.T) {
	p, err := FromURLs([]string{"https://lb:2390", "10.0.0.1:2379", "http://[fd00::1]"})
	if err != nil {
		t.Fatal(err)
	}
	var urls, peers []string
	for _, e := range p.Endpoints {
		urls, peers = append(urls, e.URL), append(peers, e.Peer)
	}
	if diff := cmp.Diff([]string{"https://lb:2390", "https://10.0.0.1:2379", "http://[fd00::1]:2379"}, urls); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"lb:2380", "10.0.0.1:2380", "[fd00::1]:2380"}, peers); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"ftp://lb", "https://", "a b", "unix://etcd.sock"} {
		if _, err := FromURLs([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	p.add([]listedMember{
		{name: "b", urls: []string{"https://10.0.0.2:2379"}}, {name: "a", urls: []string{"https://lb:2390"}}, {name: "new"},
	})
	if n := len(p.Endpoints); n != 4 || p.Endpoints[3].Name != "b" {
		t.Errorf("of members, one that advertises the load balancer and one that has not started are none: %+v", p.Endpoints[3:])
	}
}

func TestUnreachable(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		says string
	}{
		"refused":      {&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "it refuses connections, so every client fails"},
		"timeout":      {&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "it does not answer"},
		"own deadline": {context.DeadlineExceeded, "it does not answer"},
		"name":         {&net.DNSError{Err: "no such host", Name: "lb"}, "its name cannot be resolved (no such host)"},
		"other":        {errors.New("network is unreachable"), "network is unreachable, so"},
	} {
		l := unreachable(Endpoint{Role: Balancer, Address: "lb:2379"}, tc.err)
		if l.Result != Fail || !strings.HasPrefix(l.Reason, tc.says) || !strings.HasSuffix(l.Reason, "need lb:2379 to accept connections") {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// What etcd says is judged with what it says at the other endpoints.
func TestEtcdAnswers(t *testing.T) {
	good := answer{member: 1, cluster: 7, version: "3.6.4", leader: 1}
	other := answer{member: 2, cluster: 7, version: "3.6.4", leader: 1}
	with := func(a answer, change func(*answer)) answer { change(&a); return a }
	endpoints := []Endpoint{{Role: Balancer}, {Role: Member, Name: "etcd-1"}, {Role: Member, Name: "etcd-2"}}
	for name, tc := range map[string]struct {
		through       []answer
		first, second answer
		at            int
		result        Result
		says          string
	}{
		"member":           {nil, good, other, 1, Pass, "etcd 3.6.4 answers as etcd-1"},
		"balancer":         {[]answer{good, other, good}, good, other, 0, Pass, "etcd answers on 3 of 3 connections: etcd-1 2, etcd-2 1"},
		"one of three":     {[]answer{good, {err: errors.New("deadline")}, good}, good, other, 0, Fail, "connection 2 of 3 gets no answer from etcd (deadline)"},
		"another cluster":  {[]answer{with(good, func(a *answer) { a.cluster = 9 })}, good, other, 0, Fail, "it leads to another cluster (9) than that of the members (7)"},
		"learner behind":   {[]answer{with(good, func(a *answer) { a.learner = true })}, good, other, 0, Fail, "it leads to the learner etcd-1"},
		"denied":           {[]answer{{denied: true}}, good, other, 0, Pass, "etcd answers, and knows who asks: permission denied"},
		"denied at member": {nil, answer{denied: true, err: errors.New("user name is empty")}, other, 1, Pass, "etcd answers, and knows"},
		"no leader":        {nil, with(good, func(a *answer) { a.leader = 0 }), other, 1, Fail, "etcd-1 sees no leader"},
		"alarm":            {nil, with(good, func(a *answer) { a.problems = []string{"memberID:1 alarm:NOSPACE "} }), other, 1, Fail, "etcd-1 reports alarm:NOSPACE, so the whole cluster"},
		"another's alarm":  {nil, with(good, func(a *answer) { a.problems = []string{"memberID:2 alarm:NOSPACE "} }), other, 1, Pass, "etcd 3.6.4 answers as etcd-1"},
		"unknown's alarm":  {nil, with(good, func(a *answer) { a.problems = []string{"memberID:3 alarm:NOSPACE "} }), other, 1, Fail, "etcd-1 reports alarm:NOSPACE"},
		"silent":           {nil, answer{err: errors.New("deadline")}, other, 1, Fail, "etcd does not answer a read (deadline)"},
		"swapped":          {nil, other, good, 1, Fail, "etcd-2 answers, which has another address in the spec; need etcd-1"},
		"twice the same":   {nil, good, good, 2, Fail, "one member, etcd-1, answers at member etcd-1 and member etcd-2"},
		"in two clusters":  {nil, good, with(other, func(a *answer) { a.cluster = 9 }), 2, Fail, "etcd-2 is a member of another cluster (9) than the others (7)"},
	} {
		t.Run(name, func(t *testing.T) {
			all := []seen{{answers: tc.through}, {answers: []answer{tc.first}}, {answers: []answer{tc.second}}}
			j := judge{book: map[uint64]string{1: "etcd-1", 2: "etcd-2"}}
			j.learn(endpoints, all)
			var l Line
			if tc.at == 0 {
				l = j.behind(endpoints[0], tc.through)
			} else {
				l = j.member(endpoints[tc.at], all[tc.at].answers[0])
			}
			if l.Result != tc.result || !strings.HasPrefix(l.Reason, tc.says) {
				t.Errorf("%s %s\nwant %s %s", l.Result, l.Reason, tc.result, tc.says)
			}
		})
	}
}

func TestHealth(t *testing.T) {
	e := Endpoint{Role: Member, Health: Health{URL: "http://m:2381/readyz", Timeout: time.Second}}
	for name, tc := range map[string]struct {
		got    checked
		result Result
		says   string
		silent bool
	}{
		"well":    {checked{status: 200}, Pass, "GET http://m:2381/readyz answers 200", false},
		"ill":     {checked{status: 503, body: "{\"health\":\"false\"}\n"}, Fail, `GET http://m:2381/readyz answers 503 {"health":"false"}, so the load balancer takes it out`, false},
		"slow":    {checked{err: context.DeadlineExceeded}, Fail, "GET http://m:2381/readyz has no answer within 1s", false},
		"refused": {checked{err: errors.New("connection refused")}, Fail, "GET http://m:2381/readyz fails (connection refused)", false},
		"a lie":   {checked{status: 200}, Fail, "GET http://m:2381/readyz answers 200 though the member answers no client", true},
		"a truth": {checked{status: 503}, Skip, "GET http://m:2381/readyz answers 503, so the load balancer takes out a member", true},
	} {
		if l := healthy(e, tc.got, tc.silent); l.Result != tc.result || !strings.HasPrefix(l.Reason, tc.says) {
			t.Errorf("%s: %+v", name, l)
		}
	}
	e.Health = Health{None: "the load balancer's check only connects"}
	if l := healthy(e, checked{}, false); l.Result != Skip || l.Reason != e.Health.None {
		t.Errorf("%+v", l)
	}
}

func TestHandshakes(t *testing.T) {
	e := Endpoint{Role: Balancer}
	for name, tc := range map[string]struct {
		line   Line
		result Result
		says   string
	}{
		"HTTP/2 not agreed on": {spoken(e, served{version: 0x304}), Fail, "TLS 1.3, but not HTTP/2"},
		"HTTP/2":               {spoken(e, served{version: 0x304, protocol: "h2"}), Pass, "speaks TLS 1.3 and HTTP/2"},
		"hung":                 {noHandshake(e, context.DeadlineExceeded), Fail, "no TLS handshake: it accepts connections and says nothing"},
		"closed":               {noHandshake(e, io.EOF), Fail, "no TLS handshake: the connection is closed in the middle"},
		"closed after it":      {(&judge{}).refused(e, io.EOF), Fail, "the connection is closed after the TLS handshake"},
		"silent after it":      {(&judge{}).refused(e, os.ErrDeadlineExceeded), Fail, "nothing comes after the TLS handshake"},
		"no certificate, h2":   {(&judge{}).refused(e, plain(fmt.Errorf("unexpected HTTP status code received from server: 400 (Bad Request); transport: x\n<html>"))), Fail, "a client without certificate is refused (HTTP status 400 Bad Request); need one of the CA"},
		"no certificate":       {(&judge{}).refused(e, errors.New("certificate required")), Fail, "a client without certificate is refused (certificate required)"},
	} {
		if tc.line.Result != tc.result || !strings.HasPrefix(tc.line.Reason, tc.says) {
			t.Errorf("%s: %+v", name, tc.line)
		}
	}
}

func TestWatchAndLatency(t *testing.T) {
	j, e := &judge{}, Endpoint{Role: Balancer}
	minute := time.Minute
	for name, tc := range map[string]struct {
		line   Line
		result Result
		says   string
	}{
		"quiet":         {j.watch(e, watched{began: true, idle: minute}), Pass, "a watch that was quiet for 1m0s still answers"},
		"cut":           {j.watch(e, watched{began: true, idle: minute, cut: 30 * time.Second}), Fail, "the connection of a quiet watch is cut after 30s"},
		"forgotten":     {j.watch(e, watched{began: true, idle: minute, err: context.DeadlineExceeded}), Fail, "a watch that was quiet for 1m0s answers no more"},
		"written":       {j.watch(e, watched{began: true, idle: minute, events: 3}), Skip, "3 events came within 1m0s"},
		"never":         {j.watch(e, watched{err: errors.New("no")}), Fail, "no watch comes about (no)"},
		"denied":        {j.watch(e, watched{denied: true}), Skip, "etcd does not let this client watch"},
		"latency":       {j.latency(e, latencies{member: "member a", through: []time.Duration{3e6, 1e6, 2e6}, direct: []time.Duration{1e6}}), Pass, "a read takes 2.00 ms, at member a directly 1.00 ms"},
		"read denied":   {j.latency(e, latencies{err: errDenied}), Skip, "etcd does not let this client read"},
		"read fails":    {j.latency(e, latencies{err: errors.New("no")}), Fail, "a read fails (no)"},
		"other members": {j.latency(e, latencies{err: errNoMember}), Skip, "the member that answers is none"},
	} {
		if tc.line.Result != tc.result || !strings.HasPrefix(tc.line.Reason, tc.says) {
			t.Errorf("%s: %+v", name, tc.line)
		}
	}
}

// A bad certificate of one member is said of that member, and not again of the load balancer that leads there.
func TestCertificateBehindLoadBalancer(t *testing.T) {
	now := time.Now()
	of := func(name string, until time.Time) served {
		return served{chain: []*x509.Certificate{{Raw: []byte(name), Subject: pkix.Name{CommonName: name}, NotAfter: until, DNSNames: []string{"lb"}}}}
	}
	endpoints := []Endpoint{{Role: Balancer, TLS: true, Holds: []string{"lb"}}, {Role: Member, Name: "etcd-1", TLS: true, Holds: []string{"lb"}}}
	for name, tc := range map[string]struct {
		through, direct served
		results         map[string]Result // of expiry, by target
	}{
		"the member's": {of("old", now.Add(-time.Hour)), of("old", now.Add(-time.Hour)), map[string]Result{"load balancer": Skip, "member etcd-1": Fail}},
		"its own":      {of("old", now.Add(-time.Hour)), of("new", now.Add(time.Hour)), map[string]Result{"load balancer": Fail, "member etcd-1": Pass}},
	} {
		all := []seen{{served: tc.through}, {served: tc.direct}}
		for i := range all { // no more is asked
			all[i].served.refused = io.EOF
		}
		j := judge{now: now}
		j.learn(endpoints, all)
		got := map[string]Result{}
		for _, l := range j.endpoints(endpoints, all) {
			if l.Check == "expiry" {
				got[l.Target] = l.Result
			}
		}
		if diff := cmp.Diff(tc.results, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
