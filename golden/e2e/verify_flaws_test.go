//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	refuses    = "it refuses connections"
	closes     = "no TLS handshake: the connection is closed"
	isSilent   = "gets no answer from etcd"
	noCert     = "a client without certificate is refused"
	isRefused  = "the client's certificate is refused"
	anyMember  = "member etcd-[123]/"
	everywhere = "(load balancer|" + "member etcd-[123])/"
)

// flaws are in no order that matters. HAProxy is given the time to see each; NGINX has no way to see most.
var flaws = []flaw{
	{
		name:  "member killed",
		make:  func(a *auditor) func() { return a.down(a.Members[1]) },
		fails: map[string]string{"member etcd-2/connect": refuses},
	},
	{
		name:  "member hung",
		make:  stopped,
		fails: map[string]string{"member etcd-2/tls": "it accepts connections and says nothing"},
		nginx: map[string]string{"member etcd-2/tls": "it accepts connections and says nothing", "load balancer/(tls|etcd|latency)": ""},
	},
	{
		name:  "member cut off",
		make:  unreachable,
		fails: map[string]string{"member etcd-2/connect": "it does not answer"},
	},
	{
		name:  "member without quorum",
		make:  alone,
		fails: map[string]string{"member etcd-2/etcd": "etcd does not answer a read"},
		nginx: map[string]string{"member etcd-2/etcd": "etcd does not answer a read", "load balancer/etcd": isSilent},
	},
	{
		name:  "no quorum",
		make:  func(a *auditor) func() { return a.down(a.Members[1:]...) },
		fails: map[string]string{"member etcd-[23]/connect": refuses, "member etcd-1/etcd": "etcd does not answer a read", "load balancer/tls": closes},
		nginx: map[string]string{"member etcd-[23]/connect": refuses, "member etcd-1/etcd": "etcd does not answer a read", "load balancer/etcd": isSilent},
	},
	{
		name:  "all members down",
		make:  func(a *auditor) func() { return a.down(a.Members...) },
		fails: map[string]string{anyMember + "connect": refuses, "load balancer/tls": closes},
	},
	{
		name:  "space alarm",
		make:  func(a *auditor) func() { return a.alarm(a.Members[1]) },
		fails: map[string]string{"member etcd-2/etcd": "etcd-2 reports alarm:NOSPACE"},
	},
	{
		name:  "health endpoint that fails on an alarm of any member",
		make:  func(a *auditor) func() { return a.alarm(a.Members[1]) },
		args:  func(a *auditor) []string { return []string{a.cue(`loadBalancer: healthCheck: path: "/health"`)} },
		fails: map[string]string{"member etcd-2/etcd": "etcd-2 reports alarm:NOSPACE", anyMember + "health": "/health answers 503"},
	},
	{
		name:  "health check that cannot see a lost quorum",
		make:  alone,
		args:  func(a *auditor) []string { return []string{a.cue(`loadBalancer: healthCheck: path: "/livez"`)} },
		fails: map[string]string{"member etcd-2/etcd": "etcd does not answer a read", "member etcd-2/health": "answers 200 ok though the member answers no client"},
		nginx: map[string]string{
			"member etcd-2/etcd": "etcd does not answer a read", "member etcd-2/health": "answers 200 ok though the member answers no client",
			"load balancer/etcd": isSilent,
		},
	},
	{
		name:  "certificate without the load balancer's name",
		make:  certified(func(p *PKI) { p.Issue("etcd-2", memberNames(1)[1:]...) }),
		fails: map[string]string{"member etcd-2/names": `the served certificate "etcd-2" lacks ` + lbHost},
	},
	{
		name:  "expired certificate",
		make:  certified(func(p *PKI) { p.IssueFor("etcd-2", time.Now().Add(-2*time.Hour), time.Hour, memberNames(1)...) }),
		fails: map[string]string{"member etcd-2/expiry": `the certificate "etcd-2" expired on `},
	},
	{
		name:  "certificate that is not yet valid",
		make:  certified(func(p *PKI) { p.IssueFor("etcd-2", time.Now().Add(time.Hour), time.Hour, memberNames(1)...) }),
		fails: map[string]string{"member etcd-2/expiry": `the certificate "etcd-2" is not valid before `},
	},
	{
		name: "certificate of another CA",
		make: certified(func(p *PKI) {
			other := otherCA(p)
			other.Issue("etcd-2", memberNames(1)...)
			for _, file := range []string{"etcd-2.crt", "etcd-2.crt.key"} {
				if err := os.Rename(other.Path(file), p.Path(file)); err != nil {
					p.t.Fatal(err)
				}
			}
		}),
		fails: map[string]string{"member etcd-2/chain": `the served certificate "etcd-2" is not to be trusted`},
	},
	{
		name:  "CA that signed nothing here",
		args:  func(a *auditor) []string { return shows(otherCA(a.PKI).Path("ca.crt"), a.PKI.Path("client.crt")) },
		fails: map[string]string{anyMember + "chain": "is not to be trusted"},
	},
	{
		name:  "client without certificate",
		args:  func(a *auditor) []string { return []string{"--cacert", a.PKI.Path("ca.crt")} },
		fails: map[string]string{everywhere + "client-cert": noCert},
	},
	{
		name: "client of another CA",
		args: func(a *auditor) []string {
			other := otherCA(a.PKI)
			other.Issue("client")
			return shows(a.PKI.Path("ca.crt"), other.Path("client.crt"))
		},
		fails: map[string]string{everywhere + "client-cert": isRefused},
	},
	{
		name: "client with an expired certificate",
		args: func(a *auditor) []string {
			a.PKI.IssueFor("expired", time.Now().Add(-2*time.Hour), time.Hour)
			return shows(a.PKI.Path("ca.crt"), a.PKI.Path("expired.crt"))
		},
		fails: map[string]string{"this client/expiry": `the certificate "expired" expired on `, everywhere + "client-cert": isRefused},
	},
	{
		name:   "user without rights",
		make:   authenticated,
		args:   func(*auditor) []string { return []string{"--watch-for", "1s"} },
		passes: map[string]string{everywhere + "etcd": "etcd answers, and knows who asks: permission denied"},
	},
	{
		name:  "peer port through the load balancer",
		make:  leaky,
		fails: map[string]string{"load balancer/peer-port": ":2380 accepts connections"},
	},
	{
		name: "load balancer that cuts quiet connections",
		make: func(a *auditor) func() {
			ends := []func(){
				a.reconfigured(a.haproxy, `(?m)^( +timeout (?:client|server|tunnel) +)\w+$`, "${1}1s"),
				a.reconfigured(a.nginx, `(proxy_timeout )\w+;`, "${1}1s;"),
			}
			return func() { ends[0](); ends[1]() }
		},
		args:  func(*auditor) []string { return []string{"--watch-for", "3s"} },
		fails: map[string]string{"load balancer/watch": "the connection of a quiet watch is cut after 1"},
	},
	{
		name: "load balancer that does not listen",
		make: func(a *auditor) func() {
			a.haproxy.Stop()
			a.nginx.Stop()
			return func() { a.restart(a.haproxy); a.restart(a.nginx) }
		},
		fails: map[string]string{"load balancer/connect": refuses},
	},
	{
		name: "name that does not resolve",
		args: func(a *auditor) []string {
			return append(shows(a.PKI.Path("ca.crt"), a.PKI.Path("client.crt")), "--endpoint", "https://nosuch.rig.test:2379")
		},
		fails: map[string]string{"load balancer/connect": "its name cannot be resolved"},
	},
}

