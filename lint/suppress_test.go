package lint_test

import (
	"strings"
	"testing"
	"time"

	"github.com/etcdlbgen/etcdlbgen/lint"
)

func TestSuppression(t *testing.T) {
	with := func(comment string) string {
		return strings.Replace(haproxy, "    timeout client 30s\n", "    "+comment+"\n    timeout client 30s\n", 1)
	}
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"line above":        {with("# etcdlbgen:ignore watch-timeout clients ping every 5s"), nil},
		"same line":         {strings.Replace(haproxy, "client 30s", "client 30s # etcdlbgen:ignore watch-timeout clients ping", 1), nil},
		"several above":     {with("# etcdlbgen:ignore watch-timeout clients ping\n# etcdlbgen:ignore unused-ignore x"), []string{"haproxy.cfg:5 warning unused-ignore"}},
		"two lines above":   {with("# etcdlbgen:ignore watch-timeout clients ping\n"), []string{"haproxy.cfg:4 warning unused-ignore", "haproxy.cfg:6 error watch-timeout"}},
		"another rule":      {with("# etcdlbgen:ignore peer-via-lb not ours"), []string{"haproxy.cfg:4 warning unused-ignore", "haproxy.cfg:5 error watch-timeout"}},
		"no such rule":      {with("# etcdlbgen:ignore watch-timeouts clients ping"), []string{"haproxy.cfg:4 warning unused-ignore", "haproxy.cfg:5 error watch-timeout"}},
		"no rule":           {with("# etcdlbgen:ignore"), []string{"haproxy.cfg:4 warning unused-ignore", "haproxy.cfg:5 error watch-timeout"}},
		"no reason":         {with("# etcdlbgen:ignore watch-timeout"), []string{"haproxy.cfg:4 error ignore-without-reason", "haproxy.cfg:5 error watch-timeout"}},
		"a date, no reason": {with("# etcdlbgen:ignore watch-timeout until=2027-01-31"), []string{"haproxy.cfg:4 error ignore-without-reason", "haproxy.cfg:5 error watch-timeout"}},
		"until the day":     {with("# etcdlbgen:ignore watch-timeout until=2026-06-15 clients ping"), nil},
		"date at the end":   {with("# etcdlbgen:ignore watch-timeout clients ping until=2026-06-15"), nil},
		"expired":           {with("# etcdlbgen:ignore watch-timeout clients ping until=2026-06-14"), []string{"haproxy.cfg:4 warning ignore-expired", "haproxy.cfg:5 error watch-timeout"}},
		"no date":           {with("# etcdlbgen:ignore watch-timeout clients ping until=never"), []string{"haproxy.cfg:4 warning ignore-expired", "haproxy.cfg:5 error watch-timeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, map[string]string{"haproxy.cfg": tc.text})
			_, got := run(t, lint.Options{Now: time.Date(2026, 6, 15, 23, 0, 0, 0, time.UTC)})
			expect(t, got, tc.want...)
		})
	}
	for comment, want := range map[string]string{
		"watch-timeouts clients ping":              `did you mean "watch-timeout"?`,
		"watch-timeout,check-slow clients ping":    "a comment for each rule",
		"nothing-like-it clients ping":             "",
		"watch-timeout until=2026-13-01 they ping": `until "2026-13-01", which is no date`,
	} {
		in(t, map[string]string{"haproxy.cfg": with("# etcdlbgen:ignore " + comment)})
		res, _ := run(t, lint.Options{Now: time.Date(2026, 6, 15, 0, 0, 0, 0, time.UTC)})
		if d := res.Diagnostics[0]; !strings.Contains(d.Message+" "+d.Hint, want) || want == "" && d.Hint != "" {
			t.Errorf("%s: %s; %s", comment, d.Message, d.Hint)
		}
	}
	t.Run("in keepalived's own comments", func(t *testing.T) {
		in(t, map[string]string{"keepalived.conf": "vrrp_instance a { ! main\n  virtual_router_id 51 ! etcdlbgen:ignore vrrp-default-id alone here\n}\n"})
		_, got := run(t, lint.Options{Rules: []string{"vrrp-default-id"}})
		expect(t, got)
	})
	t.Run("of a rule that is off", func(t *testing.T) {
		in(t, map[string]string{"haproxy.cfg": with("# etcdlbgen:ignore watch-timeout clients ping")})
		_, got := run(t, lint.Options{Disable: []string{"watch-timeout"}})
		expect(t, got)
	})
}

func TestProvenPeerCannotBeSuppressed(t *testing.T) {
	listen := func(name string) string {
		return "defaults\n  mode tcp\n  timeout connect 1s\n  timeout client 1h\n  timeout server 1h\nlisten " + name +
			"\n  bind *:7000\n  # etcdlbgen:ignore peer-via-lb we know better\n  server a 10.0.1.10:2380\n"
	}
	in(t, map[string]string{"haproxy.cfg": listen("etcd")})
	only := lint.Options{Disable: []string{"connection-limit"}}
	_, got := run(t, only)
	expect(t, got, "haproxy.cfg:8 warning unused-ignore", "haproxy.cfg:9 error peer-via-lb")
	in(t, map[string]string{"haproxy.cfg": listen("other")})
	_, got = run(t, only)
	expect(t, got)
}

func TestSuppressionInASpecHoldsForItsFiles(t *testing.T) {
	spec := strings.Replace(minimal, "loadBalancer: host: \"etcd-lb.example.com\"", `loadBalancer: {
	host: "etcd-lb.example.com"
	// etcdlbgen:ignore watch-timeout clients ping every 10s
	timeouts: idle: "50s"
}`, 1)
	file := strings.NewReplacer("listen etcd", "frontend etcd-prod", "    balance", "    default_backend etcd-prod\nbackend etcd-prod\n    balance").Replace(haproxy)
	in(t, map[string]string{"a.cue": spec, "haproxy.cfg": file})
	r, got := run(t, lint.Options{Disable: []string{"check-tcp-only"}})
	expect(t, got)
	if len(r.Suppressed) != 2 {
		t.Errorf("%d findings suppressed, want that of the spec and that of the file", len(r.Suppressed))
	}
}
