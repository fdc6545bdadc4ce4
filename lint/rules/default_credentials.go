package rules

import (
	"fmt"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var defaultCredentials = Rule{
	ID:       "default-credentials",
	Title:    "a password that everybody knows, or can read",
	Severity: "error or warning",
	Why: "The statistics page shows every member's address and state, and with `stats admin` takes members out of the pool. Whoever knows " +
		"the password of a virtual router takes its address over. Passwords of examples are the first that anybody tries; others leak with the file, which often lies in a repository.",
	Fix: "Take the password from the environment: `stats auth \"admin:${STATS_PASSWORD}\"`, or keep a hash in a `userlist`. Fill " +
		"keepalived's auth_pass in by a template, and let unicast peers and a firewall protect VRRP: the password travels in clear text.",
	References: []string{
		"https://docs.haproxy.org/2.6/configuration.html#4.2-stats%20auth", "https://docs.haproxy.org/2.6/configuration.html#3.4",
		"https://www.rfc-editor.org/rfc/rfc5798#section-9", "openshift/machine-config-operator#3342",
	},
	Check: checkDefaultCredentials,
}

func checkDefaultCredentials(g *topology.Group) diag.List {
	var out diag.List
	for _, t := range g.Sources {
		for _, p := range t.Proxies {
			for _, c := range p.Credentials {
				out = append(out, judgePassword(c, "the password of "+called("user", c.User), inProxies)...)
			}
		}
	}
	for _, v := range routers(g) {
		c := topology.Credential{Password: v.Password}
		out = append(out, judgePassword(c, "the password of "+called("vrrp_instance", v.Name), inRouters)...)
	}
	return out
}

// example matches files that show how a program is configured, keepalived's own samples among them.
var example = pattern.New(`(^|/)(samples?|examples?)/|[.](sample|example|dist)\b|keepalived[.]conf[.](vrrp\b|[A-Z]{2,}_)`)

// instead is what may stand in a password's place, in few words and in more.
type instead struct{ need, hint string }

var (
	inProxies = instead{"a variable or a hash", `take it from the environment ("${STATS_PASSWORD}", in double quotes), or keep a hash in a userlist`}
	inRouters = instead{"a placeholder that is filled in on the machine", "fill it in by a template"} // keepalived knows no hashes
)

func judgePassword(c topology.Credential, what string, other instead) diag.List {
	d := diag.Diagnostic{Span: c.Password.Span, Subject: what, Hint: other.hint}
	switch {
	case knownToAll(c) && example.MatchString(d.Span.File): // what others copy, and nobody runs
		d.Severity = diag.Warning
		d.Message = fmt.Sprintf("%s in this example is one of those that everybody tries first, so whoever copies it is open; need one of its own", what)
	case knownToAll(c):
		d.Severity = diag.Error
		d.Message = fmt.Sprintf("%s is one of those that everybody tries first, so it keeps nobody out; need one of its own", what)
	case legible(c.Password):
		d.Severity = diag.Warning
		d.Message = fmt.Sprintf("%s is in the file in clear text, so whoever reads the file has it; need %s", what, other.need)
	default:
		return nil
	}
	return diag.List{d}
}
