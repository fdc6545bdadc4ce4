package nginx

import (
	"testing"
	"time"
)

func TestTimes(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"60": time.Minute, "1h30m": 90 * time.Minute, "1h 30m": 90 * time.Minute, "500ms": 500 * time.Millisecond,
		"1d": 24 * time.Hour, "1M": 720 * time.Hour, "1m30": 90 * time.Second,
	} {
		if got, ok := parseTime(text); !ok || got != want {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "m", "1.5h", "30m1h", "1h1h", "-1s", "5 m", "999999999999y", "1x", "1 2"} {
		if got, ok := parseTime(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}
