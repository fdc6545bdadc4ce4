// Package keepalived writes and reads keepalived.conf: the VRRP instances of one machine. What keepalived balances itself
// (virtual_server) is not read.
package keepalived

import (
	"path"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Target writes a file for each node.
var Target = target.Target{
	Name:     name,
	Doc:      "keepalived.conf: addresses that move between machines (VRRP)",
	Render:   render,
	Detect:   detect,
	Parse:    parse,
	Facts:    topology.FVRRP,
	Comment:  "#",
	Includes: includes,
}

const name = "keepalived"

// templates are endings of files that become a configuration when a template engine has been over them.
var templates = []string{".j2", ".jinja2", ".tpl", ".tftpl", ".tmpl", ".template", ".erb", ".in", ".sample", ".example", ".dist"}

var shape = pattern.New(`(?m)^[ \t]*(@\S+[ \t]+)?(vrrp_(instance|sync_group|script)[ \t]+\S.*?|global_defs)\s*\{`)

// detect knows a keepalived.conf by its name, and other files by a section of one.
func detect(file string, head []byte) bool {
	base := path.Base(file)
	for _, t := range templates {
		base = strings.TrimSuffix(base, t)
	}
	if base == "keepalived.conf" {
		return true
	}
	named := strings.HasPrefix(base, "keepalived.conf.") || slices.Contains([]string{"", ".conf", ".cfg", ".keepalived"}, path.Ext(base))
	return named && shape.Match(head)
}

var include = pattern.New(`(?m)^[ \t]*include[armwb]?[ \t]+"?([^\s"#!]+)`)

func includes(data []byte) []string {
	var out []string
	for _, m := range include.FindAllSubmatch(data, -1) {
		out = append(out, string(m[1]))
	}
	return out
}