// terminationFlaws are those of load balancers that end the clients' TLS.
var terminationFlaws = []flaw{
	{
		name:  "load balancer's certificate without its name",
		make:  presented(func(p *PKI) { p.Issue("lb", vip) }),
		fails: map[string]string{"load balancer/names": `the served certificate "lb" lacks ` + lbHost},
	},
	{
		name:  "load balancer's certificate expired",
		make:  presented(func(p *PKI) { p.IssueFor("lb", time.Now().Add(-2*time.Hour), time.Hour, lbHost, vip) }),
		fails: map[string]string{"load balancer/expiry": `the certificate "lb" expired on `},
	},
	{
		name:  "client without certificate",
		args:  func(a *auditor) []string { return []string{"--cacert", a.PKI.Path("ca.crt")} },
		fails: map[string]string{everywhere + "client-cert": noCert},
	},
	{
		name:  "all members down",
		make:  func(a *auditor) func() { return a.down(a.Members...) },
		fails: map[string]string{anyMember + "connect": refuses, "load balancer/etcd": "the connection is closed after the TLS handshake"},
		nginx: map[string]string{anyMember + "connect": refuses, "load balancer/etcd": isSilent + " (HTTP status 502 Bad Gateway)"},
	},
}

// presented gives the load balancers another certificate.
func presented(issue func(*PKI)) func(*auditor) func() {
	return func(a *auditor) func() {
		use := func() {
			a.restart(a.haproxy)
			a.settle()
		}
		issue(a.PKI)
		use()
		return func() {
			a.PKI.Issue("lb", lbHost, vip)
			use()
		}
	}
}

// memberNames are what a member's certificate holds, the load balancer's name first.
func memberNames(i int) []string {
	return []string{lbHost, vip, memberAddr(i), memberAddr6(i), "127.0.0.1", "::1", "localhost", memberName(i) + ".rig.test"}
}

// shows are verify's flags for a CA and a client's certificate.
func shows(ca, cert string) []string {
	return []string{"--cacert", ca, "--cert", cert, "--key", cert + ".key"}
}

