package cloudclitest

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

var column = regexp.MustCompile(`[^,()]+(\([^()]*\)[^,()]*)*`)

// project prints a thing as --format='value(…)' does.
func project(t object, format string) (string, error) {
	columns, ok := strings.CutPrefix(format, "value(")
	if !ok {
		return "", fmt.Errorf("format %s is unknown", format)
	}
	plain, err := roundTrip(t)
	if err != nil {
		return "", err
	}
	var out []string
	for _, c := range column.FindAllString(strings.TrimSuffix(columns, ")"), -1) {
		cell, err := evaluate(plain, c)
		if err != nil {
			return "", err
		}
		out = append(out, cell)
	}
	return strings.Join(out, "\t"), nil
}

// evaluate follows a path with functions at its end.
func evaluate(v any, path string) (string, error) {
	mapped := false
	for step := range strings.SplitSeq(path, ".") {
		name, each := strings.CutSuffix(step, "[]")
		switch {
		case step == "map()":
			mapped = true
		case strings.HasSuffix(step, ")"):
			var err error
			if _, several := v.([]any); several && !mapped && step != "list()" {
				return "", fmt.Errorf("%s is for one value, not for several", step)
			}
			if v, err = transform(v, step); err != nil {
				return "", err
			}
		default:
			v = field(v, name)
			if each && v == nil {
				return "", nil
			}
		}
	}
	switch v := v.(type) {
	case nil:
		return "", nil
	case bool:
		return map[bool]string{true: "True", false: "False"}[v], nil
	}
	return fmt.Sprint(v), nil
}

// field is that of a thing, or of each of several.
func field(v any, name string) any {
	if all, ok := v.([]any); ok {
		out := make([]any, len(all))
		for i, item := range all {
			out[i] = field(item, name)
		}
		return out
	}
	if o, ok := v.(object); ok {
		return o[name]
	}
	return nil
}

func transform(v any, function string) (any, error) {
	all, several := v.([]any)
	if !several && v != nil {
		all = []any{v}
	}
	var out []string
	for _, item := range all {
		text := fmt.Sprint(item)
		switch function {
		case "basename()":
			text = path.Base(text)
		case "scope(zones)":
			_, text, _ = strings.Cut(text, "/zones/")
		case "list()", "firewall_rule()":
		default:
			return nil, fmt.Errorf("function %s is unknown", function)
		}
		out = append(out, text)
	}
	switch {
	case function == "list()":
		return strings.Join(out, ","), nil
	case !several && len(out) == 1:
		return out[0], nil
	}
	again := make([]any, len(out))
	for i, text := range out {
		again[i] = text
	}
	return again, nil
}
