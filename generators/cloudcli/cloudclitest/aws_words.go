package cloudclitest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/jmespath/go-jmespath"
)

// fakeAWS answers a call of the aws command, as far as the script makes any.
func fakeAWS(s *cloud, c Call) (string, error) {
	if len(c.Words) < 2 {
		return "", fmt.Errorf("no operation in %v", c.Words)
	}
	if c.has(skeleton) {
		return "{}\n", nil
	}
	answer, ok := awsAnswers[strings.Join(c.Words[:2], " ")]
	if !ok {
		return "", fmt.Errorf("%v is unknown", c.Words)
	}
	out, err := answer(s, c)
	if err != nil || out == nil {
		return "", err
	}
	if query := c.one("query"); query != "" {
		plain, err := roundTrip(out)
		if err != nil {
			return "", err
		}
		if out, err = jmespath.Search(query, plain); err != nil {
			return "", fmt.Errorf("%s: %w", query, err)
		}
	}
	return text(out), nil
}

func roundTrip(v any) (out any, err error) {
	data, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	return out, err
}

// text prints as --output text does.
func text(v any) string {
	list, ok := v.([]any)
	if !ok {
		return word(v) + "\n"
	}
	var out strings.Builder
	var row []string
	for _, item := range list {
		if inner, ok := item.([]any); ok {
			words := make([]string, len(inner))
			for i, w := range inner {
				words[i] = word(w)
			}
			out.WriteString(strings.Join(words, "\t") + "\n")
			continue
		}
		row = append(row, word(item))
	}
	if row != nil {
		out.WriteString(strings.Join(row, "\t") + "\n")
	}
	return out.String()
}

func word(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// shorthand reads AWS's short form of a structure.
func shorthand(s string) map[string]any {
	v, _ := structure(s)
	return v
}

func structure(s string) (map[string]any, string) {
	out := map[string]any{}
	for s != "" && s[0] != '}' {
		key, rest, _ := strings.Cut(s, "=")
		out[key], s = element(rest)
		s = strings.TrimPrefix(s, ",")
	}
	return out, s
}

func element(s string) (any, string) {
	switch {
	case strings.HasPrefix(s, "["):
		list := []any{}
		for s = s[1:]; s[0] != ']'; s = strings.TrimPrefix(s, ",") {
			var v any
			v, s = element(s)
			list = append(list, v)
		}
		return list, s[1:]
	case strings.HasPrefix(s, "{"):
		v, rest := structure(s[1:])
		return v, rest[1:]
	}
	if end := strings.IndexAny(s, ",]}"); end >= 0 {
		return s[:end], s[end:]
	}
	return s, ""
}

func structures(words []string) []any {
	out := []any{}
	for _, w := range words {
		out = append(out, shorthand(w))
	}
	return out
}
