package iptables

import (
	"slices"
	"strings"
)

// mapped makes of a line with a map from values to verdicts one line for each value, since nft takes the one that matches.
// Any other line stays as it is: of connection states it is read as a whole, and a key of several parts is not understood.
func (n *nftRule) mapped(line []word) [][]word {
	const most = 64 // words that may stand before a map
	at := slices.IndexFunc(line[:min(len(line), most)], func(w word) bool { return w.text == "vmap" })
	if at < 1 || at+1 >= len(line) || line[at-1].text == "state" || slices.ContainsFunc(line[:at], func(w word) bool { return w.text == "." }) {
		return [][]word{line}
	}
	elements := line[at+1:]
	if strings.HasPrefix(elements[0].text, "@") {
		elements = n.sets(elements[0].text)
	}
	var out [][]word
	for _, e := range split(elements) {
		key, verdict, ok := arrow(e)
		if !ok || len(out) == maxSources {
			return [][]word{line}
		}
		out = append(out, slices.Concat(line[:at], []word{key}, verdict))
	}
	if out == nil {
		return [][]word{line}
	}
	return out
}

// split cuts the elements of a set at its commas, up to the brace that closes it.
func split(words []word) [][]word {
	var out [][]word
	var one []word
	for _, w := range words {
		switch w.text {
		case "{":
			continue
		case ",", "}":
			if len(one) > 0 {
				out = append(out, one)
			}
			one = nil
			if w.text == "}" {
				return out
			}
		default:
			one = append(one, w)
		}
	}
	if len(one) > 0 {
		out = append(out, one)
	}
	return out
}

// arrow is a value and the verdict that it is mapped to, which may stand as "22 : accept", "22: accept" or "22:accept".
func arrow(element []word) (key word, verdict []word, ok bool) {
	key = element[0]
	rest := element[1:]
	switch {
	case len(rest) > 1 && rest[0].text == ":":
		rest = rest[1:]
	case len(rest) > 0 && strings.HasSuffix(key.text, ":"):
		key.text = strings.TrimSuffix(key.text, ":")
	case len(rest) > 0 && len(rest[0].text) > 1 && rest[0].text[0] == ':':
		head := rest[0]
		head.text = head.text[1:]
		rest = append([]word{head}, rest[1:]...)
	default:
		i := strings.LastIndexByte(key.text, ':')
		if i < 1 || i+1 == len(key.text) {
			return key, nil, false
		}
		head := key
		head.text, key.text = key.text[i+1:], key.text[:i]
		rest = append([]word{head}, rest...)
	}
	known := nftVerdicts[rest[0].text] != "" || rest[0].text == "jump" || rest[0].text == "goto"
	return key, rest, known && key.text != "*"
}
