package terraform

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// value is what an expression is known to be without running Terraform.
type value struct {
	// data is a string, a float64, a bool, null, []value or *object; nil where only a run would tell.
	data any
	// refs are the resources ("aws_lb.this") that the expression mentions where its value is unknown.
	refs []string
	// choice says that only a run would tell which of several expressions this is.
	choice bool
	at     hcl.Range // of the literal that decides
}

// null is the value of the keyword.
type null struct{}

// mapping is a map in the order in which it is written.
type mapping struct {
	keys   []string
	fields map[string]value
	// open says that further keys exist which are not known.
	open bool
}

func (o *mapping) put(key string, v value) {
	if _, ok := o.fields[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.fields[key] = v
}

func unknown(at hcl.Range, refs ...string) value { return value{refs: refs, at: at} }

// known reports whether the value may be judged.
func (v value) known() bool { return v.data != nil }

// absent reports whether the value is null, as if the argument were not there.
func (v value) absent() bool {
	_, ok := v.data.(null)
	return ok
}

// text is a string, or what Terraform makes a string of.
func (v value) text() (string, bool) {
	switch d := v.data.(type) {
	case string:
		return d, !topology.IsHole(d)
	case float64:
		return strconv.FormatFloat(d, 'f', -1, 64), true
	case bool:
		return strconv.FormatBool(d), true
	}
	return "", false
}

// whole is an integer, or a string that Terraform makes one of.
func (v value) whole() (int, bool) {
	switch d := v.data.(type) {
	case float64:
		return int(d), d == math.Trunc(d) && math.Abs(d) < 1<<31
	case string:
		n, err := strconv.ParseInt(d, 10, 32)
		return int(n), err == nil
	}
	return 0, false
}

// seconds is a number of seconds.
func (v value) seconds() (time.Duration, bool) {
	n, ok := v.whole()
	return time.Duration(n) * time.Second, ok && n >= 0
}

// truth is a boolean, or a string that Terraform makes one of.
func (v value) truth() (bool, bool) {
	switch d := v.data.(type) {
	case bool:
		return d, true
	case string:
		return d == "true", d == "true" || d == "false"
	}
	return false, false
}

// items are the elements of a list, or the values of a map.
func (v value) items() ([]value, bool) {
	switch d := v.data.(type) {
	case []value:
		return d, true
	case *mapping:
		out := make([]value, len(d.keys))
		for i, key := range d.keys {
			out[i] = d.fields[key]
		}
		return out, !d.open
	}
	return nil, false
}

// field is an entry of a map, or an element of a list.
func (v value) field(key value) value {
	switch d := v.data.(type) {
	case *mapping:
		name, ok := key.text()
		if f, has := d.fields[name]; ok && has {
			return f
		}
	case []value:
		if i, ok := key.whole(); ok && 0 <= i && i < len(d) {
			return d[i]
		}
	}
	return unknown(v.at, v.refs...)
}

// mentions are the resources that a value, or any of its elements, refers to.
func (v value) mentions() []string {
	out := slices.Clone(v.refs)
	items, _ := v.items()
	for _, item := range items {
		out = union(out, item.refs)
	}
	return out
}

// equal compares two known scalars.
func equal(a, b value) (same, ok bool) {
	if a.absent() || b.absent() {
		return a.absent() && b.absent(), a.known() && b.known()
	}
	x, okX := a.text()
	y, okY := b.text()
	return x == y, okX && okY
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// resourceOf is the address of the resource that a traversal begins with, "" where it begins with something else.
func resourceOf(t hcl.Traversal) string {
	if len(t) < 2 {
		return ""
	}
	switch t.RootName() {
	case "var", "local", "each", "count", "data", "module", "path", "self", "terraform":
		return ""
	}
	label, ok := t[1].(hcl.TraverseAttr)
	if !ok {
		return ""
	}
	return canonicalKind(t.RootName()) + "." + label.Name
}

// canonicalKind is the present name of a kind of resource that has an older one too.
func canonicalKind(kind string) string {
	if rest, ok := strings.CutPrefix(kind, "aws_alb"); ok {
		return "aws_lb" + rest
	}
	return kind
}