// otherCA is an authority that nobody trusts.
func otherCA(p *PKI) *PKI {
	p.t.Helper()
	dir, err := os.MkdirTemp(p.dir, "other-")
	if err != nil {
		p.t.Fatal(err)
	}
	return newPKI(p.t, filepath.Join(dir, "pki"))
}

// cue is a file with one more line of the spec.
func (a *auditor) cue(line string) string {
	a.Helper()
	path := filepath.Join(a.Dir, "more.cue")
	if err := os.WriteFile(path, []byte(line), 0o644); err != nil {
		a.Fatal(err)
	}
	return path
}

// down kills members.
func (a *auditor) down(members ...*Member) func() {
	for _, m := range members {
		m.Kill()
	}
	// HAProxy takes out whoever has no quorum, too.
	gone := members
	if len(members) > 1 {
		gone = a.Members
	}
	for _, m := range gone {
		a.thinks(m, "DOWN")
	}
	return func() {
		for _, m := range members {
			m.Restart()
		}
	}
}

// The flaws of the second member.

func stopped(a *auditor) func() {
	m := a.Members[1]
	m.Signal(syscall.SIGSTOP)
	a.thinks(m, "DOWN")
	return func() { m.Signal(syscall.SIGCONT) }
}

func unreachable(a *auditor) func() {
	set := "{ " + nodeAddr(0) + ", " + nodeAddr(1) + ", " + operatorAddr + " }"
	end := a.Members[1].drop("ip saddr "+set, "ip daddr "+set)
	a.thinks(a.Members[1], "DOWN")
	return end
}

func alone(a *auditor) func() {
	end := a.Members[1].drop("tcp dport 2380", "tcp sport 2380")
	a.thinks(a.Members[1], "DOWN")
	return end
}

// certified gives it another certificate, which it reads anew for each connection.
func certified(issue func(*PKI)) func(*auditor) func() {
	return func(a *auditor) func() {
		issue(a.PKI)
		return func() { a.PKI.Issue("etcd-2", memberNames(1)...) }
	}
}

// alarm raises a member's space alarm.
func (a *auditor) alarm(m *Member) func() {
	a.Helper()
	does := func(what pb.AlarmRequest_AlarmAction) {
		a.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		cli := a.Direct(m.Host, m)
		defer cli.Close()
		_, err := pb.NewMaintenanceClient(cli.ActiveConnection()).Alarm(ctx, &pb.AlarmRequest{Action: what, MemberID: m.id, Alarm: pb.AlarmType_NOSPACE})
		if err != nil {
			a.Fatal(err)
		}
	}
	does(pb.AlarmRequest_ACTIVATE)
	return func() { does(pb.AlarmRequest_DEACTIVATE) }
}

// authenticated turns etcd's own authentication on. It knows the client as a user, who may read nothing.
func authenticated(a *auditor) func() {
	a.Helper()
	a.PKI.Issue("root")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	root := a.directAs("root", a.Members[0].Host, a.Members[0])
	named := &clientv3.UserAddOptions{NoPassword: true}
	_, err1 := root.UserAddWithOptions(ctx, "root", "", named)
	_, err2 := root.UserGrantRole(ctx, "root", "root")
	_, err3 := root.UserAddWithOptions(ctx, "client", "", named)
	_, err4 := root.AuthEnable(ctx)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		a.Fatal(err)
	}
	return func() {
		defer root.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if _, err := root.AuthDisable(ctx); err != nil {
			a.Fatal(err)
		}
	}
}

// leaky lets members' own traffic pass the machines of the load balancer.
func leaky(a *auditor) func() {
	a.Helper()
	var open []*Process
	for _, p := range []*Proxy{a.haproxy, a.nginx} {
		open = append(open, p.Host.Start(nil, need(a.TB, "socat"), "TCP-LISTEN:2380,fork,reuseaddr", "TCP:"+memberAddr(0)+":2380"))
		a.eventually(10*time.Second, "the peer port is open", func() error {
			if connects(a.operator, p.Addr(), "2380") != "accepted" {
				return errors.New("it is not")
			}
			return nil
		})
	}
	return func() {
		for _, p := range open {
			p.Kill()
		}
	}
}

// reconfigured runs a proxy with a part of its configuration replaced.
func (a *auditor) reconfigured(p *Proxy, expression, by string) func() {
	a.Helper()
	own := slices.Clone(p.args)
	i := slices.IndexFunc(own, func(arg string) bool { return filepath.Dir(filepath.Dir(arg)) == a.built.dir })
	data, err := os.ReadFile(own[i])
	if err != nil {
		a.Fatal(err)
	}
	find := regexp.MustCompile(expression)
	if !find.Match(data) {
		a.Fatalf("%s holds no %s", own[i], expression)
	}
	p.args[i] = filepath.Join(p.dir, "other.conf")
	if err := os.WriteFile(p.args[i], find.ReplaceAll(data, []byte(by)), 0o644); err != nil {
		a.Fatal(err)
	}
	a.restart(p)
	return func() {
		p.args = own
		a.restart(p)
	}
}
