package lint

import (
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// verdict is what the rules say of one group.
type verdict struct {
	found     []finding
	notJudged []diag.Unjudged
}

// verdict runs the rules over a group.
func (in *input) verdict(sources []source) *verdict {
	v := &verdict{}
	group := in.group(sources)
	spec := ""
	if s := group.Spec(); s != nil {
		spec = s.Span.File + "\x00" + s.Name.V
	}
	for _, rule := range in.selected {
		if rule.Check == nil {
			continue
		}
		found := rule.Check(group)
		for i := range found {
			found[i].Rule = rule.ID
		}
		found, more := few(found)
		for _, d := range found {
			v.found = append(v.found, finding{d, spec})
		}
		v.notJudged = append(v.notJudged, more...)
		if rule.Unjudged != nil {
			if why := rule.Unjudged(group); why != "" {
				v.notJudged = append(v.notJudged, diag.Unjudged{Rule: rule.ID, Reason: why})
			}
		}
	}
	return v
}

// judge runs the rules over all groups. What was judged alone when it was read, and stayed alone, is not judged again.
func (in *input) judge() *Result {
	r := &Result{texts: in.texts, selected: in.selected}
	groups := in.groups()
	judged := in.verdicts(groups, r)
	var found []finding
	for _, d := range in.diags {
		found = append(found, finding{Diagnostic: d})
	}
	found = append(found, judged...)
	ran := map[string]bool{}
	for _, rule := range in.selected {
		// What targets cannot express is known in full only after rendering.
		ran[rule.ID] = len(groups) > 0 && rule.ID != "unsupported"
	}
	r.NotJudged = unique(r.NotJudged)
	s := suppress(found, in.texts.ignores, in.now)
	complaints, more := few(s.complaints(func(rule string) bool {
		return ran[rule] && !slices.ContainsFunc(r.NotJudged, func(u diag.Unjudged) bool { return u.Rule == rule })
	}))
	for _, u := range more {
		if r.ran(u.Rule) {
			r.NotJudged = append(r.NotJudged, u)
		}
	}
	r.NotJudged = unique(r.NotJudged)
	for _, d := range append(s.kept, complaints...) {
		if aboutFile(d.Rule) || r.ran(d.Rule) {
			r.Diagnostics = append(r.Diagnostics, d)
		}
	}
	r.Diagnostics = once(r.Diagnostics).Sorted()
	r.Suppressed = onceSuppressed(s.dropped)
	r.spellEdits()
	return r
}

// verdicts are the findings in all groups, up to a number.
func (in *input) verdicts(groups [][]source, r *Result) (found []finding) {
	for i, g := range groups {
		v := g[0].verdict
		if len(g) > 1 || v == nil {
			v = in.verdict(in.whole(g))
		}
		found = append(found, v.found...)
		r.NotJudged = append(r.NotJudged, v.notJudged...)
		if rest := len(groups) - i - 1; len(found) > maxVerdict && rest > 0 {
			in.diags.Error(diag.Span{File: groups[i+1][0].files[0]}, "syntax", fmt.Sprintf(
				"the files before have more than %d findings, so from this one on %s not judged; need some of them repaired",
				maxVerdict, are(rest)), "lint the folders one by one")
			break
		}
	}
	return found
}
