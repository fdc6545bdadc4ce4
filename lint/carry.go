package lint

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/generators"
	"github.com/etcdlbgen/etcdlbgen/lint/rules"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// Carry writes what a spec suppresses into the files of its cluster that say the same: above the line of each finding of
// the same rule and subject it puts the spec's comment with its reason. Artifacts without such findings stay as they are.
func Carry(artifacts []generators.File, suppressed []diag.Suppressed) []generators.File {
	texts := map[[2]string]string{} // by rule and subject
	for _, s := range suppressed {
		if s.Subject != "" {
			texts[[2]string{s.Rule, s.Subject}] = s.Text
		}
	}
	if len(texts) == 0 {
		return artifacts
	}
	in := &input{texts: newTexts(), selected: rules.All}
	var files []file
	comment := map[string]string{}
	for _, a := range artifacts {
		if format := detect(a.Path, a.Data[:min(len(a.Data), headSize)]); format != nil && format.Comment != "" {
			files = append(files, file{path: a.Path, data: a.Data, format: format})
			comment[a.Path] = format.Comment
		}
	}
	in.parse(files)
	above := map[string]map[int][]string{} // path, line: comments
	for _, d := range in.judge().Diagnostics {
		text, ok := texts[[2]string{d.Rule, d.Subject}]
		if !ok || d.Firm || d.Span.Line == 0 {
			continue
		}
		line := fmt.Sprintf("%s etcdlbgen:ignore %s %s", comment[d.Span.File], d.Rule, text)
		lines := above[d.Span.File]
		if lines == nil {
			lines = map[int][]string{}
			above[d.Span.File] = lines
		}
		if !slices.Contains(lines[d.Span.Line], line) {
			lines[d.Span.Line] = append(lines[d.Span.Line], line)
		}
	}
	out := slices.Clone(artifacts)
	for i, a := range out {
		if lines := above[a.Path]; lines != nil {
			out[i].Data = insert(a.Data, lines)
		}
	}
	return out
}

// insert puts comments above lines, with their indentation.
func insert(data []byte, above map[int][]string) []byte {
	var out bytes.Buffer
	n := 0
	for line := range bytes.Lines(data) {
		n++
		indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
		for _, c := range above[n] {
			out.Write(indent)
			out.WriteString(c)
			out.WriteByte('\n')
		}
		out.Write(line)
	}
	return out.Bytes()
}
