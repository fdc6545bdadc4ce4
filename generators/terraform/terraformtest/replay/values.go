package main

import (
	"crypto/sha256"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// change is what becomes of the value of one attribute.
type change func(*tfprotov5.SchemaAttribute, tftypes.Value) tftypes.Value

// undecided makes unknown what only the cloud says.
func undecided(a *tfprotov5.SchemaAttribute, v tftypes.Value) tftypes.Value {
	if a.Computed && v.IsNull() {
		return tftypes.NewValue(a.Type, tftypes.UnknownValue)
	}
	return v
}

// decided invents what was unknown, another text for each resource.
func decided(resource string, config *tfprotov5.DynamicValue) change {
	sum := sha256.Sum256(config.MsgPack)
	return func(a *tfprotov5.SchemaAttribute, v tftypes.Value) tftypes.Value {
		switch {
		case v.IsKnown():
			return v
		case a.Type.Is(tftypes.String):
			return tftypes.NewValue(a.Type, fmt.Sprintf("%s-%s-%x", resource, a.Name, sum[:4]))
		case a.Type.Is(tftypes.Number):
			return tftypes.NewValue(a.Type, 0)
		case a.Type.Is(tftypes.Bool):
			return tftypes.NewValue(a.Type, false)
		case a.Type.Is(tftypes.Map{}):
			return tftypes.NewValue(a.Type, map[string]tftypes.Value{})
		case a.Type.Is(tftypes.DynamicPseudoType):
			return tftypes.NewValue(a.Type, nil)
		}
		return tftypes.NewValue(a.Type, []tftypes.Value{})
	}
}

// block changes the attributes of a block, and of the blocks in it.
func (c change) block(b *tfprotov5.SchemaBlock, v tftypes.Value) (tftypes.Value, error) {
	if v.IsNull() || !v.IsKnown() {
		return v, nil
	}
	var fields map[string]tftypes.Value
	if err := v.As(&fields); err != nil {
		return v, err
	}
	for _, a := range b.Attributes {
		fields[a.Name] = c(a, fields[a.Name])
	}
	for _, nested := range b.BlockTypes {
		inner, err := c.nested(nested, fields[nested.TypeName])
		if err != nil {
			return v, fmt.Errorf("%s: %w", nested.TypeName, err)
		}
		fields[nested.TypeName] = inner
	}
	return tftypes.NewValue(v.Type(), fields), nil
}

func (c change) nested(b *tfprotov5.SchemaNestedBlock, v tftypes.Value) (tftypes.Value, error) {
	if b.Nesting == tfprotov5.SchemaNestedBlockNestingModeSingle || v.IsNull() || !v.IsKnown() {
		return c.block(b.Block, v)
	}
	var items []tftypes.Value
	if err := v.As(&items); err != nil {
		return v, err
	}
	for i := range items {
		item, err := c.block(b.Block, items[i])
		if err != nil {
			return v, err
		}
		items[i] = item
	}
	return tftypes.NewValue(v.Type(), items), nil
}
