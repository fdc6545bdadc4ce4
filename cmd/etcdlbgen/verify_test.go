package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// verified is what a call of verify printed.
type verified struct {
	code   int
	stderr string
	checks map[string]verifiedLine // by target and check
}

type verifiedLine struct {
	Target, Check, Result, Reason, Hint string
	Latency                             *struct{ LoadBalancerMs, DirectMs float64 }
}

// verifyJSON runs verify in its format for programs.
func verifyJSON(t *testing.T, args ...string) verified {
	t.Helper()
	var out, err bytes.Buffer
	args = append([]string{"verify", "--format", "json", "--command-timeout", "3s"}, args...)
	v := verified{code: run(args, strings.NewReader(""), &out, &err), checks: map[string]verifiedLine{}}
	v.stderr = err.String()
	var report struct {
		Version  int
		Clusters []struct{ Checks []verifiedLine }
	}
	if e := json.Unmarshal(out.Bytes(), &report); e != nil {
		t.Fatalf("%v: exit %d\n%s%s", args, v.code, out.String(), err.String())
	}
	for _, c := range report.Clusters {
		for _, l := range c.Checks {
			v.checks[l.Target+"/"+l.Check] = l
		}
	}
	return v
}

// expect compares the results of some checks, by target and check, and all failed ones.
func (v verified) expect(t *testing.T, want map[string]string) {
	t.Helper()
	for key, w := range want {
		result, says, _ := strings.Cut(w, " ")
		l := v.checks[key]
		if l.Result != result || !strings.Contains(l.Reason, says) {
			t.Errorf("%s: %q %s; want %s", key, l.Result, l.Reason, w)
		}
	}
	code := 0
	for key, l := range v.checks {
		if l.Result != "fail" {
			continue
		}
		code = 1
		if !strings.HasPrefix(want[key], "fail") {
			t.Errorf("%s fails: %s", key, l.Reason)
		}
	}
	if v.code != code {
		t.Errorf("exit code %d, want %d", v.code, code)
	}
}

// TestVerify asks a real cluster behind a real HAProxy, well and with each fault once.
func TestVerify(t *testing.T) {
	c := startCluster(t)
	spec := c.spec(t, 100, "")
	c.balance(t, spec, "")
	flags := []string{"--cacert", c.ca.file(), "--cert", c.client.cert, "--key", c.client.key}
	ask := func(t *testing.T, args ...string) verified {
		t.Helper()
		return verifyJSON(t, append(append([]string{"--watch-for", "0"}, flags...), args...)...)
	}

	t.Run("well", func(t *testing.T) { c.well(t, spec, flags) })
	t.Run("text", func(t *testing.T) { c.text(t, spec, flags) })
	t.Run("without a spec", func(t *testing.T) {
		v := ask(t, "--endpoint", "https://"+c.addr(100)+":2379")
		v.expect(t, map[string]string{
			"load balancer/etcd": "pass", "member a/etcd": "pass etcd 3.", "member c/names": "pass", "member b/health": "skip",
		})
		if !strings.Contains(v.stderr, "as etcd lists them:\n  member a https://"+c.addr(1)) {
			t.Errorf("members are dialed that were not announced:\n%s", v.stderr)
		}
	})
	t.Run("no client certificate", func(t *testing.T) {
		v := verifyJSON(t, "--cacert", c.ca.file(), "--watch-for", "0", spec)
		want := "fail a client without certificate is refused"
		v.expect(t, map[string]string{
			"load balancer/client-cert": want, "load balancer/chain": "pass",
			"member a/client-cert": want, "member b/client-cert": want, "member c/client-cert": want,
		})
	})
	t.Run("wrong CA", func(t *testing.T) {
		v := verifyJSON(t, "--cacert", newAuthority(t, "other-ca").file(), "--cert", c.client.cert, "--key", c.client.key, "--watch-for", "0", spec)
		want := "fail the served certificate"
		v.expect(t, map[string]string{
			"load balancer/chain": "skip the served certificate is that of member ", "member a/chain": want, "member b/chain": want, "member c/chain": want,
			"load balancer/etcd": "pass", "member a/etcd": "pass",
		})
	})
	t.Run("wrong client CA", func(t *testing.T) {
		other := newAuthority(t, "other-ca").issue(t, "app", valid())
		v := verifyJSON(t, "--cacert", c.ca.file(), "--cert", other.cert, "--key", other.key, "--watch-for", "0", spec)
		want := "fail the client's certificate is refused"
		v.expect(t, map[string]string{
			"load balancer/client-cert": want, "member a/client-cert": want, "member b/client-cert": want, "member c/client-cert": want,
		})
	})
	t.Run("certificates", func(t *testing.T) { c.certificateFaults(t, ask) })
	t.Run("load balancers", func(t *testing.T) { c.balancerFaults(t, ask, flags) })
	t.Run("health endpoint", func(t *testing.T) {
		// The members are of 3.4.23 or older where this runs, which answer 404 there; newer ones have no such path either.
		v := ask(t, c.spec(t, 100, `loadBalancer: healthCheck: path: "/nosuch"`))
		want := "fail GET http://" + c.addr(1)
		v.expect(t, map[string]string{
			"member a/health": want, "member b/health": "fail", "member c/health": "fail", "member a/etcd": "pass",
		})
	})
	t.Run("permission denied", func(t *testing.T) { c.permissionDenied(t, spec, flags) })
	dead := c.follower(t)
	t.Run("dead member", func(t *testing.T) {
		c.kill(t, dead)
		ask(t, spec).expect(t, map[string]string{
			"member " + dead + "/connect": "fail it refuses connections", "member a/etcd": "pass", "load balancer/etcd": "pass",
		})
	})
	t.Run("no quorum", func(t *testing.T) {
		c.kill(t, map[string]string{"b": "c", "c": "b"}[dead])
		v := ask(t, spec)
		for _, key := range []string{"member a/etcd", "member b/connect", "member c/connect"} {
			if v.checks[key].Result != "fail" {
				t.Errorf("%s: %+v", key, v.checks[key])
			}
		}
		if l := v.checks["member a/health"]; l.Result != "skip" || !strings.Contains(l.Reason, "takes out a member that answers no client") {
			t.Errorf("%+v", l)
		}
		if v.code != exitFindings {
			t.Errorf("exit code %d", v.code)
		}
	})
}

