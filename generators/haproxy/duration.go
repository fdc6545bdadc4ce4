package haproxy

import (
	"strconv"
	"strings"
	"time"
)

// units are HAProxy's, the longest first. A number without one is milliseconds, or what the directive says.
var units = []struct {
	name string
	of   time.Duration
}{
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
	{"us", time.Microsecond},
}

// longest is what HAProxy's timers hold: 2^31-1 milliseconds, a bit more than 24 days.
const longest = (1<<31 - 1) * time.Millisecond

// spell writes a duration as HAProxy reads it: one number with the longest unit that holds it exactly.
func spell(d time.Duration) string {
	for _, u := range units {
		if d != 0 && d%u.of == 0 {
			return strconv.FormatInt(int64(d/u.of), 10) + u.name
		}
	}
	return "0"
}

// readTime reads a time of one number and one unit, milliseconds where it has none.
func readTime(text string) (time.Duration, bool) {
	digits := strings.TrimRight(text, "dhmsu")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || digits[0] == '+' {
		return 0, false
	}
	of := time.Millisecond
	if suffix := text[len(digits):]; suffix != "" {
		if of = unitOf(suffix); of == 0 {
			return 0, false
		}
	}
	if n > int64(longest/of) {
		return 0, false
	}
	return time.Duration(n) * of, true
}

func unitOf(suffix string) time.Duration {
	for _, u := range units {
		if u.name == suffix {
			return u.of
		}
	}
	return 0
}
