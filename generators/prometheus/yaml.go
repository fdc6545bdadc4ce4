package prometheus

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// pair is one entry of a mapping.
type pair struct {
	key   string
	value *yaml.Node
}

// mapping keeps the order of its entries; those without value are left out.
func mapping(pairs ...pair) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, p := range pairs {
		if p.value != nil {
			n.Content = append(n.Content, text(p.key), p.value)
		}
	}
	return n
}

// sequence is a list, an empty one as [].
func sequence(items ...*yaml.Node) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Content: items}
	if len(items) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

// text is a string, quoted where YAML would read something else. What has blanks at an end or signs that do not print
// is quoted in any case.
func text(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	if strings.TrimSpace(s) != s || strings.ContainsFunc(s, odd) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// block is a text of several lines.
func block(s string) *yaml.Node {
	if !strings.Contains(s, "\n") {
		return text(s)
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.LiteralStyle, Value: s}
}

// commented puts comment lines above a node of a sequence or the root of a document.
func commented(n *yaml.Node, lines ...string) *yaml.Node {
	for i, l := range lines {
		lines[i] = strings.TrimRight("# "+l, " ")
	}
	n.HeadComment = strings.Join(lines, "\n")
	return n
}

// document prints a document with its head comment.
func document(root *yaml.Node, head ...string) []byte {
	var out bytes.Buffer
	for _, l := range head {
		out.WriteString(strings.TrimRight("# "+l, " ") + "\n")
	}
	out.WriteString("\n")
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		panic(fmt.Sprintf("a tree of strings does not encode: %v", err)) // cannot happen
	}
	return out.Bytes()
}
