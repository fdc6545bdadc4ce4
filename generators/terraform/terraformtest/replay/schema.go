package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// block is what the file says of a resource, of a block in one, or of an element of a list of objects.
type block struct {
	Attributes  map[string]attribute `json:"attributes"`
	Blocks      map[string]block     `json:"blocks"`
	MinItems    int64                `json:"min_items"`
	MaxItems    int64                `json:"max_items"`
	NestingMode string               `json:"nesting_mode"`
}

type attribute struct {
	Type     json.RawMessage `json:"type"`
	Nested   *block          `json:"nested"` // of type "object-list": what its elements hold
	Required bool            `json:"required"`
	Optional bool            `json:"optional"`
	Computed bool            `json:"computed"`
}

func loadSchemas(path string) (map[string]*tfprotov5.Schema, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Resources map[string]block `json:"resources"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	out := map[string]*tfprotov5.Schema{}
	for name, b := range doc.Resources {
		schema, err := b.schema()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = &tfprotov5.Schema{Block: schema}
	}
	return out, nil
}

func (b block) schema() (*tfprotov5.SchemaBlock, error) {
	out := &tfprotov5.SchemaBlock{}
	for _, name := range slices.Sorted(maps.Keys(b.Attributes)) {
		a := b.Attributes[name]
		kind, err := a.kind()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out.Attributes = append(out.Attributes, &tfprotov5.SchemaAttribute{
			Name: name, Type: kind, Required: a.Required, Optional: a.Optional, Computed: a.Computed,
		})
	}
	modes := map[string]tfprotov5.SchemaNestedBlockNestingMode{
		"single": tfprotov5.SchemaNestedBlockNestingModeSingle,
		"list":   tfprotov5.SchemaNestedBlockNestingModeList,
		"set":    tfprotov5.SchemaNestedBlockNestingModeSet,
	}
	for _, name := range slices.Sorted(maps.Keys(b.Blocks)) {
		nested := b.Blocks[name]
		inner, err := nested.schema()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		mode, ok := modes[nested.NestingMode]
		if !ok {
			return nil, fmt.Errorf("%s: unknown nesting mode %q", name, nested.NestingMode)
		}
		out.BlockTypes = append(out.BlockTypes, &tfprotov5.SchemaNestedBlock{
			TypeName: name, Block: inner, Nesting: mode, MinItems: nested.MinItems, MaxItems: nested.MaxItems,
		})
	}
	return out, nil
}

// kind is the type of an attribute. Some files do not say what the elements of a list of objects hold.
func (a attribute) kind() (tftypes.Type, error) {
	if string(a.Type) != `"object-list"` {
		return tftypes.ParseJSONType(a.Type) //nolint:staticcheck // the only reader of this notation
	}
	if a.Nested == nil {
		return tftypes.DynamicPseudoType, nil
	}
	fields := map[string]tftypes.Type{}
	for name, f := range a.Nested.Attributes {
		kind, err := f.kind()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		fields[name] = kind
	}
	object := tftypes.Object{AttributeTypes: fields}
	if a.Nested.NestingMode == "set" {
		return tftypes.Set{ElementType: object}, nil
	}
	return tftypes.List{ElementType: object}, nil
}
