package haproxy

import (
	"strings"
	"testing"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
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
