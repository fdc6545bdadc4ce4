package haproxy

import (
	"maps"
	"strings"

	"github.com/haproxytech/config-parser/v5/params"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// param is a parameter of a server: its keyword, and its value where it takes one.
type param struct{ keyword, value word }

// paramSet is what the parameters of a server line and of the default-server lines before it come to.
type paramSet struct {
	set map[string]param
	// opaque marks words that were not understood, loose default-server lines that this source does not show: what is not
	// in the set is not known to be absent.
	opaque, loose bool
}

func (p paramSet) clone() paramSet {
	p.set = maps.Clone(p.set)
	return p
}

func (p paramSet) has(keyword string) bool {
	_, ok := p.set[keyword]
	return ok
}

// complete reports whether a parameter that is not in the set is absent.
func (p paramSet) complete() bool { return !p.opaque && !p.loose }

// take adds the parameters of one line to a set.
func (r *reader) take(p *paramSet, words []word) {
	for len(words) > 0 {
		keyword := words[0]
		words = words[1:]
		a := r.arityOf(keyword.text)
		if keyword.unknown || !a.known || a.value && len(words) == 0 {
			p.opaque = true
			continue
		}
		next := param{keyword: keyword}
		if a.value {
			next.value, words = words[0], words[1:]
		}
		p.set[keyword.text] = next
		p.revoke(keyword.text)
	}
}

// revoke removes what a keyword takes back.
func (p *paramSet) revoke(keyword string) {
	switch positive, negative := strings.CutPrefix(keyword, "no-"); {
	case negative:
		delete(p.set, positive)
	case keyword == "enabled":
		delete(p.set, "disabled")
	default:
		delete(p.set, "no-"+keyword)
	}
}

// paramOf reads a parameter; where no line gives it the built-in default holds, unless something was not understood.
func paramOf[T any](p paramSet, keyword string, read func(string) (T, bool), builtin T, at diag.Span) topology.Value[T] {
	switch v, ok := p.set[keyword]; {
	case ok:
		return valueOf(v.value, read)
	case !p.complete():
		return topology.UnknownAt[T](at)
	}
	return topology.DefaultAt(builtin, at)
}

// flagOf reads a parameter without value.
func flagOf(p paramSet, keyword string, at diag.Span) topology.Value[bool] {
	switch v, ok := p.set[keyword]; {
	case ok:
		return topology.SetAt(true, v.keyword.at)
	case !p.complete():
		return topology.UnknownAt[bool](at)
	}
	return topology.DefaultAt(false, at)
}

// younger are keywords that HAProxy got after config-parser was archived, and whether they take a value.
var younger = map[string]bool{
	"check-pool-conn-name": true, "check-reuse-pool": false, "cc": true, "guid": true, "hash-key": true, "idle-ping": true,
	"init-state": true, "no-renegotiate": false, "no-check-reuse-pool": false, "pool-conn-name": true, "renegotiate": false,
	"strict-maxconn": false,
}

// arity says whether a keyword of server lines is known, and takes a value.
type arity struct{ known, value bool }

// arityOf asks config-parser's table of server keywords.
func (r *reader) arityOf(keyword string) arity {
	a, ok := r.arities[keyword]
	if ok {
		return a
	}
	switch value, young := younger[keyword]; {
	case young:
		a = arity{known: true, value: value}
	case len(params.ParseServerOptions([]string{keyword})) == 1:
		a = arity{known: true}
	case len(params.ParseServerOptions([]string{keyword, "value"})) == 1:
		a = arity{known: true, value: true}
	}
	r.arities[keyword] = a
	return a
}
