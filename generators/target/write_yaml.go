package target

import (
	"bytes"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// YAMLText prints documents of block style, the header above the first.
func YAMLText(head []string, docs ...*yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	for _, l := range head {
		out.WriteString(strings.TrimRight("# "+l, " ") + "\n")
	}
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	for i, d := range docs {
		if i == 0 {
			out.WriteString("---\n")
		}
		if err := enc.Encode(d); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), enc.Close()
}

// YAMLEntry is one entry of a mapping, with comments above it.
type YAMLEntry struct {
	Key   string
	Value *yaml.Node
	About []string
}

// YAMLMap is a mapping in that order. Keys that some reader takes for anything but a text are quoted.
func YAMLMap(entries ...YAMLEntry) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, e := range entries {
		key := YAMLString(e.Key)
		if plainKey(e.Key) {
			key.Style = 0
		}
		key.HeadComment = strings.Join(e.About, "\n")
		n.Content = append(n.Content, key, e.Value)
	}
	return n
}

// plainKey reports whether a key is a field's name, which no reader takes for a number or a truth value.
func plainKey(s string) bool {
	return len(s) > 3 && s != "null" && s != "true" && s != "false" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") == ""
}

// YAMLString is a text, in quotes, so that no reader takes it for anything else.
func YAMLString(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: s}
}

// YAMLWord is a word of a format's own vocabulary, which needs no quotes.
func YAMLWord(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

// YAMLInt is a number.
func YAMLInt(n int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(n)}
}

// YAMLBool is a truth value.
func YAMLBool(b bool) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(b)}
}

// YAMLList is a list.
func YAMLList(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Content: items}
}

// YAMLStrings is a list of texts.
func YAMLStrings(texts ...string) *yaml.Node {
	n := YAMLList()
	for _, s := range texts {
		n.Content = append(n.Content, YAMLString(s))
	}
	return n
}
