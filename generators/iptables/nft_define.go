package iptables

import (
	"slices"
	"strings"
)

// maxDefined bounds the words that defined names may come to, in all.
const maxDefined = 20_000

// defined puts what names are defined as in the place of "$name", where it is used. What is not defined in the file
// stays.
func defined(words []word) []word {
	if !slices.ContainsFunc(words, func(w word) bool { return w.text == "define" }) {
		return words
	}
	values := map[string][]word{}
	var out []word
	left, depth := maxDefined, 0
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w.text == "define" && i+2 < len(words) && words[i+2].text == "=" {
			end := endOfDefinition(words, i+3)
			values[words[i+1].text] = expandDefined(words[i+3:end], values, &left, 0)
			i = end - 1
			continue
		}
		switch w.text {
		case "{":
			depth++
		case "}":
			depth--
		}
		if !strings.HasPrefix(w.text, "$") {
			out = append(out, w)
			continue
		}
		out = append(out, expandDefined([]word{w}, values, &left, depth)...)
	}
	return out
}

// endOfDefinition is where the value ends that begins at i: with its line, unless a brace is open.
func endOfDefinition(words []word, i int) int {
	depth := 0
	for ; i < len(words); i++ {
		switch words[i].text {
		case "{":
			depth++
		case "}":
			depth--
		case ";":
			if depth <= 0 {
				return i
			}
		}
	}
	return i
}

// expandDefined replaces the names among words. Within a set, at a depth, the braces of a defined set fall away.
func expandDefined(words []word, values map[string][]word, left *int, depth int) []word {
	var out []word
	for _, w := range words {
		switch w.text {
		case "{":
			depth++
		case "}":
			depth--
		}
		name, isName := strings.CutPrefix(w.text, "$")
		value, ok := values[name]
		if !isName || !ok || *left < len(value) {
			out = append(out, w)
			continue
		}
		*left -= len(value)
		if n := len(value); depth > 0 && n > 1 && value[0].text == "{" && value[n-1].text == "}" {
			value = value[1 : n-1]
		}
		for _, v := range value {
			if v.text != ";" {
				v.span = w.span
				out = append(out, v)
			}
		}
	}
	return out
}
