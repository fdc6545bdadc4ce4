package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/etcdlbgen/etcdlbgen/lint"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// lintMemory is what the heap may grow to before garbage is collected more often: enough for any tree of real files, and
// small beside what a hostile one could fill.
const lintMemory = 130 << 20

type lintCmd struct {
	Path          []string `arg:"" optional:"" help:"Files and folders; host=PATH says which machine a dump is from; - is standard input. Default: the working directory."`
	Endpoint      []string `placeholder:"URL" help:"What clients dial, where no spec says it."`
	EtcdVersion   string   `placeholder:"VERSION" help:"The members' version of etcd, such as 3.5.9, where no file says it."`
	Format        string   `enum:"text,json,sarif,github,junit" default:"text" help:"One of ${enum}."`
	Tag           []string `short:"t" sep:"none" placeholder:"KEY=VALUE" help:"Set a tag that a spec declares with @tag()."`
	Fix           bool     `help:"Apply the safe edits to the files, and report what is left. Standard input is printed fixed, findings go to standard error."`
	Rule          []string `placeholder:"RULE" predictor:"rule" help:"Only these rules."`
	Disable       []string `placeholder:"RULE" predictor:"rule" help:"Not these rules."`
	FailOn        failOn   `enum:"error,warning" default:"error" help:"Least severity that makes the exit code 1: ${enum}."`
	Baseline      string   `placeholder:"FILE" help:"Report only findings that are not in it."`
	WriteBaseline string   `placeholder:"FILE" help:"Write all findings there are into a baseline."`
	StdinFilename string   `placeholder:"NAME" help:"What standard input is called, for its format and in messages."`
}

// Run lints, prints findings on stdout, and what was read and could not be judged on stderr.
func (c *lintCmd) Run(s *streams) error {
	debug.SetMemoryLimit(lintMemory)
	dir, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("working directory: %w", err)
	}
	l := &linter{lintCmd: c, streams: s, dir: dir, findings: s.out, unfixed: map[string]bool{}, manifests: map[string]map[string]json.RawMessage{}}
	if err := l.prepare(); err != nil {
		return err
	}
	res, err := l.lint()
	if err == nil && c.Fix {
		res, err = l.fix(res)
	}
	if err == nil && c.WriteBaseline != "" && !res.GivenUp {
		err = l.writeBaseline(res)
	}
	if err != nil {
		return err
	}
	if err := l.print(res); err != nil {
		return err
	}
	l.mentionGone(res)
	say(s.err, "%s\n", res.Summary())
	if len(l.unfixed) > 0 {
		return exitCode(exitInternal)
	}
	if res.Diagnostics.Has(c.FailOn.severity()) {
		return exitCode(exitFindings)
	}
	return nil
}

// linter is one call of lint.
type linter struct {
	*lintCmd
	*streams
	dir      string // the working directory, which paths in baselines and reports are relative to
	baseline *lint.Baseline
	gone     []lint.Known // what the baseline lists and the last run did not find
	text     []byte       // standard input, read once
	findings io.Writer
	unfixed  map[string]bool // the files that could not be written

	manifests map[string]map[string]json.RawMessage // the files that build lists, by the manifest's path
}

// prepare reads what is needed before any file is linted.
func (l *linter) prepare() error {
	if slices.ContainsFunc(l.Path, func(p string) bool { _, ok := lint.Stdin(p); return ok }) {
		text, err := io.ReadAll(io.LimitReader(l.in, lint.MaxFile+1))
		switch {
		case err != nil:
			return fmt.Errorf("read standard input: %w", err)
		case len(text) > lint.MaxFile:
			return usagef("standard input has more than %d MiB, more than any configuration holds", lint.MaxFile>>20)
		}
		l.text = text
		if l.Fix {
			if len(l.Path) > 1 {
				return usagef("--fix prints standard input, so it takes - alone or files alone")
			}
			l.findings = l.err
		}
	}
	if l.Baseline == "" {
		return nil
	}
	data, err := readFile(l.Baseline)
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("--baseline %s: no such file; --write-baseline %s makes it", l.Baseline, l.Baseline)
	}
	if errors.Is(err, errLarge) {
		return usagef("--baseline %s: %v", l.Baseline, err)
	}
	if err != nil {
		return err
	}
	if l.baseline, err = lint.ReadBaseline(data); err != nil {
		return usagef("--baseline %s: %v", l.Baseline, err)
	}
	return nil
}

// lint runs the linter once, and takes out what is in the baseline.
func (l *linter) lint() (*lint.Result, error) {
	res, err := lint.Run(lint.Options{
		Paths: l.Path, Endpoints: l.Endpoint, EtcdVersion: l.EtcdVersion, Tags: l.Tag, Rules: l.Rule, Disable: l.Disable,
		Now: time.Now(), Stdin: bytes.NewReader(l.text), StdinFilename: l.StdinFilename, Watch: watchLint,
	})
	if err == nil && l.baseline != nil {
		l.gone = res.Without(l.baseline, l.dir)
	}
	return res, err
}

func (l *linter) print(res *lint.Result) error {
	report := res.Report(l.dir, buildVersion())
	switch l.Format {
	case "json":
		return diag.JSON(l.findings, report)
	case "sarif":
		return diag.SARIF(l.findings, report)
	case "github":
		return diag.GitHub(l.findings, report)
	case "junit":
		return diag.JUnit(l.findings, report)
	}
	return diag.Text(l.findings, res.Diagnostics, res.Source, l.colored(l.findings))
}

// writeBaseline writes what was found, and takes it out of the result.
func (l *linter) writeBaseline(res *lint.Result) error {
	b := res.Baseline(l.dir)
	if err := replaceFile(l.WriteBaseline, b.Print()); err != nil {
		return fmt.Errorf("--write-baseline %s: %w", l.WriteBaseline, err)
	}
	res.Without(b, l.dir)
	for _, d := range res.Diagnostics {
		say(l.err, "%s:%d:%d: not in the baseline [%s]: nothing but its fix helps\n", d.Span.File, d.Span.Line, d.Span.Col, d.Rule)
	}
	l.gone = nil
	return nil
}

// mentionGone says which findings of the baseline are no more. Those in files that were not read may still be there.
func (l *linter) mentionGone(res *lint.Result) {
	for _, k := range l.gone {
		path := filepath.Join(l.dir, filepath.FromSlash(k.File))
		if res.Source(filepath.FromSlash(k.File)) == nil && res.Source(path) == nil {
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				continue
			}
		}
		say(l.err, "%s: %d of %s is in the baseline and gone; --write-baseline %s forgets it\n", k.File, k.Count, k.Rule, l.Baseline)
	}
}
