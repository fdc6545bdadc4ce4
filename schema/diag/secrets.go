package diag

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

// Passwords end where their format says: at the quote that closes, which may be missing, or at a blank without a
// backslash before it.
const (
	word = `((?:"(?:[^"\\]|\\.)*(?:"|$)|'[^']*(?:'|$)|\\.|[^\s"'\\])+)`
	// credentials are a name and a password, with a colon between them, in quotes or not.
	credentials = `(?:"[^":]*:((?:[^"\\]|\\.)*)|'[^':]*:([^']*)|[^\s:]*:` + word + `)`
	key         = `(?:password|passwd|passphrase|credentials?|token|(?:secret|access|private|api)[_-]?key|secret)`
)

// secret is a kind of setting that carries a password: the words of which a line has one, in lower case, and a pattern
// whose groups are the password. The words spare most lines the pattern.
type secret struct {
	words   []string
	pattern *pattern.Pattern
}

// inURLs is the password of a URL.
var inURLs = secret{[]string{"://"}, pattern.New(`[a-z][a-z0-9+.-]*://[^\s/:@"']*:([^\s/"']+)@`)}

// keys are the words of key.
var keys = []string{"pass", "credential", "token", "key", "secret"}

// secrets stand for the formats that are read: HAProxy's stats, headers and user lists, keepalived, URLs, flags of
// commands, and assignments of any kind.
var secrets = []secret{
	{[]string{"stats"}, pattern.New(`(?i)\bstats\s+auth\s+` + credentials)},
	{[]string{"password"}, pattern.New(`(?i)\buser\s+\S+\s+(?:insecure-)?password\s+` + word)},
	{[]string{"auth_pass"}, pattern.New(`(?i)\bauth_pass\s+` + word)},
	{[]string{"hdr", "header"}, pattern.New(`(?i)(?:\bhdr|(?:set|add)[-_]header)\s+\S*(?:auth|cookie|` + key + `)\S*\s+` + word)},
	{[]string{"authorization"}, pattern.New(`(?i)\bauthorization["']?(?:\s*[:=]|\s)\s*["']?(?:(?:basic|bearer)\s+)?([^\s"'{]+)`)},
	{[]string{"basic", "bearer"}, pattern.New(`["'](?i:basic|bearer)\s+([^\s"']+)`)},
	{[]string{"user="}, pattern.New(`(?i)"\w*user=[^":]*:([^"]*)|'\w*user=[^':]*:([^']*)|\w*user=` + credentials)},
	{[]string{"-u"}, pattern.New(`(?i)\s(?:-u|--(?:proxy-)?user)["']?[,\s=]\s*` + credentials)},
	{keys, pattern.New(`(?i)\s--?[\w-]*` + key + `["']?[,\s]\s*` + word)},
	inURLs,
	// Behind an equals sign there is a word, unless the quote stands before the name; behind a colon all of the line, as
	// far as it is not plainly the next field.
	{keys, pattern.New(`(?i)"[\w-]*` + key + `=([^"]*)|'[\w-]*` + key + `=([^']*)|` + key + `["']?\s*=\s*` + word)},
	{keys, pattern.New(`(?i)` + key + `["']?\s*:\s*(?:"((?:[^"\\]|\\.)*)|'((?:[^']|'')*)|([^\s"'{\[|>].*?)\s*(?:,\s*["']?[\w-]+["']?\s*:|\}\s*(?:[,}\]]|$)|\s#|$))`)},
}

// MaskSecrets replaces each rune of a password in a line with a star, so that columns stay.
func MaskSecrets(line string) string { return mask(line, secrets...) }

// said is a message or a hint without passwords: it may quote a value that turned out to be a URL. What else looks like a
// setting there is our own words.
func said(message string) string { return mask(message, inURLs) }

func mask(line string, secrets ...secret) string {
	lower := strings.ToLower(line)
	for _, kind := range secrets {
		if !slices.ContainsFunc(kind.words, func(w string) bool { return strings.Contains(lower, w) }) {
			continue
		}
		for _, m := range slices.Backward(kind.pattern.FindAllStringSubmatchIndex(line, -1)) {
			for i := len(m) - 2; i >= 2; i -= 2 {
				if from, to := m[i], m[i+1]; from >= 0 {
					line = line[:from] + strings.Repeat("*", utf8.RuneCountInString(line[from:to])) + line[to:]
				}
			}
		}
	}
	return line
}
