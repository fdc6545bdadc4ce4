package diag

import (
	"encoding/json"
	"io"
)

// Unjudged says why a rule could not judge something.
type Unjudged struct {
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
}

// jsonVersion changes when a field changes its meaning or goes away; new fields do not change it.
const jsonVersion = 1

type jsonReport struct {
	Version     int              `json:"version"`
	Diagnostics []jsonDiagnostic `json:"diagnostics"`
	NotJudged   []Unjudged       `json:"notJudged"`
	FilesRead   int              `json:"filesRead"`
}

type jsonDiagnostic struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	jsonSpan
	Message string        `json:"message"`
	Hint    string        `json:"hint,omitempty"`
	Related []jsonRelated `json:"related,omitempty"`
}

// jsonSpan has no line where a diagnostic is about the file as a whole, and no end where that is not known.
type jsonSpan struct {
	File      string `json:"file"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"endLine,omitempty"`
	EndColumn int    `json:"endColumn,omitempty"`
}

type jsonRelated struct {
	jsonSpan
	Message string `json:"message"`
}

// JSON prints diagnostics for programs, as one object with a version.
func JSON(w io.Writer, l List, notJudged []Unjudged, filesRead int) error {
	out := jsonReport{
		Version:     jsonVersion,
		Diagnostics: make([]jsonDiagnostic, 0, len(l)),
		NotJudged:   append([]Unjudged{}, notJudged...),
		FilesRead:   filesRead,
	}
	for _, d := range l {
		j := jsonDiagnostic{
			Rule: d.Rule, Severity: d.Severity.String(), jsonSpan: spanJSON(d.Span), Message: d.Message, Hint: d.Hint,
		}
		for _, r := range d.Related {
			j.Related = append(j.Related, jsonRelated{spanJSON(r.Span), r.Message})
		}
		out.Diagnostics = append(out.Diagnostics, j)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func spanJSON(s Span) jsonSpan {
	return jsonSpan{s.File, s.Line, s.Col, s.EndLine, s.EndCol}
}
