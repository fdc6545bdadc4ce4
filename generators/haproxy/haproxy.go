// Package haproxy writes a cluster's haproxy.cfg, or a fragment for an haproxy that serves other things as well, and
// reads any haproxy.cfg back into the facts it states.
//
// What is written suits HAProxy 2.4 to 3.2. The youngest directives it needs are http-check send (2.2), check-alpn (1.9)
// and named defaults (2.4); all others are older.
package haproxy

import (
	"path"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

const name = "haproxy"

// Target is HAProxy's configuration.
var Target = target.Target{
	Name:   name,
	Doc:    "haproxy.cfg, or a fragment for a conf.d folder",
	Render: render,
	Detect: detect,
	Parse:  parse,
	Facts: topology.FListeners | topology.FListenerNames | topology.FListenerLimit | topology.FIdle | topology.FTimeouts | topology.FMetrics |
		topology.FAuthentication | topology.FSources | topology.FProcessLimit | topology.FHardStop | topology.FPools | topology.FServerNames |
		topology.FDrain | topology.FBalance | topology.FConnect | topology.FRetries | topology.FCutOnDown |
		topology.FCheck | topology.FCheckTimes | topology.FCheckTimeout | topology.FCheckFast | topology.FCheckTLS | topology.FTLS,
	Own:     []string{"${"},
	Comment: "#",
	Unit:    unit,
	Besides: func(name string) bool { return path.Ext(name) == ".cfg" },
}

// unit is the folder of a file that haproxy loads together with its neighbours (`-f conf.d`), else the file.
func unit(file string) string {
	if folder := path.Dir(file); strings.HasSuffix(folder, ".d") {
		return folder
	}
	return file
}

var (
	named     = pattern.New(`^haproxy.*\.cfg`)
	directive = pattern.New(`(?m)^[ \t]*(bind|server|mode|timeout|option|balance|default_backend|use_backend|` +
		`default-server|maxconn|log|daemon|chroot|stats)[ \t\r\n]`)
	foreign  = pattern.New(`(?m)^[ \t]*(vrrp_\w+|global_defs|http|stream|events)([ \t]+[\w.-]+)?[ \t]*\{[ \t]*\r?$`)
	template = pattern.New(`^(\{[{%#]|<%|@)`)
)

// detect knows a file by its name, or by a section header as its first line and a directive of HAProxy after it; a line
// such as [...] stands for what was left out. A name that only begins like HAProxy's may be that of a file for a program
// beside it.
func detect(file string, head []byte) bool {
	base := path.Base(file)
	if named.MatchString(base) && (strings.HasPrefix(base, "haproxy.cfg") || !foreign.Match(head)) {
		return true
	}
	text := string(head)
	for row := range strings.Lines(text) {
		row = strings.TrimSpace(row)
		if row == "" || row[0] == '#' || row[0] == '.' || strings.Trim(row, "[(<.…>)]") == "" || template.MatchString(row) {
			continue
		}
		row, _, _ = strings.Cut(row, "#")
		words := strings.Fields(row)
		marks := "{}=[]:;"
		if words[0] == "listen" && len(words) == 3 { // versions before 1.7 took the address here
			marks = "{}=;"
		}
		return len(words) <= 4 && headers[words[0]] && !strings.ContainsAny(row, marks) && directive.MatchString(text)
	}
	return false
}
