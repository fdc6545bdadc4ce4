package rules

import (
	"fmt"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

var noEffect = Rule{
	ID:       "no-effect",
	Title:    "a setting that the platform ignores or refuses",
	Severity: "error",
	Why: "A setting that does nothing looks as if it were in force: a network load balancer accepts `idle_timeout` and closes quiet " +
		"connections after its own 350s all the same.",
	Fix: "Remove it, and set what the hint names where that is what was meant.",
	References: []string{
		"hashicorp/terraform-provider-aws#3611", "hashicorp/terraform-provider-aws#50100",
		"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_responses",
		"https://docs.haproxy.org/2.6/configuration.html#5.2-check-ssl",
	},
	Check: checkNoEffect,
}

func checkNoEffect(g *topology.Group) diag.List {
	var out diag.List
	for _, t := range g.Sources {
		for _, p := range t.Proxies {
			for _, i := range p.Ineffective {
				out = append(out, diag.Diagnostic{
					Span:     i.Span,
					Severity: diag.Error,
					Message:  fmt.Sprintf("%s stands here, which %s, %s; need it gone", i.Setting, i.Fate, consequence(i.Fate)),
					Hint:     i.Instead,
					Subject:  p.Platform + " " + i.Setting,
				})
			}
		}
	}
	return out
}

// consequence is what comes of a setting that is refused, or else ignored.
func consequence(fate string) string {
	if strings.Contains(fate, "refuses") {
		return "so nothing of the file is loaded"
	}
	return "so it changes nothing"
}
