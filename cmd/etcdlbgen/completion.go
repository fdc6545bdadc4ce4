package main

import (
	"os"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/posener/complete"

	"github.com/etcdlbgen/etcdlbgen/lint/rules"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"One of ${enum}."`
}

// Help says what to do with the output.
func (completionCmd) Help() string {
	return "In bash and zsh: source <(etcdlbgen completion bash). In fish: etcdlbgen completion fish | source."
}

// Run prints what a shell sources to complete commands, flags and rules.
func (c *completionCmd) Run(ctx *kong.Context) error {
	return (&kongcompletion.Completion{Shell: c.Shell, Code: true}).Run(ctx)
}

// answerShell tells a shell that asks how a command line may go on, and then ends the program.
func answerShell(parser *kong.Kong) {
	if os.Getenv("COMP_LINE") == "" { // what is read of all commands would cost each start
		return
	}
	var ids []string
	for _, r := range rules.All {
		ids = append(ids, r.ID)
	}
	kongcompletion.Register(parser, kongcompletion.WithPredictor("rule", complete.PredictSet(ids...)))
}
