//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// auditor asks a cluster with `etcdlbgen verify`, through one load balancer after the other.
type auditor struct {
	*Cluster
	built             *Built
	haproxy, nginx    *Proxy
	operator, monitor *Host
}

func newAuditor(r *Rig, s Spec) *auditor {
	r.Helper()
	v := Current(r.TB)
	s.Version, s.Members, s.Nodes = v.Version, 3, 2
	b := r.Build(s)
	a := &auditor{Cluster: r.Cluster(v, b, 3), built: b}
	a.haproxy = r.HAProxy(r.Host("lb-1", nodeAddr(0), nodeAddr6(0)), b.Path("haproxy/haproxy.cfg"))
	a.nginx = r.NGINX(r.Host("lb-2", nodeAddr(1), nodeAddr6(1)), b.Path("nginx/nginx.conf"))
	a.operator, a.monitor = r.Host("operator", operatorAddr), r.Host("monitor", monitorAddr)
	return a
}

// finding is a line of verify's report.
type finding struct {
	Target, Check, Result, Reason, Hint string
}

// ask runs verify with short timeouts, and returns its lines. It must end within the time that these allow, and leave
// the cluster as it was.
func (a *auditor) ask(args ...string) (lines []finding, code int) {
	a.Helper()
	args = append([]string{product, "verify", "--format", "json", "--dial-timeout", "1s", "--command-timeout", "2s"}, args...)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := a.operator.command(ctx, args...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	before := a.state()
	err := cmd.Run()
	a.unchanged(before)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		a.Fatalf("%v: %v\n%s%s", args, err, out.String(), said.String())
	}
	var report struct {
		Clusters []struct{ Checks []finding }
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil || len(report.Clusters) != 1 {
		a.Fatalf("%v: %v\n%s%s", args, err, out.String(), said.String())
	}
	return report.Clusters[0].Checks, cmd.ProcessState.ExitCode()
}

// state is how far a member's store and log have come.
type state struct {
	member      *Member
	revision    int64
	term, index uint64
}

// state is that of the first member that answers; of none where none does.
func (a *auditor) state() state {
	a.Helper()
	for _, m := range a.Members {
		if s, err := a.stateOf(m); err == nil {
			return s
		}
	}
	return state{}
}

func (a *auditor) stateOf(m *Member) (state, error) {
	cli := a.Direct(m.Host, m)
	defer cli.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	status, err := cli.Status(ctx, cli.Endpoints()[0])
	if err != nil {
		return state{}, err
	}
	return state{member: m, revision: status.Header.Revision, term: status.RaftTerm, index: status.RaftIndex}, nil
}

// unchanged holds that nothing was written. Only members that elect write by themselves.
func (a *auditor) unchanged(before state) {
	a.Helper()
	if before.member == nil {
		return
	}
	after, err := a.stateOf(before.member)
	if err != nil {
		a.Fatal(err)
	}
	if after.revision != before.revision || after.term == before.term && after.index != before.index {
		a.Errorf("the cluster was at %+v and is at %+v: something was written", before, after)
	}
}

// flaw is something that is wrong, and what verify says of it.
type flaw struct {
	name string
	// make lets it happen.
	make func(*auditor) (end func())
	// args are verify's, where the spec and its certificates are not all.
	args func(*auditor) []string
	// fails has expressions for the lines that fail, which are TARGET/CHECK, with a part of their reason.
	fails map[string]string
	// nginx are those through NGINX, where they differ.
	nginx map[string]string
	// passes are like fails, for lines that must not.
	passes map[string]string
}

// A healthy cluster passes each check, through each proxy; and each flaw is told by the lines that are about it alone.
func TestVerify(t *testing.T) {
	a := newAuditor(NewRig(t), Spec{})
	a.well()
	a.suffer(flaws)
}

// Where load balancers end the clients' TLS, their certificates are their own.
func TestVerifyTermination(t *testing.T) {
	r := NewRig(t)
	r.PKI.Issue("lb", lbHost, vip)
	r.PKI.Issue("proxy")
	a := newAuditor(r, Spec{More: []string{termination(r.PKI)}})
	a.settle()
	a.well()
	a.suffer(terminationFlaws)
}

// suffer makes flaws, one after the other.
func (a *auditor) suffer(flaws []flaw) {
	a.Helper()
	for _, f := range flaws {
		end := func() {}
		if f.make != nil {
			undo := f.make(a)
			end = func() { undo(); a.settle() }
		}
		for _, p := range []*Proxy{a.nginx, a.haproxy} {
			a.Move(vip, p.Host)
			a.tells(f, p)
		}
		end()
	}
}

// well holds that all is well, and that nothing was left out.
func (a *auditor) well() {
	a.Helper()
	for _, p := range []*Proxy{a.nginx, a.haproxy} {
		a.Move(vip, p.Host)
		lines, code := a.ask(append([]string{"--watch-for", "2s"}, a.built.spec...)...)
		for _, l := range lines {
			if l.Result != "pass" {
				a.Errorf("through %s: %+v", p.Host.Name, l)
			}
		}
		// The client's certificate; the load balancer by name and VIP, three members; latency and watch.
		if code != 0 || len(lines) != 1+2*8+3*8+2 {
			a.Errorf("through %s: exit code %d, %d lines", p.Host.Name, code, len(lines))
		}
	}
}

// tells holds that verify fails with the lines of a flaw, and no others.
func (a *auditor) tells(f flaw, p *Proxy) {
	a.Helper()
	args := []string{"--watch-for", "0"}
	if f.args != nil {
		args = append(args, f.args(a)...)
	}
	if !slices.Contains(args, "--endpoint") {
		args = append(args, a.built.spec...)
	}
	fails := f.fails
	if p == a.nginx && f.nginx != nil {
		fails = f.nginx
	}
	lines, code := a.ask(args...)
	if code != min(len(fails), 1) {
		a.Errorf("%s, through %s: exit code %d", f.name, p.Host.Name, code)
	}
	for _, l := range lines {
		if l.Result == "fail" && (l.Hint == "" || !l.isOne(fails)) {
			a.Errorf("%s, through %s: %+v", f.name, p.Host.Name, l)
		}
	}
	for result, want := range map[string]map[string]string{"fail": fails, "pass": f.passes} {
		for line, says := range want {
			one := map[string]string{line: says}
			if !slices.ContainsFunc(lines, func(l finding) bool { return l.Result == result && l.isOne(one) }) {
				a.Errorf("%s, through %s: no %s of %s: %s\n%+v", f.name, p.Host.Name, result, line, says, lines)
			}
		}
	}
}

// isOne reports whether a line is one of those that are wanted.
func (l finding) isOne(want map[string]string) bool {
	for line, says := range want {
		if regexp.MustCompile("^"+line+"$").MatchString(l.Target+"/"+l.Check) && strings.Contains(l.Reason, says) {
			return true
		}
	}
	return false
}

// settle waits until both proxies use all members again. NGINX starts anew, since it avoids for ten seconds whom it
// could not reach.
func (a *auditor) settle() {
	a.Helper()
	for _, m := range a.Members {
		a.ready(m)
		a.thinks(m, "UP")
	}
	a.restart(a.nginx)
}

func (a *auditor) restart(p *Proxy) {
	a.Helper()
	if p.Running() {
		p.Stop()
	}
	p.Restart()
	p.listens()
}

// thinks waits until HAProxy thinks so of a member.
func (a *auditor) thinks(m *Member, state string) {
	a.Helper()
	a.eventually(20*time.Second, m.Host.Name+" is "+state, func() error { return a.haproxy.thinks(a.monitor, m.Host.Name, state) })
}
