package rules

import (
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// wellKnown are passwords of examples and manuals, in lower case.
var wellKnown = []string{
	"42", "0000", "1111", "1234", "12345", "123456", "12345678", "123456789", "admin", "admin123", "adminpass", "changeit", "changeme",
	"d0cker", "default", "demo", "docker", "guest", "haproxy", "haproxystats", "k8s", "k8s_pass", "keepalived", "kubernetes", "letmein", "mypass",
	"mypassword", "p@ssw0rd", "pass", "passw0rd", "passwd", "password", "password1", "password123", "qwerty", "root", "secret", "stats", "test",
	"vrrp", "yourpassword",
}

// blank is a word that somebody is to replace: CHANGE_ME, LB1_PASS, <password>, %pass%, __PASS__.
var blank = pattern.New(`^([A-Z][A-Z_]+[A-Z]|[A-Z][A-Z0-9]*_[A-Z0-9_]+|<.*>|\[.*|\*+|x{3,}|X{3,}|%.+%|__\w+__)$`)

// knownToAll reports whether a password is a well-known one, or the name of its user.
func knownToAll(c topology.Credential) bool {
	password := strings.ToLower(c.Password.V)
	return legible(c.Password) &&
		(slices.Contains(wellKnown, password) || c.User.Known() && password == strings.ToLower(c.User.V))
}

// legible reports whether a password stands there for everybody to read.
func legible(password topology.Value[string]) bool {
	return password.Known() && password.V != "" && !blank.MatchString(password.V)
}
