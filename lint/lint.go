// Package lint judges specs, configurations and certificates: it detects formats, masks placeholders, parses, groups,
// runs the rules, and takes out what comments suppress.
package lint

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/etcdlbgen/etcdlbgen/lint/rules"
	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/lower"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

// Options is a call of the linter.
type Options struct {
	Paths         []string // files, folders, "-" for standard input, "host=PATH" of each of these; none: the working directory
	Endpoints     []string // URLs that clients dial
	EtcdVersion   string   // such as "3.5.9", where no file says it
	Tags          []string // key=value, for specs
	Rules         []string // only these; none: all
	Disable       []string // but not these
	Now           time.Time
	Stdin         io.Reader
	StdinFilename string // what standard input is called, and detected by
	// Watch, where it is not nil, watches over the evaluation of the specs: it says when, and why, that is to be given up.
	// End is called when it is over.
	Watch func() (giveUp <-chan string, end func())
}

// Result is what the linter has to say.
type Result struct {
	Diagnostics diag.List // sorted
	Suppressed  []diag.Suppressed
	Read        int // files
	NotJudged   []diag.Unjudged
	GivenUp     bool // a spec took too much, and what comes after it was not judged
	texts       *texts
	selected    []rules.Rule
}

// Source is the text of a file that was read, or nil, as where it has changed since.
func (r *Result) Source(file string) []byte { return r.texts.get(file) }

// Report is the result for the printers. Paths below dir, which is absolute, are relative to it.
func (r *Result) Report(dir, version string) *diag.Report {
	return &diag.Report{
		Diagnostics: r.Diagnostics, Suppressed: r.Suppressed, NotJudged: r.NotJudged, FilesRead: r.Read,
		Rules: docs(), Source: r.Source, Dir: dir, Version: version,
	}
}

// Run lints what the options name. An error is a schema.UsageError, or what the program could not do.
func Run(o Options) (*Result, error) {
	selected, err := choose(o.Rules, o.Disable)
	if err != nil {
		return nil, err
	}
	endpoints, err := hosts(o.Endpoints)
	if err != nil {
		return nil, err
	}
	if o.EtcdVersion != "" && !etcdVersion.MatchString(o.EtcdVersion) {
		return nil, &schema.UsageError{Message: fmt.Sprintf("--etcd-version %s: not a version of etcd 3; need one such as 3.5.9", o.EtcdVersion)}
	}
	c, err := collect(o)
	if err != nil {
		return nil, err
	}
	in := &input{
		texts: newTexts(), selected: selected, diags: c.diags, endpoints: endpoints, version: o.EtcdVersion, now: o.Now,
	}
	givenUp, err := in.load(c.specs, o)
	if err != nil {
		return nil, err
	}
	if givenUp { // its evaluation goes on and takes what there is
		return &Result{Diagnostics: in.diags.Sorted(), Read: c.read, GivenUp: true, texts: in.texts, selected: selected}, nil
	}
	in.parse(c.files)
	for _, m := range c.manifests {
		in.manifests = append(in.manifests, listed(m))
	}
	r := in.judge()
	r.Read = c.read
	return r, nil
}

// choose returns the rules to run.
func choose(only, without []string) ([]rules.Rule, error) {
	for _, id := range slices.Concat(only, without) {
		if rules.Find(id) == nil {
			return nil, &schema.UsageError{Message: UnknownRule(id)}
		}
	}
	return slices.DeleteFunc(slices.Clone(rules.All), func(r rules.Rule) bool {
		return len(only) > 0 && !slices.Contains(only, r.ID) || slices.Contains(without, r.ID)
	}), nil
}

var etcdVersion = pattern.New(`^v?3[.][0-9]{1,3}([.][0-9]{1,3})?$`)

// endpoint is a host that clients dial, with the scheme that the command line writes before it, if any.
type endpoint struct {
	topology.Value[string]
	scheme string
}

// hosts are the hosts of endpoints, which are URLs, host:port or bare addresses, comma-separated as in etcdctl.
func hosts(endpoints []string) ([]endpoint, error) {
	var out []endpoint
	for _, e := range strings.FieldsFunc(strings.Join(endpoints, ","), func(r rune) bool { return r == ',' || r == ' ' }) {
		if a, err := netip.ParseAddr(e); err == nil && a.Zone() == "" {
			out = append(out, endpoint{Value: topology.SetAt(topology.Host(e), diag.Span{})})
			continue
		}
		scheme, _, written := strings.Cut(e, "://")
		full := e
		if !written {
			full, scheme = "https://"+e, ""
		}
		u, err := url.Parse(full)
		if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, &schema.UsageError{Message: fmt.Sprintf("--endpoint %s: not a URL; need one such as https://etcd-lb.example.com:2379", e)}
		}
		out = append(out, endpoint{topology.SetAt(topology.Host(u.Hostname()), diag.Span{}), strings.ToLower(scheme)})
	}
	if len(endpoints) > 0 && len(out) == 0 {
		return nil, &schema.UsageError{Message: "--endpoint is empty; need a URL such as https://etcd-lb.example.com:2379"}
	}
	return out, nil
}

// input is everything that was read.
type input struct {
	grouping
	texts     *texts
	selected  []rules.Rule
	diags     diag.List
	endpoints []endpoint
	version   string // of --etcd-version
	now       time.Time
	kept      atomic.Int64 // facts and findings that are kept until they are judged
}

// load loads specs, until they take too much.
func (in *input) load(specs specFiles, o Options) (givenUp bool, err error) {
	var giveUp <-chan string
	if len(specs) > 0 && o.Watch != nil {
		watch, end := o.Watch()
		defer end()
		giveUp = watch
	}
	for _, s := range specs {
		if givenUp, err = in.spec(s, o, giveUp); givenUp || err != nil {
			break
		}
	}
	return givenUp, err
}

