package lint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

const (
	baselineVersion = 1
	maxKnown        = 100_000
)

// Baseline is the findings that were there when it was written. Line numbers are not in it: it survives changes above
// and below what it lists.
type Baseline struct {
	Version  int     `json:"version"`
	Findings []Known `json:"findings"`
}

// Known is a number of findings that have all in common which identifies one.
type Known struct {
	Rule        string `json:"rule"`
	File        string `json:"file"`
	Fingerprint string `json:"fingerprint"`
	Count       int    `json:"count"`
}

// Baseline lists the findings that there are, those of an earlier baseline included. What no comment can suppress is not
// in it. Paths below dir, which is absolute, are relative to it.
func (r *Result) Baseline(dir string) *Baseline {
	var all diag.List
	for _, d := range r.Diagnostics {
		if suppressible(d) {
			all = append(all, d)
		}
	}
	for _, s := range r.Suppressed {
		if s.Baseline {
			all = append(all, s.Diagnostic)
		}
	}
	at := map[string]int{}
	b := &Baseline{Version: baselineVersion, Findings: []Known{}}
	for i, print := range diag.Fingerprints(all, r.Source, dir) {
		j, ok := at[print]
		if !ok {
			j = len(b.Findings)
			at[print] = j
			b.Findings = append(b.Findings, Known{Rule: all[i].Rule, File: diag.Relative(all[i].Span.File, dir), Fingerprint: print})
		}
		b.Findings[j].Count++
	}
	slices.SortFunc(b.Findings, func(a, b Known) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return b
}

// Print writes a baseline as ReadBaseline reads it.
func (b *Baseline) Print() []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(b) // strings and numbers always marshal
	return out.Bytes()
}

// ReadBaseline reads what Print wrote.
func ReadBaseline(data []byte) (*Baseline, error) {
	if n := bytes.Count(data, []byte("{")); n > maxKnown {
		return nil, fmt.Errorf("it lists %d findings, more than anybody repairs; need at most %d", n, maxKnown)
	}
	var b Baseline
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, fmt.Errorf("not a baseline: %w", err)
	}
	if b.Version != baselineVersion {
		return nil, fmt.Errorf("not a baseline that this etcdlbgen knows: version %d is not %d", b.Version, baselineVersion)
	}
	return &b, nil
}

// Without takes the findings of a baseline out, and returns those in it that are gone, as far as their rules were run.
func (r *Result) Without(b *Baseline, dir string) (gone []Known) {
	left := map[string]int{}
	for _, k := range b.Findings {
		left[k.Fingerprint] += k.Count
	}
	var kept diag.List
	for i, print := range diag.Fingerprints(r.Diagnostics, r.Source, dir) {
		d := r.Diagnostics[i]
		if left[print] == 0 || !suppressible(d) {
			kept = append(kept, d)
			continue
		}
		left[print]--
		d.Edits = nil
		r.Suppressed = append(r.Suppressed, diag.Suppressed{Diagnostic: d, Baseline: true})
	}
	r.Diagnostics = kept
	for _, k := range b.Findings {
		if n := left[k.Fingerprint]; n > 0 && r.ran(k.Rule) {
			k.Count = n
			gone = append(gone, k)
			left[k.Fingerprint] = 0
		}
	}
	return gone
}
