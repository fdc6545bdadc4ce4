package haproxy

import (
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// TestCredentials: the passwords that open something. A page in a section of TCP mode is not served at all.
func TestCredentials(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"page":               {"global\nlisten a\n mode http\n stats enable\n stats auth ops:one\n", "ops:one"},
		"page of TCP mode":   {"global\nlisten a\n mode tcp\n stats enable\n stats auth ops:one\n", ""},
		"inherited TCP mode": {"defaults\n mode tcp\nlisten a\n stats auth ops:one\n", ""},
		"defaults":           {"defaults\n mode tcp\n stats auth ops:one\n", "ops:one"},
		"unknown mode":       {"listen a\n bind :9000\n stats enable\n stats auth ops:one\n", "ops:one"},
		"userlist":           {"global\nuserlist u\n user ops insecure-password one\n", "ops:one"},
	} {
		t.Run(name, func(t *testing.T) {
			top, problems := parse(source(target.Artifact{Path: "haproxy.cfg", Data: []byte(tc.text)}))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			var got []string
			for _, c := range top.Proxies[0].Credentials {
				got = append(got, c.User.V+":"+c.Password.V)
			}
			if s := strings.Join(got, " "); s != tc.want {
				t.Errorf("got %q, want %q", s, tc.want)
			}
		})
	}
}

// TestAuthentication: HAProxy drops what a section inherits of statistics as soon as it has a line of its own on them.
func TestAuthentication(t *testing.T) {
	const page = "listen a\n bind :9000\n mode http\n stats enable\n"
	for name, tc := range map[string]struct {
		text        string
		known, asks bool
	}{
		"a fragment":              {page, true, false},
		"a fragment's password":   {page + " stats auth ops:one\n", true, true},
		"a forgotten password":    {"defaults\n stats auth ops:one\n" + page, true, false},
		"inherited refusals":      {"defaults d\n http-request deny unless TRUE\n" + page, true, true},
		"defaults of other files": {strings.Replace(page, "listen a", "listen a from d", 1), false, false},
		"a template":              {page + " " + topology.Hole + "\n", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			top, problems := parse(source(target.Artifact{Path: "haproxy.cfg", Data: []byte(tc.text)}))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			got := top.Proxies[0].Listeners[0].Authenticated
			if got.Known() != tc.known || got.V != tc.asks {
				t.Errorf("got %+v", got)
			}
		})
	}
}