// spec loads a spec and lowers its clusters.
func (in *input) spec(s specFile, o Options, giveUp <-chan string) (givenUp bool, err error) {
	load := schema.Input{Tags: o.Tags, GiveUp: giveUp}
	var paths []string
	for _, f := range s.files {
		if f.data != nil {
			in.texts.hold(f.path, f.data)
		}
		paths = append(paths, f.path)
		if f.stdin {
			load.Stdin, load.StdinName = bytes.NewReader(f.data), f.path
			load.Paths = append(load.Paths, "-")
			continue
		}
		load.Paths = append(load.Paths, f.path)
	}
	res, diags, err := schema.Load(load)
	if err != nil {
		return false, err
	}
	in.diags = append(in.diags, diags...)
	for _, f := range res.Files() {
		in.texts.hold(f, res.Text(f))
	}
	for _, c := range res.Clusters {
		t, diags := lower.Topology(c)
		in.diags = append(in.diags, diags...)
		in.specs = append(in.specs, source{Topology: t, files: paths})
	}
	return res.GivenUp, nil
}

// Spec judges the topologies of a spec as build does: without a clock, and without certificates or endpoints beyond what
// the spec says. It adds to what is known of the spec already.
func Spec(clusters []*topology.Topology, known diag.List, res *schema.Result) *Result {
	in := &input{texts: newTexts(), selected: rules.All, diags: known}
	for _, f := range res.Files() {
		in.texts.hold(f, res.Text(f))
	}
	for _, t := range clusters {
		in.specs = append(in.specs, source{Topology: t})
	}
	r := in.judge()
	r.Read = len(in.texts.held)
	return r
}

// ran reports whether a rule was asked for.
func (r *Result) ran(rule string) bool {
	return slices.ContainsFunc(r.selected, func(s rules.Rule) bool { return s.ID == rule })
}

// group makes of sources what rules see. An endpoint that some spec names is that spec's alone.
func (in *input) group(sources []source) *topology.Group {
	g := &topology.Group{Now: in.now, EtcdVersion: in.version}
	for _, s := range sources {
		g.Sources = append(g.Sources, s.Topology)
	}
	for _, e := range in.endpoints {
		names := func(s source) bool {
			return slices.ContainsFunc(s.Dialed, func(v topology.Value[string]) bool { return v.V == e.V })
		}
		if !slices.ContainsFunc(in.specs, names) || slices.ContainsFunc(sources, names) {
			g.Endpoints = append(g.Endpoints, e.Value)
			g.EndpointScheme = cmp.Or(g.EndpointScheme, e.scheme)
		}
	}
	return g
}

// once leaves one judgement of a rule at a place, the most severe: one setting of a spec may govern several proxies.
func once(l diag.List) diag.List {
	type place struct {
		span diag.Span
		rule string
	}
	at := map[place]int{}
	var out diag.List
	for _, d := range l {
		p := place{d.Span, d.Rule}
		i, seen := at[p]
		switch {
		case !seen || d.Span.Line == 0 || !judges(d.Rule):
			at[p] = len(out)
			out = append(out, d)
		case d.Severity > out[i].Severity:
			out[i] = d
		}
	}
	return out
}

// onceSuppressed sorts likewise, and leaves one judgement of a rule on a thing at a place: what is built of that thing
// is suppressed for its sake.
func onceSuppressed(l []diag.Suppressed) []diag.Suppressed {
	slices.SortStableFunc(l, func(a, b diag.Suppressed) int {
		return cmp.Or(strings.Compare(a.Span.File, b.Span.File), a.Span.Line-b.Span.Line, a.Span.Col-b.Span.Col,
			strings.Compare(a.Rule, b.Rule), strings.Compare(a.Subject, b.Subject), strings.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(l, func(a, b diag.Suppressed) bool {
		return a.Span == b.Span && a.Rule == b.Rule && a.Subject == b.Subject
	})
}

// judges reports whether a rule judges facts, of which one place states one.
func judges(rule string) bool {
	r := rules.Find(rule)
	return r != nil && r.Check != nil
}

// unique sorts by rule and reason.
func unique(l []diag.Unjudged) []diag.Unjudged {
	slices.SortFunc(l, func(a, b diag.Unjudged) int {
		return strings.Compare(a.Rule+"\x00"+a.Reason, b.Rule+"\x00"+b.Reason)
	})
	return slices.Compact(l)
}

// Summary is the closing line: what was read, what was found, and what could not be judged and why, since silence on an
// unknown must not look like an all-clear.
func (r *Result) Summary() string {
	s := fmt.Sprintf("%s read; %s, %s", count(r.Read, "file"),
		count(r.Diagnostics.Count(diag.Error), "error"), count(r.Diagnostics.Count(diag.Warning), "warning"))
	old := 0
	for _, d := range r.Suppressed {
		if d.Baseline {
			old++
		}
	}
	if n := len(r.Suppressed) - old; n > 0 {
		s += fmt.Sprintf(", %d suppressed", n)
	}
	if old > 0 {
		s += fmt.Sprintf(", %d in the baseline", old)
	}
	for i, u := range r.NotJudged {
		sep := "; "
		if i == 0 {
			sep = ". Not judged: "
		}
		s += sep + u.Rule + " (" + u.Reason + ")"
	}
	return s
}

// are is a number of files, and the verb.
func are(n int) string {
	if n == 1 {
		return "1 file is"
	}
	return fmt.Sprintf("%d files are", n)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
