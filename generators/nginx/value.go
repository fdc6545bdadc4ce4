package nginx

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// units are NGINX's time units, from long to short; a combination names them in this order.
var units = []struct {
	suffix string
	length time.Duration
}{
	{"y", 365 * 24 * time.Hour},
	{"M", 30 * 24 * time.Hour},
	{"w", 7 * 24 * time.Hour},
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
}

var timePart = pattern.New(`^ *([0-9]{1,12})(ms|[yMwdhms])?`)

// parseTime reads a time in NGINX's notation: "1h30m", "90s", "500ms"; a bare number is seconds.
func parseTime(s string) (time.Duration, bool) {
	var total time.Duration
	next := 0 // the first unit that may still come
	for s != "" {
		part := timePart.FindStringSubmatch(s)
		if part == nil {
			return 0, false
		}
		s = s[len(part[0]):]
		n, err := strconv.ParseInt(part[1], 10, 64)
		unit := part[2]
		if unit == "" {
			unit = "s"
			if s != "" {
				return 0, false
			}
		}
		i := unitIndex(unit)
		if err != nil || i < next || n > int64(maxTime/units[i].length) {
			return 0, false
		}
		total += time.Duration(n) * units[i].length
		next = i + 1
	}
	return total, next > 0 && total <= maxTime
}

// maxTime keeps sums of times far from overflow.
const maxTime = 100 * 365 * 24 * time.Hour

func unitIndex(suffix string) int {
	for i, u := range units {
		if u.suffix == suffix {
			return i
		}
	}
	return -1
}

// formatTime is a time in NGINX's notation, in units up to hours. NGINX knows nothing shorter than a millisecond.
func formatTime(d time.Duration) string {
	var out strings.Builder
	for _, u := range units[unitIndex("h"):] {
		if n := d / u.length; n > 0 {
			out.WriteString(strconv.FormatInt(int64(n), 10) + u.suffix)
			d -= n * u.length
		}
	}
	if out.Len() == 0 {
		return "0s"
	}
	return out.String()
}

// timeOf is the time that a word says.
func timeOf(w word, text string) topology.Value[time.Duration] {
	if d, ok := parseTime(text); ok {
		return topology.SetAt(d, w.span)
	}
	return topology.UnknownAt[time.Duration](w.span)
}

// textOf is what a word says.
func textOf(w word, text string) topology.Value[string] {
	if isOpen(text) {
		return topology.UnknownAt[string](w.span)
	}
	return topology.SetAt(text, w.span)
}

// numberOf is the number that a word says.
func numberOf(w word, text string) topology.Value[int] {
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return topology.SetAt(int(n), w.span)
	}
	return topology.UnknownAt[int](w.span)
}

// portOf is the TCP port that a word says.
func portOf(w word, text string) topology.Value[int] {
	if p := numberOf(w, text); p.V >= 1 && p.V <= 65535 {
		return p
	}
	return topology.UnknownAt[int](w.span)
}

var capitals = pattern.New(`^_*[A-Z][A-Z0-9_]+$`)

// isOpen reports whether a word is filled in later: by a template, a variable or by hand.
func isOpen(s string) bool {
	return topology.IsHole(s) || strings.Contains(s, "$") || capitals.MatchString(s)
}

// splitAddress splits "host:port", "[::1]:port" and what lacks a port.
func splitAddress(s string) (host, port string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || i < strings.LastIndexByte(s, ']') {
		return s, ""
	}
	return s[:i], s[i+1:]
}

// isSocket reports whether an address is a UNIX domain socket's.
func isSocket(s string) bool { return strings.HasPrefix(s, "unix:") }

// addrOf reads an address, with or without brackets.
func addrOf(s string) (netip.Addr, bool) {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		s = s[1 : len(s)-1]
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap(), err == nil
}

// hostOf is the host a server address names, in canonical form.
func hostOf(w word, host string) topology.Value[string] {
	if isOpen(host) || host == "" {
		return topology.UnknownAt[string](w.span)
	}
	if a, ok := addrOf(host); ok {
		return topology.SetAt(a.String(), w.span)
	}
	return topology.SetAt(strings.TrimSuffix(strings.ToLower(host), "."), w.span)
}

// serverOf is the host and port of a server.
func serverOf(w word) (host topology.Value[string], port topology.Value[int]) {
	if isSocket(w.text) {
		return topology.UnknownAt[string](w.span), topology.UnknownAt[int](w.span)
	}
	h, p := splitAddress(w.text)
	return hostOf(w, h), portOf(w, p)
}
