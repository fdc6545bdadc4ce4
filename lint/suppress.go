package lint

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/etcdlbgen/etcdlbgen/lint/rules"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

// ignore is one comment that suppresses a rule on a line.
type ignore struct {
	span   diag.Span // the comment
	line   int       // whose findings it suppresses
	rule   string
	text   string // what stands behind the rule
	reason string // the text without the date
	until  string // the date as written, or ""
	used   bool
	firm   bool // it met a finding that cannot be suppressed
}

var (
	// The formats' own comments: keepalived has exclamation marks, too.
	marker = pattern.New(`(?:#|//|!)[ \t]*etcdlbgen:ignore(?:[ \t]+(\S+))?[ \t]*(.*)`)
	date   = pattern.New(`\buntil=(\S*)`)
)

// ignores finds the suppressing comments of a file. One that stands alone on its line, or with others of its kind below
// it, is about the line that follows.
func ignores(name string, data []byte) []*ignore {
	if !bytes.Contains(data, []byte("etcdlbgen:ignore")) {
		return nil
	}
	var out, pending []*ignore
	n := 0
	for line := range bytes.Lines(data) {
		n++
		line = bytes.TrimRight(line, "\r\n")
		m := marker.FindSubmatchIndex(line)
		if m == nil {
			for _, ig := range pending {
				ig.line = n
			}
			pending = nil
			continue
		}
		col := utf8.RuneCount(line[:m[0]]) + 1
		ig := &ignore{span: diag.At(name, n, col, utf8.RuneCount(line[m[0]:])), line: n, text: strings.TrimSpace(string(line[m[4]:m[5]]))}
		if m[2] >= 0 {
			ig.rule = string(line[m[2]:m[3]])
		}
		ig.reason = strings.TrimSpace(date.ReplaceAllString(ig.text, ""))
		if d := date.FindStringSubmatch(ig.text); d != nil {
			ig.until = d[1]
		}
		if onlyBlank(line[:m[0]]) {
			pending = append(pending, ig)
		} else {
			for _, p := range pending {
				p.line = n
			}
			pending = nil
		}
		out = append(out, ig)
	}
	return out
}

// expired reports whether a suppression is past its date. The day itself still counts; without a clock none is past.
// A date that cannot be read is past.
func (ig *ignore) expired(now time.Time) bool {
	if ig.until == "" {
		return false
	}
	t, err := time.Parse(time.DateOnly, ig.until)
	return err != nil || !now.IsZero() && !now.Before(t.AddDate(0, 0, 1))
}

// otherwise is what to write in place of a rule that there is not.
func (ig *ignore) otherwise() string {
	if strings.Contains(ig.rule, ",") {
		return "write a comment for each rule, one above the other"
	}
	if near := nearestRule(ig.rule); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// finding is a diagnostic with the spec that is judged with it, if any.
type finding struct {
	diag.Diagnostic
	spec string // the group's, "" for none
}

// suppression is the state of one pass over findings.
type suppression struct {
	now     time.Time
	byFile  map[string][]*ignore
	all     []*ignore
	kept    diag.List
	dropped []diag.Suppressed
}

// suppress takes out the findings that comments suppress. What a spec suppresses is suppressed in the files built from
// it as well, which are those it is judged with.
func suppress(found []finding, comments map[string][]*ignore, now time.Time) *suppression {
	s := &suppression{now: now, byFile: comments}
	for _, igs := range comments {
		s.all = append(s.all, igs...)
	}
	bySpec := map[[3]string]string{} // spec, rule, subject: the comment's text
	for _, f := range found {
		ig := s.match(f.Diagnostic)
		if ig == nil {
			continue
		}
		s.dropped = append(s.dropped, diag.Suppressed{Diagnostic: f.Diagnostic, Text: ig.text})
		if f.spec != "" && f.Subject != "" {
			bySpec[[3]string{f.spec, f.Rule, f.Subject}] = ig.text
		}
	}
	for _, f := range found {
		if s.match(f.Diagnostic) != nil {
			continue
		}
		if text, ok := bySpec[[3]string{f.spec, f.Rule, f.Subject}]; ok && f.spec != "" {
			s.dropped = append(s.dropped, diag.Suppressed{Diagnostic: f.Diagnostic, Text: text})
			continue
		}
		s.kept = append(s.kept, f.Diagnostic)
	}
	return s
}

// match returns the comment that suppresses a finding, or nil.
func (s *suppression) match(d diag.Diagnostic) *ignore {
	for _, ig := range s.byFile[d.Span.File] {
		if ig.rule != d.Rule || ig.line != max(d.Span.Line, 1) || ig.reason == "" || ig.expired(s.now) {
			continue
		}
		if !suppressible(d) {
			ig.firm = true
			continue
		}
		ig.used = true
		return ig
	}
	return nil
}

// suppressible reports whether a finding may be glossed over, by a comment or a baseline.
func suppressible(d diag.Diagnostic) bool { return !d.Firm && !aboutFile(d.Rule) }

// aboutFile reports whether a rule says that an input is unusable, which no comment in that input can gloss over.
func aboutFile(rule string) bool { return rule == "spec" || rule == "syntax" }

// complaints are the findings about the comments themselves. A comment on a rule that could not be judged, or was not
// asked for, is not called unused.
func (s *suppression) complaints(judged func(rule string) bool) diag.List {
	var out diag.List
	for _, ig := range s.all {
		known := rules.Find(ig.rule)
		switch {
		case ig.rule == "":
			out.Warn(ig.span, "unused-ignore", "suppression names no rule, so it suppresses nothing; need # etcdlbgen:ignore RULE reason", "")
		case known == nil:
			out.Warn(ig.span, "unused-ignore", fmt.Sprintf(
				"there is no rule %q, so nothing is suppressed; need one that etcdlbgen explain lists", ig.rule), ig.otherwise())
		case ig.reason == "":
			out.Error(ig.span, "ignore-without-reason", fmt.Sprintf(
				"suppression of %s gives no reason, so it suppresses nothing; need # etcdlbgen:ignore %s reason", ig.rule, ig.rule),
				"say why the finding is acceptable here")
		case ig.expired(time.Time{}):
			out.Warn(ig.span, "ignore-expired", fmt.Sprintf(
				"suppression of %s is to hold until %q, which is no date, so its finding is back; need one such as until=2027-01-31", ig.rule, ig.until), "")
		case ig.expired(s.now):
			out.Warn(ig.span, "ignore-expired", fmt.Sprintf(
				"suppression of %s held until %s, so its finding is back; need a solution or a later date (until=YYYY-MM-DD)", ig.rule, ig.until), "")
		case ig.firm:
			out.Warn(ig.span, "unused-ignore", fmt.Sprintf(
				"%s cannot be suppressed here, so the finding stands; need its fix", ig.rule), "remove the comment")
		case !ig.used && judged(ig.rule):
			out.Warn(ig.span, "unused-ignore", fmt.Sprintf(
				"line %d has no finding of %s, so the suppression only hides a later one; need it on the line of a finding or the line above", ig.line, ig.rule),
				"remove the comment")
		}
	}
	return out
}