// well holds that a healthy cluster passes each check, and that nothing is written to it.
func (c *liveCluster) well(t *testing.T, spec string, flags []string) {
	revision := func() int64 {
		r, err := c.etcd(t, c.root).Get(t.Context(), "health", clientv3.WithCountOnly())
		if err != nil {
			t.Fatal(err)
		}
		return r.Header.Revision
	}
	before := revision()
	v := verifyJSON(t, append([]string{"--watch-for", "2s", spec}, flags...)...)
	want := map[string]string{
		"this client/expiry": "pass", "load balancer/peer-port": "pass", "load balancer/watch": "pass", "load balancer/latency": "pass",
	}
	for _, target := range []string{"load balancer", "member a", "member b", "member c"} {
		for _, check := range []string{"connect", "tls", "names", "chain", "expiry", "client-cert", "etcd"} {
			want[target+"/"+check] = "pass"
		}
	}
	for _, name := range []string{"a", "b", "c"} {
		want["member "+name+"/etcd"] = "pass etcd 3."
		want["member "+name+"/health"] = "pass GET http://" + c.memberAddr(name) + ":2381/"
	}
	v.expect(t, want)
	if len(v.checks) != len(want) {
		t.Errorf("%d checks, want %d", len(v.checks), len(want))
	}
	if l := v.checks["load balancer/latency"].Latency; l == nil || l.LoadBalancerMs <= 0 || l.DirectMs <= 0 {
		t.Errorf("latency: %+v", l)
	}
	if after := revision(); after != before {
		t.Errorf("the revision was %d and is %d: something was written", before, after)
	}
}

// text holds that targets come before results, and that results name check, reason and hint.
func (c *liveCluster) text(t *testing.T, spec string, flags []string) {
	var all bytes.Buffer
	code := run(append([]string{"verify", "--watch-for", "0", spec}, flags...), strings.NewReader(""), &all, &all)
	text := all.String()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if code != exitClean || lines[0] != "verify dials, of cluster live:" || !strings.HasSuffix(lines[len(lines)-1], " 0 failed, 0 not judged") {
		t.Errorf("exit code %d\n%s", code, text)
	}
	dialed := strings.Index(text, "member c https://"+c.addr(3))
	answered := strings.Index(text, "pass ")
	if dialed < 0 || answered < dialed {
		t.Errorf("targets must come first:\n%s", text)
	}
}

