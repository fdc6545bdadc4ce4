// Package pattern holds regular expressions that are compiled when they are first used. The readers have dozens, of
// which a build needs none, and compiling them all would be a tenth of what building one cluster takes.
package pattern

import (
	"regexp"
	"sync"
)

// Pattern is a regular expression. Its methods are those of regexp.Regexp.
type Pattern struct{ compiled func() *regexp.Regexp }

// New is the pattern of that text, which panics at its first use where it is none.
func New(text string) *Pattern {
	return &Pattern{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
}

// Match is regexp.Regexp's.
func (p *Pattern) Match(b []byte) bool { return p.compiled().Match(b) }

// MatchString is regexp.Regexp's.
func (p *Pattern) MatchString(s string) bool { return p.compiled().MatchString(s) }

// Find is regexp.Regexp's.
func (p *Pattern) Find(b []byte) []byte { return p.compiled().Find(b) }

// FindIndex is regexp.Regexp's.
func (p *Pattern) FindIndex(b []byte) []int { return p.compiled().FindIndex(b) }

// FindSubmatchIndex is regexp.Regexp's.
func (p *Pattern) FindSubmatchIndex(b []byte) []int { return p.compiled().FindSubmatchIndex(b) }

// FindAllSubmatch is regexp.Regexp's.
func (p *Pattern) FindAllSubmatch(b []byte, n int) [][][]byte {
	return p.compiled().FindAllSubmatch(b, n)
}

// FindAllSubmatchIndex is regexp.Regexp's.
func (p *Pattern) FindAllSubmatchIndex(b []byte, n int) [][]int {
	return p.compiled().FindAllSubmatchIndex(b, n)
}

// FindStringSubmatch is regexp.Regexp's.
func (p *Pattern) FindStringSubmatch(s string) []string { return p.compiled().FindStringSubmatch(s) }

// FindStringSubmatchIndex is regexp.Regexp's.
func (p *Pattern) FindStringSubmatchIndex(s string) []int {
	return p.compiled().FindStringSubmatchIndex(s)
}

// FindAllStringSubmatch is regexp.Regexp's.
func (p *Pattern) FindAllStringSubmatch(s string, n int) [][]string {
	return p.compiled().FindAllStringSubmatch(s, n)
}

// FindAllStringSubmatchIndex is regexp.Regexp's.
func (p *Pattern) FindAllStringSubmatchIndex(s string, n int) [][]int {
	return p.compiled().FindAllStringSubmatchIndex(s, n)
}

// ReplaceAllString is regexp.Regexp's.
func (p *Pattern) ReplaceAllString(s, with string) string {
	return p.compiled().ReplaceAllString(s, with)
}

// ReplaceAllFunc is regexp.Regexp's.
func (p *Pattern) ReplaceAllFunc(b []byte, with func([]byte) []byte) []byte {
	return p.compiled().ReplaceAllFunc(b, with)
}
