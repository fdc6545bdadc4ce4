package schema

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"cuelang.org/go/cue/ast"
	cueerrors "cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/scanner"
	"cuelang.org/go/cue/token"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// The bounds of what is parsed: beyond them parsers recurse until the stack is full.
const (
	maxNesting = 200
	maxChain   = 2000 // operators and labels in a row
)

// TooDeep is why a text is nested too deeply to be parsed, or "".
func TooDeep(data []byte) string {
	depth, chain := nesting(data)
	switch {
	case depth > maxNesting:
		return fmt.Sprintf("brackets are nested %d deep, which no configuration needs, so the file is not read; need at most %d",
			depth, maxNesting)
	case chain > maxChain:
		return fmt.Sprintf("%d operators stand in a row, which no configuration needs, so the file is not read; need at most %d",
			chain, maxChain)
	}
	return ""
}

// nesting is how deep brackets are nested, and how many operators or labels follow each other without a bracket, comma
// or finished line between them, whole-line comments left out: what makes parsers recurse.
func nesting(data []byte) (deepest, longest int) {
	depth, chain := 0, 0
	last := byte('\n') // that is not blank
	for line := range bytes.Lines(data) {
		if text := bytes.TrimLeft(line, " \t"); bytes.HasPrefix(text, []byte("#")) || bytes.HasPrefix(text, []byte("//")) {
			continue
		}
		if strings.IndexByte(operators, last) < 0 {
			chain = 0
		}
		for _, c := range line {
			switch {
			case c == '{' || c == '[' || c == '(':
				depth++
				chain = 0
			case c == '}' || c == ']' || c == ')':
				depth = max(0, depth-1)
				chain = 0
			case c == ',' || c == ';':
				chain = 0
			case strings.IndexByte(operators, c) >= 0:
				chain++
			}
			deepest, longest = max(deepest, depth), max(longest, chain)
			if c > ' ' {
				last = c
			}
		}
	}
	return deepest, longest
}

const operators = ":.&|?!-+*<>~="

// yamlBreaks end a line for YAML, but for no editor.
const yamlBreaks = "\u0085\u2028\u2029"

// textFault is where, in bytes, and why a file cannot be read as text in which lines can be counted; "" if it can.
func textFault(data []byte, breaks string) (at int, fault string) {
	for i := 0; i < len(data); {
		if c := data[i]; c >= ' ' && c < 0x7f { // nearly all there is
			i++
			continue
		}
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError:
			return i, "the file is not UTF-8 from here on; need text in UTF-8"
		case r == '\r' && !bytes.HasPrefix(data[i+n:], []byte("\n")), strings.ContainsRune(breaks, r):
			return i, fmt.Sprintf("a line ends in %U, which not everybody takes for an end; need line feeds", r)
		case r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f:
			return i, fmt.Sprintf("the file has the control character %U, so it is no text; need text in UTF-8", r)
		}
		i += n
	}
	return 0, TooDeep(data)
}

// readable reports what keeps a YAML or JSON file from being parsed.
func (l *loader) readable(path string, data []byte, breaks string) bool {
	at, fault := textFault(data, breaks)
	if fault == "" {
		return true
	}
	before := data[:at]
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	l.diags.Error(diag.At(path, bytes.Count(before, []byte("\n"))+1, column, 1), "syntax", fault, "")
	return false
}

// maxScrambled bounds what is wrong with the words of a CUE file: its parser compares each fault with all before it.
const maxScrambled = 20

// Scrambled is where, in bytes, and why a file is not to be parsed as CUE; "" if it is.
func Scrambled(data []byte) (at int, fault string) {
	if at, fault = textFault(data, ""); fault != "" {
		return at, fault
	}
	faults, file := 0, token.NewFile("", 0, len(data))
	var s scanner.Scanner
	s.Init(file, data, func(pos token.Pos, _ string, _ []any) {
		if faults++; faults == 1 {
			at = pos.Offset()
		}
	}, 0)
	for _, t, _ := s.Scan(); t != token.EOF && faults <= maxScrambled; _, t, _ = s.Scan() {
	}
	if faults <= maxScrambled {
		return 0, ""
	}
	return at, fmt.Sprintf("from here on more than %d characters are no CUE, so the file is not read; need CUE", maxScrambled)
}

// parse parses a CUE file for the loader, unless that would recurse without end, and keeps its text for snippets: the
// loader has taken a byte order mark off.
func (l *loader) parse(name string, src any, cfg parser.Config) (*ast.File, error) {
	data, ok := src.([]byte)
	if !ok {
		return nil, fmt.Errorf("%s: the loader hands over %T", name, src)
	}
	l.mu.Lock()
	l.texts[name] = slices.Clone(data)
	l.mu.Unlock()
	if at, fault := Scrambled(data); fault != "" {
		f := token.NewFile(name, 0, len(data))
		f.SetLinesForContent(data)
		return nil, cueerrors.Newf(f.Pos(at, token.NoRelPos), "%s", fault)
	}
	return parser.ParseFile(name, data, cfg)
}
