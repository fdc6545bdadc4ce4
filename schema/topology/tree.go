package topology

import (
	"maps"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// Tree is a decoded value of a spec with the position of each part: a leaf (string, int or bool), a list or fields. A
// nil Tree is what the spec leaves out.
type Tree struct {
	Leaf   any
	List   []*Tree
	Fields map[string]*Tree
	Span   diag.Span // of the value; of a default, of the enclosing struct
	// Defaulted marks a leaf that the spec leaves out and the table of defaults fills in.
	Defaulted bool
}

// Get returns a field, or nil.
func (t *Tree) Get(path ...string) *Tree {
	for _, name := range path {
		if t == nil {
			return nil
		}
		t = t.Fields[name]
	}
	return t
}

// Keys are the names of the fields, sorted.
func (t *Tree) Keys() []string {
	if t == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(t.Fields))
}

// Items are the parts of a list.
func (t *Tree) Items() []*Tree {
	if t == nil {
		return nil
	}
	return t.List
}

// At is the span of the tree, or of other where the spec leaves it out.
func (t *Tree) At(other diag.Span) diag.Span {
	if t == nil {
		return other
	}
	return t.Span
}

// Get is the leaf name of a struct: set, defaulted, or unknown where neither the spec nor a default says it.
func Get[T any](t *Tree, name string) Value[T] {
	f := t.Get(name)
	if f == nil {
		if t == nil {
			return Value[T]{}
		}
		return UnknownAt[T](t.Span)
	}
	v, ok := f.Leaf.(T)
	switch {
	case !ok:
		return UnknownAt[T](f.Span)
	case f.Defaulted:
		return DefaultAt(v, f.Span)
	}
	return SetAt(v, f.Span)
}
