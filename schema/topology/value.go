package topology

import (
	"net/netip"
	"strings"
	"time"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// State says how a fact is known.
type State uint8

// A fact is unknown until somebody states it: rules are silent on unknown facts.
const (
	Unknown   State = iota // the input does not say, or says it in a way only a run would resolve
	Defaulted              // the format's own default; the span is the enclosing block
	Set                    // written down; the span is the value
)

// Value is one fact with its state and position.
type Value[T any] struct {
	V     T
	State State
	Span  diag.Span
}

// Known reports whether the value may be judged.
func (v Value[T]) Known() bool { return v.State != Unknown }

// SetAt is a value that is written at span.
func SetAt[T any](v T, span diag.Span) Value[T] { return Value[T]{V: v, State: Set, Span: span} }

// DefaultAt is the default that holds in the block at span.
func DefaultAt[T any](v T, span diag.Span) Value[T] {
	return Value[T]{V: v, State: Defaulted, Span: span}
}

// UnknownAt is a value that stands at span but cannot be read.
func UnknownAt[T any](span diag.Span) Value[T] { return Value[T]{Span: span} }

// Hole is the text that stands for a template placeholder in masked sources, repeated and cut to the placeholder's
// length. It is a word in every format, but no name that a spec or DNS allows.
const Hole = "q_z"

// IsHole reports whether a word came, in whole or in part, from a template placeholder.
func IsHole(word string) bool { return strings.Contains(word, Hole) }

// CanonicalHost is an address in its one spelling, an IPv4 one in IPv6 clothes as IPv4, or a DNS name in lower case
// without a final dot.
func CanonicalHost(s string) string {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(s, "."))
}

// Short writes a duration as users do, without the zero parts that Go adds: "1h", "5m", "1m30s".
func Short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
