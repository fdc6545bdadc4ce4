package diag

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

// secrets match the settings that carry a password; the last group is the password. They stand for the formats that
// are read: HAProxy's stats and user lists, keepalived, URLs, and assignments of any kind.
var secrets = []*pattern.Pattern{
	pattern.New(`(?i)\bstats\s+auth\s+[^\s:]+:(\S+)`),
	pattern.New(`(?i)\buser\s+\S+\s+(?:insecure-)?password\s+(\S+)`),
	pattern.New(`(?i)\bauth_pass\s+(\S+)`),
	pattern.New(`[a-z][a-z0-9+.-]*://[^\s/:@]*:([^\s/@]+)@`),
	pattern.New(`(?i)(?:password|passwd|passphrase|secret|token|api_?key)"?\s*[=:]\s*"([^"]+)"`),
	pattern.New(`(?i)(?:password|passwd|passphrase|secret|token|api_?key)\s*[=:]\s*([^\s"]+)`),
}

// MaskSecrets replaces each rune of a password in a line with a star, so that columns stay.
func MaskSecrets(line string) string {
	for _, re := range secrets {
		for _, m := range slices.Backward(re.FindAllStringSubmatchIndex(line, -1)) {
			from, to := m[2], m[3]
			line = line[:from] + strings.Repeat("*", utf8.RuneCountInString(line[from:to])) + line[to:]
		}
	}
	return line
}
