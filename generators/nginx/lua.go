package nginx

import (
	"bytes"

	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

// luaBlock is how a block of Lua begins: content_by_lua_block {, set_by_lua_block $x {.
var luaBlock = pattern.New(`(?m)^[^#'"\n]*["']?\b\w+_by_lua_block["']?\s+(?:\$\w+\s*)?\{`)

// withoutLua blanks the bodies of Lua blocks, whose text follows other rules. Lines and columns stay. A block that is
// never closed is left as it is.
func withoutLua(data []byte) []byte {
	if !bytes.Contains(data, []byte("_by_lua_block")) {
		return data
	}
	out, cloned := data, false
	for from := 0; ; {
		m := luaBlock.FindIndex(data[from:])
		if m == nil {
			return out
		}
		begin := from + m[1]
		n := luaLength(data[begin:])
		if n < 0 {
			return out
		}
		if !cloned {
			out, cloned = bytes.Clone(data), true
		}
		for i := begin; i < begin+n; i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
		from = begin + n
	}
}

// luaToken is a brace, or what hides braces: a comment, a long string, a string. One that is not closed ends with its line.
var luaToken = pattern.New(`(?s)[{}]|--\[\[.*?\]\]|--[^\n]*|\[\[.*?\]\]|\[=\[.*?\]=\]|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?`)

// luaLength is how many bytes stand before the brace that closes a block, or -1.
func luaLength(body []byte) int {
	depth := 1
	for at := 0; ; {
		m := luaToken.FindIndex(body[at:])
		if m == nil {
			return -1
		}
		switch body[at+m[0]] {
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth == 0 {
			return at + m[0]
		}
		at += m[1]
	}
}
