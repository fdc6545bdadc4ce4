package diag

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// secrets match the settings that carry a password; the last group is the password. They stand for the formats that
// are read: HAProxy's stats and user lists, keepalived, URLs, and assignments of any kind.
var secrets = []*regexp.Regexp{
	regexp.MustCompile(`(?i)\bstats\s+auth\s+[^\s:]+:(\S+)`),
	regexp.MustCompile(`(?i)\buser\s+\S+\s+(?:insecure-)?password\s+(\S+)`),
	regexp.MustCompile(`(?i)\bauth_pass\s+(\S+)`),
	regexp.MustCompile(`[a-z][a-z0-9+.-]*://[^\s/:@]*:([^\s/@]+)@`),
	regexp.MustCompile(`(?i)(?:password|passwd|passphrase|secret|token|api_?key)"?\s*[=:]\s*"([^"]+)"`),
	regexp.MustCompile(`(?i)(?:password|passwd|passphrase|secret|token|api_?key)\s*[=:]\s*([^\s"]+)`),
}

// maskSecrets replaces each rune of a password in a line with a star, so that columns stay.
func maskSecrets(line string) string {
	for _, re := range secrets {
		for _, m := range slices.Backward(re.FindAllStringSubmatchIndex(line, -1)) {
			from, to := m[2], m[3]
			line = line[:from] + strings.Repeat("*", utf8.RuneCountInString(line[from:to])) + line[to:]
		}
	}
	return line
}
