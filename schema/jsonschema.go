package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
)

// JSONSchema is the schema as JSON Schema 2020-12, for editors: fields, types, defaults and documentation. What relates
// one value to another is only checked by Load.
func JSONSchema() ([]byte, error) {
	sh, err := spec()
	if err != nil {
		return nil, err
	}
	j := &jsonSchema{shapes: sh, defs: map[string]any{}}
	one := sh.def("#Spec")
	// An entry of a fleet may leave out anything that defaults fill in.
	part := j.value(one, false)
	j.defs["FleetEntry"] = part
	entry := map[string]any{"$ref": "#/$defs/FleetEntry"}
	fleet := map[string]any{
		"type": "object", "additionalProperties": false, "required": []string{"clusters"},
		"properties": map[string]any{
			"defaults": described(entry, "Fills what an entry leaves out; the entry wins."),
			"clusters": map[string]any{
				"type": "object", "description": "One spec a cluster.", "minProperties": 1,
				"propertyNames": j.definition("#ClusterName"), "additionalProperties": entry,
			},
		},
	}
	out, err := json.MarshalIndent(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "A spec of etcdlbgen",
		// Of the two, an editor then complains about the one that is meant.
		"if":    map[string]any{"required": []string{"clusters"}},
		"then":  fleet,
		"else":  j.value(one, true),
		"$defs": j.defs,
	}, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(out, '\n'), nil
}

type jsonSchema struct {
	*shapes
	defs map[string]any // of leaves, as they come into use
}

// value is what a place admits; whole says that what must be there, must.
func (j *jsonSchema) value(sh *shape, whole bool) map[string]any {
	switch {
	case sh.list:
		return map[string]any{"type": "array", "items": j.value(sh.elem, whole)}
	case sh.isStruct:
		return j.object(sh, whole)
	case sh.basic == cue.BoolKind:
		return map[string]any{"type": "boolean"}
	}
	var alternatives []any
	for _, name := range sh.defs {
		alternatives = append(alternatives, j.definition(name))
	}
	if len(sh.enum) > 0 {
		alternatives = append(alternatives, map[string]any{"enum": sh.enum})
	}
	if len(alternatives) == 1 {
		return alternatives[0].(map[string]any)
	}
	return map[string]any{"anyOf": alternatives}
}

func (j *jsonSchema) object(sh *shape, whole bool) map[string]any {
	out := map[string]any{"type": "object", "additionalProperties": false}
	if sh.elem != nil {
		out["additionalProperties"] = j.value(sh.elem, whole)
		if sh.key != nil {
			out["propertyNames"] = j.value(sh.key, whole)
		}
		return out
	}
	properties, required := map[string]any{}, []string{}
	for _, f := range sh.fields {
		v := described(j.value(f.shape, whole), f.doc)
		if f.def != nil {
			v["default"] = f.def
		}
		properties[f.name] = v
		if whole && !f.optional {
			required = append(required, f.name)
		}
	}
	out["properties"] = properties
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

// described adds a description to a copy of a value, since definitions are shared.
func described(v map[string]any, text string) map[string]any {
	out := maps.Clone(v)
	if text != "" {
		out["description"] = text
	}
	return out
}

// definition refers to a definition of a leaf.
func (j *jsonSchema) definition(name string) map[string]any {
	key := strings.TrimPrefix(name, "#")
	if _, ok := j.defs[key]; !ok {
		d := j.shapes.defs[name]
		j.defs[key] = described(j.leaf(d.Value), doc(d))
	}
	return map[string]any{"$ref": "#/$defs/" + key}
}

// leaf translates what a leaf's definition may consist of.
func (j *jsonSchema) leaf(e ast.Expr) map[string]any {
	switch e := e.(type) {
	case *ast.Ident:
		switch e.Name {
		case "string":
			return map[string]any{"type": "string"}
		case "int":
			return map[string]any{"type": "integer"}
		}
		return j.definition(e.Name)
	case *ast.BasicLit:
		return map[string]any{"const": literal(e)}
	case *ast.SelectorExpr: // of package net
		if name, _, err := ast.LabelName(e.Sel); err == nil && name == "IPCIDR" {
			return map[string]any{"pattern": "^[0-9A-Fa-f:.]+/[0-9]{1,3}$"}
		}
		return map[string]any{"anyOf": []any{map[string]any{"format": "ipv4"}, map[string]any{"format": "ipv6"}}}
	case *ast.UnaryExpr:
		v := literal(e.X.(*ast.BasicLit))
		switch e.Op {
		case token.MAT:
			return map[string]any{"type": "string", "pattern": v}
		case token.NMAT:
			return map[string]any{"not": map[string]any{"pattern": v}}
		case token.GEQ:
			return map[string]any{"minimum": v}
		case token.LEQ:
			return map[string]any{"maximum": v}
		}
	case *ast.BinaryExpr:
		of := map[token.Token]string{token.AND: "allOf", token.OR: "anyOf"}[e.Op]
		if of != "" {
			return map[string]any{of: []any{j.leaf(e.X), j.leaf(e.Y)}}
		}
	}
	panic(fmt.Sprintf("schema: unexpected syntax %T", e))
}
