package main

import (
	"fmt"
	"time"

	"github.com/etcdlbgen/etcdlbgen/lint"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

type lintCmd struct {
	Path          []string `arg:"" optional:"" help:"Files and folders; host=PATH says which machine a dump is from; - is standard input. Default: the working directory."`
	Endpoint      []string `placeholder:"URL,…" help:"What clients dial, where no spec says it."`
	Format        string   `enum:"text,json" default:"text" help:"One of ${enum}."`
	Tag           []string `short:"t" sep:"none" placeholder:"KEY=VALUE" help:"Set a tag that a spec declares with @tag()."`
	Rule          []string `placeholder:"RULE,…" help:"Only these rules."`
	Disable       []string `placeholder:"RULE,…" help:"Not these rules."`
	FailOn        failOn   `enum:"error,warning" default:"error" help:"Least severity that makes the exit code 1: ${enum}."`
	StdinFilename string   `placeholder:"NAME" help:"What standard input is called, for its format and in messages."`
}

// Run lints, prints findings on stdout, and what was read and could not be judged on stderr.
func (c *lintCmd) Run(s *streams) error {
	res, err := lint.Run(lint.Options{
		Paths: c.Path, Endpoints: c.Endpoint, Tags: c.Tag, Rules: c.Rule, Disable: c.Disable,
		Now: time.Now(), Stdin: s.in, StdinFilename: c.StdinFilename,
	})
	if err != nil {
		return err
	}
	if c.Format == "json" {
		err = diag.JSON(s.out, res.Diagnostics, res.NotJudged, res.Read)
	} else {
		err = diag.Text(s.out, res.Diagnostics, res.Source, s.colored(s.out))
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(s.err, res.Summary())
	if res.Diagnostics.Has(c.FailOn.severity()) {
		return exitCode(exitFindings)
	}
	return nil
}
