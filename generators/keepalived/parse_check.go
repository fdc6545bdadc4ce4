package keepalived

import (
	"strconv"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// scripts are the vrrp_script blocks of a source, by name.
type scripts map[string]*node

// check reads the script that an instance names in track_script. Of several, none decides alone.
func (s scripts) check(instance *node) topology.VRRPCheck {
	var c topology.VRRPCheck
	var named []*node
	for _, n := range instance.block {
		if n.keyword() == "track_script" {
			named = append(named, n.block...)
			c.Span = n.span()
		}
	}
	if len(named) != 1 || named[0].maybe {
		return c
	}
	// With a weight it lowers the priority, and the machine keeps the addresses as long as its own is the highest.
	script := s[named[0].keyword()]
	if script == nil || script.maybe || len(named[0].words) > 1 {
		return c
	}
	for _, n := range script.block {
		switch n.keyword() {
		case "script":
			c.URL = asked(n.word(1))
		case "interval":
			c.Interval = secondsOf(n.word(1))
		case "timeout":
			c.Timeout = secondsOf(n.word(1))
		case "fall":
			c.Fall = count(n.word(1))
		case "rise":
			c.Rise = count(n.word(1))
		}
	}
	return c
}

// asked is the URL that a command of curl or wget ends with.
func asked(w word) topology.Value[string] {
	words := strings.Fields(w.text)
	if w.unknown || len(words) < 2 {
		return topology.UnknownAt[string](w.at)
	}
	program, url := words[0], words[len(words)-1]
	program = program[strings.LastIndexByte(program, '/')+1:]
	if program != "curl" && program != "wget" || !strings.HasPrefix(url, "http") {
		return topology.UnknownAt[string](w.at)
	}
	return topology.SetAt(url, w.at)
}

func secondsOf(w word) topology.Value[time.Duration] {
	n, err := strconv.ParseUint(w.text, 10, 16)
	if w.unknown || err != nil {
		return topology.UnknownAt[time.Duration](w.at)
	}
	return topology.SetAt(time.Duration(n)*time.Second, w.at)
}

func count(w word) topology.Value[int] {
	n, err := strconv.ParseUint(w.text, 10, 16)
	if w.unknown || err != nil {
		return topology.UnknownAt[int](w.at)
	}
	return topology.SetAt(int(n), w.at)
}