// certificateFaults gives one member bad certificates, which etcd reads anew for each connection.
func (c *liveCluster) certificateFaults(t *testing.T, ask func(*testing.T, ...string) verified) {
	// What a load balancer leads to is not said, so these ask members behind one that is not there.
	elsewhere := c.spec(t, 109, "")
	absent := "fail it refuses connections"
	t.Run("wrong SAN", func(t *testing.T) {
		c.certify(t, "b", valid(), c.addr(2))
		defer c.certify(t, "b", valid(), c.hosts("b")...)
		ask(t, elsewhere).expect(t, map[string]string{
			"member b/names": "fail the served certificate \"etcd-b\" lacks " + c.addr(109), "member b/etcd": "pass",
			"member a/names": "pass", "load balancer/connect": absent,
		})
	})
	t.Run("expired", func(t *testing.T) {
		c.certify(t, "b", time.Now().Add(-time.Hour), c.hosts("b")...)
		defer c.certify(t, "b", valid(), c.hosts("b")...)
		ask(t, elsewhere).expect(t, map[string]string{
			"member b/expiry": "fail the certificate \"etcd-b\" expired on", "member b/chain": "pass", "member b/names": "pass",
			"member a/expiry": "pass", "load balancer/connect": absent,
		})
	})
}

// balancerFaults asks through load balancers that are bad in some way.
func (c *liveCluster) balancerFaults(t *testing.T, ask func(*testing.T, ...string) verified, flags []string) {
	t.Run("unreachable", func(t *testing.T) {
		ask(t, c.spec(t, 101, "")).expect(t, map[string]string{"load balancer/connect": "fail it refuses connections", "member a/etcd": "pass"})
	})
	t.Run("hangs", func(t *testing.T) {
		l, err := net.Listen("tcp", c.addr(102)+":2379") // accepts, and says nothing
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ask(t, c.spec(t, 102, "")).expect(t, map[string]string{
			"load balancer/connect": "pass", "load balancer/tls": "fail no TLS handshake", "member a/etcd": "pass",
		})
	})
	t.Run("no TLS", func(t *testing.T) {
		ask(t, "--endpoint", "https://"+c.addr(1)+":2381").expect(t, map[string]string{
			"load balancer/tls": "fail no TLS handshake: what listens there does not speak TLS", "load balancer/members": "skip",
			"load balancer/peer-port": "fail", // it is a member
		})
	})
	t.Run("short idle timeout", func(t *testing.T) {
		spec := c.spec(t, 103, `loadBalancer: timeouts: idle: "1s"`)
		c.balance(t, spec, "")
		v := verifyJSON(t, append([]string{"--watch-for", "10s", spec}, flags...)...)
		v.expect(t, map[string]string{"load balancer/watch": "fail the connection of a quiet watch is cut after 1", "load balancer/etcd": "pass"})
	})
	t.Run("peer port", func(t *testing.T) {
		spec := c.spec(t, 104, "")
		c.balance(t, spec, fmt.Sprintf("\nlisten peers\n\tmode tcp\n\tbind %s:2380\n\tserver a %s:2380\n", c.addr(104), c.addr(1)))
		ask(t, spec).expect(t, map[string]string{"load balancer/peer-port": "fail " + c.addr(104) + ":2380 accepts", "load balancer/etcd": "pass"})
	})
	t.Run("no member up", func(t *testing.T) {
		spec := c.spec(t, 105, `loadBalancer: healthCheck: {path: "/nosuch", interval: "100ms"}`)
		c.balance(t, spec, "")
		// A member that goes down ends its connections, too: as often as there are members.
		eventually(t, "an empty pool", func() bool {
			for range 3 {
				if !closesAtOnce(t, c.addr(105)+":2379") {
					return false
				}
			}
			return true
		})
		v := ask(t, spec)
		v.expect(t, map[string]string{
			"load balancer/tls": "fail no TLS handshake: the connection is closed",
			"member a/health":   "fail", "member b/health": "fail", "member c/health": "fail",
		})
	})
}

// permissionDenied turns etcd's own authentication on: who is known and may read nothing has reached etcd all the same.
func (c *liveCluster) permissionDenied(t *testing.T, spec string, flags []string) {
	etcd := c.etcd(t, c.root)
	ctx := t.Context()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(etcd.UserAddWithOptions(ctx, "root", "", &clientv3.UserAddOptions{NoPassword: true}))
	must(etcd.UserGrantRole(ctx, "root", "root"))
	must(etcd.UserAddWithOptions(ctx, "app", "", &clientv3.UserAddOptions{NoPassword: true}))
	must(etcd.AuthEnable(ctx))
	defer func() { must(etcd.AuthDisable(ctx)) }()
	v := verifyJSON(t, append([]string{"--watch-for", "1s", spec}, flags...)...)
	v.expect(t, map[string]string{
		"load balancer/etcd": "pass etcd answers, and knows who asks: permission denied", "member a/etcd": "pass",
		"load balancer/watch": "skip", "load balancer/latency": "skip", "load balancer/client-cert": "pass",
	})
}
