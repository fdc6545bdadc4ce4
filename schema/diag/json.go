package diag

import (
	"encoding/json"
	"io"
)

// jsonVersion changes when a field changes its meaning or goes away; new fields do not change it.
const jsonVersion = 1

type jsonReport struct {
	Version     int              `json:"version"`
	Diagnostics []jsonDiagnostic `json:"diagnostics"`
	Suppressed  []jsonSuppressed `json:"suppressed"`
	NotJudged   []Unjudged       `json:"notJudged"`
	FilesRead   int              `json:"filesRead"`
}

type jsonDiagnostic struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	jsonSpan
	Message     string        `json:"message"`
	Hint        string        `json:"hint,omitempty"`
	Related     []jsonRelated `json:"related,omitempty"`
	Edits       []jsonEdit    `json:"edits,omitempty"`
	Fingerprint string        `json:"fingerprint"`
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

// jsonEdit is what --fix would put in the place of a span.
type jsonEdit struct {
	jsonSpan
	Text string `json:"text"`
}

type jsonSuppressed struct {
	jsonDiagnostic
	Justification string `json:"justification"`
}

// JSON prints a report as one object with a version.
func JSON(w io.Writer, r *Report) error {
	out := jsonReport{
		Version:     jsonVersion,
		Diagnostics: make([]jsonDiagnostic, 0, len(r.Diagnostics)),
		Suppressed:  make([]jsonSuppressed, 0, len(r.Suppressed)),
		NotJudged:   append([]Unjudged{}, r.NotJudged...),
		FilesRead:   r.FilesRead,
	}
	prints := Fingerprints(r.Diagnostics, r.Source, r.Dir)
	for i, d := range r.Diagnostics {
		out.Diagnostics = append(out.Diagnostics, diagnosticJSON(d, prints[i]))
	}
	prints = Fingerprints(r.suppressed(), r.Source, r.Dir)
	for i, s := range r.Suppressed {
		out.Suppressed = append(out.Suppressed, jsonSuppressed{diagnosticJSON(s.Diagnostic, prints[i]), s.justification()})
	}
	return encode(w, out)
}

// suppressed are the suppressed findings alone.
func (r *Report) suppressed() List {
	var out List
	for _, s := range r.Suppressed {
		out = append(out, s.Diagnostic)
	}
	return out
}

func diagnosticJSON(d Diagnostic, fingerprint string) jsonDiagnostic {
	j := jsonDiagnostic{
		Rule: d.Rule, Severity: d.Severity.String(), jsonSpan: spanJSON(d.Span), Message: said(d.Message), Hint: said(d.Hint),
		Fingerprint: fingerprint,
	}
	for _, r := range d.Related {
		j.Related = append(j.Related, jsonRelated{spanJSON(r.Span), said(r.Message)})
	}
	for _, e := range d.Edits {
		j.Edits = append(j.Edits, jsonEdit{spanJSON(e.Span), e.Text})
	}
	return j
}

func spanJSON(s Span) jsonSpan {
	return jsonSpan{s.File, s.Line, s.Col, s.EndLine, s.EndCol}
}

// encode prints a value as indented JSON.
func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
