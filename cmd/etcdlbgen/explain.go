package main

import (
	"github.com/etcdlbgen/etcdlbgen/lint"
	"github.com/etcdlbgen/etcdlbgen/lint/rules"
)

type explainCmd struct {
	Rule string `arg:"" optional:"" predictor:"rule" help:"The id in brackets at the end of a finding; without it, the list."`
}

// Run prints a rule's documentation.
func (c *explainCmd) Run(s *streams) error {
	if c.Rule == "" {
		return lint.ExplainAll(s.out)
	}
	r := rules.Find(c.Rule)
	if r == nil {
		return &usageError{lint.UnknownRule(c.Rule)}
	}
	return lint.Explain(s.out, r)
}
