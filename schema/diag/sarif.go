package diag

import (
	"io"
	"slices"
)

// The parts of SARIF 2.1.0 that a report needs, as
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html names them.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		ColumnKind  string            `json:"columnKind"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string      `json:"id"`
		ShortDescription sarifText   `json:"shortDescription"`
		Help             sarifText   `json:"help"`
		HelpURI          string      `json:"helpUri"`
		Default          sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string       `json:"level"`
		Message sarifText    `json:"message"`
		Rule    sarifRuleRef `json:"associatedRule"`
	}
	sarifRuleRef struct {
		ID string `json:"id"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations,omitempty"`
		Related      []sarifLocation    `json:"relatedLocations,omitempty"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Fixes        []sarifFix         `json:"fixes,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
		Message  *sarifText    `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
		Context  *sarifRegion  `json:"contextRegion,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int        `json:"startLine"`
		StartColumn int        `json:"startColumn,omitempty"`
		EndLine     int        `json:"endLine,omitempty"`
		EndColumn   int        `json:"endColumn,omitempty"`
		Snippet     *sarifText `json:"snippet,omitempty"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
	sarifFix struct {
		Changes []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion `json:"deletedRegion"`
		Inserted sarifText   `json:"insertedContent"`
	}
)

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	home        = "https://github.com/etcdlbgen/etcdlbgen"
	// fingerprintKey changes when fingerprints are made of something else.
	fingerprintKey = "findingHash/v1"
)

// SARIF prints a report in the format that code scanning reads, with the help of each rule that is in it.
func SARIF(w io.Writer, r *Report) error {
	s := &sarif{Report: r, lines: newLines(r.Source), index: map[string]int{}}
	s.run = sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "etcdlbgen", Version: r.Version, InformationURI: home, Rules: []sarifRule{}}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	s.rules()
	prints := Fingerprints(r.Diagnostics, r.Source, r.Dir)
	for i, d := range r.Diagnostics {
		s.run.Results = append(s.run.Results, s.result(d, prints[i]))
	}
	prints = Fingerprints(r.suppressed(), r.Source, r.Dir)
	for i, d := range r.Suppressed {
		kind := "inSource"
		if d.Baseline {
			kind = "external"
		}
		result := s.result(d.Diagnostic, prints[i])
		result.Suppressions = []sarifSuppression{{kind, d.justification()}}
		s.run.Results = append(s.run.Results, result)
	}
	done := sarifInvocation{Successful: true}
	for _, u := range r.NotJudged {
		done.Notifications = append(done.Notifications, sarifNotification{"note", sarifText{"not judged: " + u.Reason}, sarifRuleRef{u.Rule}})
	}
	s.run.Invocations = []sarifInvocation{done}
	return encode(w, sarifLog{sarifSchema, "2.1.0", []sarifRun{s.run}})
}

type sarif struct {
	*Report
	lines *lines
	index map[string]int // of rules
	run   sarifRun
}

// rules describes the rules that the report mentions.
func (s *sarif) rules() {
	mentioned := map[string]bool{}
	for _, d := range slices.Concat(s.Diagnostics, s.suppressed()) {
		mentioned[d.Rule] = true
	}
	for _, u := range s.NotJudged {
		mentioned[u.Rule] = true
	}
	for _, r := range s.Rules {
		if !mentioned[r.ID] {
			continue
		}
		s.index[r.ID] = len(s.run.Tool.Driver.Rules)
		s.run.Tool.Driver.Rules = append(s.run.Tool.Driver.Rules, sarifRule{
			ID: r.ID, ShortDescription: sarifText{r.Title}, Help: sarifText{r.Help}, HelpURI: r.URL,
			Default: sarifConfig{r.Severity.String()},
		})
	}
}

func (s *sarif) result(d Diagnostic, fingerprint string) sarifResult {
	rule, ok := s.index[d.Rule]
	if !ok {
		rule = -1 // not described
	}
	out := sarifResult{
		RuleID: d.Rule, RuleIndex: rule, Level: d.Severity.String(), Message: sarifText{d.withHint()},
		Fingerprints: map[string]string{fingerprintKey: fingerprint},
	}
	if d.Span.File != "" {
		out.Locations = []sarifLocation{{Physical: s.place(d.Span)}}
	}
	for _, r := range d.Related {
		if r.Span.File != "" {
			out.Related = append(out.Related, sarifLocation{s.place(r.Span), &sarifText{said(r.Message)}})
		}
	}
	if len(d.Edits) > 0 {
		out.Fixes = []sarifFix{{s.changes(d.Edits)}}
	}
	return out
}

// place is where something is, with the text of its line where it is no more than that and not endless.
func (s *sarif) place(at Span) sarifPhysical {
	out := sarifPhysical{Artifact: sarifArtifact{uri(at.File, s.Dir)}, Region: region(at)}
	if line := s.lines.short(at); line != "" && len(line) < maxLine && at.EndLine <= at.Line {
		out.Context = &sarifRegion{StartLine: at.Line, Snippet: &sarifText{line}}
	}
	return out
}

// region is a span; nil for a file as a whole. Columns are 1-based and the end exclusive here, too.
func region(s Span) *sarifRegion {
	if s.Line == 0 {
		return nil
	}
	out := &sarifRegion{StartLine: s.Line, StartColumn: s.Col}
	if s.EndLine > 0 && s.EndCol > 0 {
		out.EndLine, out.EndColumn = s.EndLine, s.EndCol
	}
	return out
}

// changes are edits, by file.
func (s *sarif) changes(edits []Edit) []sarifChange {
	var out []sarifChange
	for _, e := range edits {
		at := sarifArtifact{uri(e.Span.File, s.Dir)}
		i := slices.IndexFunc(out, func(c sarifChange) bool { return c.Artifact == at })
		if i < 0 {
			i = len(out)
			out = append(out, sarifChange{Artifact: at})
		}
		out[i].Replacements = append(out[i].Replacements, sarifReplacement{*region(e.Span), sarifText{e.Text}})
	}
	return out
}
