package diag

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"path/filepath"
	"strings"
)

// Report is all that a run has to say, for the programs that read it.
type Report struct {
	Diagnostics List // sorted
	Suppressed  []Suppressed
	NotJudged   []Unjudged
	FilesRead   int
	Rules       []RuleDoc // at least those of the above
	Source      Lookup
	// Dir is the folder, absolute, that paths are relative to in formats that are read elsewhere than here.
	Dir     string
	Version string // of the program
}

// Suppressed is a finding that is not reported as one, and why.
type Suppressed struct {
	Diagnostic
	Text     string // of the comment, behind the rule; "" for one of a baseline
	Baseline bool   // it was there when a baseline was written
}

// justification is why a finding is suppressed.
func (s Suppressed) justification() string {
	if s.Baseline {
		return "in the baseline"
	}
	return MaskSecrets(s.Text)
}

// Unjudged says why a rule could not judge something.
type Unjudged struct {
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
}

// RuleDoc is what a report says of a rule.
type RuleDoc struct {
	ID, Title, Help string
	Severity        Severity // the worst of its findings
	URL             string
}

// Fingerprints identify findings from run to run, wherever in their file they move: by rule, path below dir, what is
// judged and the text of the line, blanks aside. Findings that agree in all of that share a fingerprint.
func Fingerprints(l List, source Lookup, dir string) []string {
	texts := newLines(source)
	out := make([]string, len(l))
	for i, d := range l {
		line := strings.Join(strings.Fields(texts.short(d.Span)), " ")
		sum := sha256.Sum256([]byte(strings.Join([]string{d.Rule, Relative(d.Span.File, dir), d.Subject, line}, "\x00")))
		out[i] = hex.EncodeToString(sum[:16])
	}
	return out
}

// Relative is a path as seen from dir, with slashes. What does not lie below dir stays as it is.
func Relative(file, dir string) string {
	if filepath.IsAbs(file) && dir != "" {
		if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
			file = rel
		}
	}
	return filepath.ToSlash(file)
}

// uri is a path as a URI, relative where the path is.
func uri(file, dir string) string {
	u := url.URL{Path: Relative(file, dir)}
	if filepath.IsAbs(file) && u.Path == filepath.ToSlash(file) {
		u.Scheme = "file"
		if !strings.HasPrefix(u.Path, "/") { // a drive of Windows
			u.Path = "/" + u.Path
		}
	}
	return u.String()
}

// withHint is the message and what to do about it.
func (d Diagnostic) withHint() string {
	if d.Hint == "" {
		return said(d.Message)
	}
	return said(d.Message + "\nhint: " + d.Hint)
}
