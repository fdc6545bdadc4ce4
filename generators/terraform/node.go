package terraform

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// node is one instance of a resource, or of a block in one.
type node struct {
	resource *resource
	bodies   []*hclsyntax.Body
	header   hcl.Range
	scope    scope
	key      value    // of for_each
	object   *mapping // of a block that is written as an element of a list
	many     bool     // stands for an unknown number of instances
}

// in is the instance for one element of a collection.
func (n node) in(iteratorName string, key, v value) node {
	out := n
	out.scope = n.scope.with(iteratorName, iterator("key", key, v))
	out.key = key
	return out
}

// span is that of the block's header.
func (n node) span() diag.Span { return n.scope.folder.span(n.header) }

// address is that of the resource: "aws_lb.this".
func (n node) address() string { return n.resource.address() }

// index is the key that for_each made an instance of, in brackets, else "".
func (n node) index() string {
	if key, ok := n.key.text(); ok {
		return "[" + key + "]"
	}
	return ""
}

// instance is the address of one instance: "aws_lb.this[eu]".
func (n node) instance() string { return n.address() + n.index() }

// get is the value of an argument; false where it is not written or null.
func (n node) get(name string) (value, bool) {
	if n.object != nil {
		v, ok := n.object.fields[name]
		return v, ok && !v.absent()
	}
	for i := len(n.bodies) - 1; i >= 0; i-- {
		if a := n.bodies[i].Attributes[name]; a != nil {
			v := n.scope.eval(a.Expr)
			if v.at == (hcl.Range{}) {
				v.at = a.Expr.Range()
			}
			return v, !v.absent()
		}
	}
	return value{}, false
}

// refers are the resources that an argument mentions.
func (n node) refers(name string) []string {
	v, _ := n.get(name)
	return v.mentions()
}

// target is the one resource of a kind that an argument refers to, or "".
func (n node) target(name, kind string) string {
	for _, r := range n.refers(name) {
		if strings.HasPrefix(r, kind+".") {
			return r
		}
	}
	return ""
}

// blocks are the nested blocks of a type, dynamic ones included. Those of an override file replace all earlier ones.
func (n node) blocks(kind string) []node {
	for i := len(n.bodies) - 1; i >= 0; i-- {
		var out []node
		for _, b := range n.bodies[i].Blocks {
			inner := n
			inner.bodies, inner.header = []*hclsyntax.Body{b.Body}, b.DefRange()
			switch {
			case b.Type == kind:
				out = append(out, inner)
			case b.Type == "dynamic" && len(b.Labels) == 1 && b.Labels[0] == kind:
				out = append(out, inner.dynamic(kind)...)
			}
		}
		if out != nil {
			return out
		}
	}
	return nil
}

// entries are the nested blocks of a type, and those written as a list of objects.
func (n node) entries(kind string) []node {
	out := n.blocks(kind)
	listed, _ := n.get(kind)
	items, _ := listed.items()
	for _, item := range items {
		if m, ok := item.data.(*mapping); ok {
			one := n
			one.object, one.header = m, item.at
			out = append(out, one)
		}
	}
	return out
}

// dynamic expands the content of a dynamic block.
func (n node) dynamic(kind string) []node {
	var content *hclsyntax.Block
	for _, b := range n.bodies[0].Blocks {
		if b.Type == "content" {
			content = b
		}
	}
	if content == nil {
		return nil
	}
	if a := n.bodies[0].Attributes["iterator"]; a != nil {
		kind = hcl.ExprAsKeyword(a.Expr)
	}
	each, _ := n.get("for_each")
	key := n.key
	n.bodies = []*hclsyntax.Body{content.Body}
	out := expand(n, kind, each)
	for i := range out {
		out[i].key = key
	}
	return out
}

// block is the only nested block of a type.
func (n node) block(kind string) (node, bool) {
	if all := n.blocks(kind); len(all) > 0 {
		return all[0], true
	}
	return node{}, false
}

// read is an argument's fact; unknown without position where the argument is not written.
func read[T any](n node, name string, convert func(value) (T, bool)) topology.Value[T] {
	v, ok := n.get(name)
	if !ok {
		return topology.Value[T]{}
	}
	return fact(n, v, convert)
}

// readOr is an argument's fact, or the format's default for it.
func readOr[T any](n node, name string, convert func(value) (T, bool), fallback T) topology.Value[T] {
	v, ok := n.get(name)
	if !ok {
		return topology.DefaultAt(fallback, n.span())
	}
	return fact(n, v, convert)
}

func fact[T any](n node, v value, convert func(value) (T, bool)) topology.Value[T] {
	at := n.scope.folder.span(v.at)
	if out, ok := convert(v); ok {
		return topology.SetAt(out, at)
	}
	return topology.UnknownAt[T](at)
}
