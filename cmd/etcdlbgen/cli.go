package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// Exit codes, as the README documents them.
const (
	exitClean    = 0 // nothing to say at or above --fail-on
	exitFindings = 1 // diagnostics, an invalid spec, a stopped write, drift under --check
	exitUsage    = 2 // bad flag, missing file, unknown rule, nothing recognised
	exitInternal = 3 // internal or I/O failure
)

type cli struct {
	Build      buildCmd      `cmd:"" help:"Compile a spec into the files that run the load balancer."`
	Lint       lintCmd       `cmd:"" help:"Find mistakes in specs, generated and hand-written configurations and certificates."`
	Explain    explainCmd    `cmd:"" help:"Explain a rule: why it matters, what to do about it; without a rule, list all."`
	Show       showCmd       `cmd:"" help:"Print what follows from a spec: how to connect, what certificates hold, what stands where, who may reach what."`
	Verify     verifyCmd     `cmd:"" help:"Ask a running cluster, through its load balancer and directly, whether all is as it should be."`
	Init       initCmd       `cmd:"" help:"Start: a commented spec, its schema for editors, and what pre-commit and CI run."`
	Import     importCmd     `cmd:"" help:"Make a spec of the files you have."`
	Schema     schemaCmd     `cmd:"" help:"Print the schema of specs: all fields with their meaning and defaults."`
	Completion completionCmd `cmd:"" help:"Print what a shell sources to complete command lines."`
	Version    versionCmd    `cmd:"" help:"Print the version."`

	Color string `enum:"auto,always,never" default:"auto" help:"Colour diagnostics: ${enum}. NO_COLOR is honoured."`
}

// streams is where a command reads and writes: data on out, everything else on err.
type streams struct {
	in       io.Reader
	out, err io.Writer
	color    string // auto, always or never
}

// exitCode ends a command with a code whose reason has been printed.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// usageError is a fault of the command line.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// run is the program: it parses args, runs the command and returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	defer func() {
		// kong ends --help by the exit function, which must not return.
		switch r := recover().(type) {
		case nil:
		case exitCode:
			code = int(r)
		default:
			panic(r)
		}
	}()
	var c cli
	parser, err := kong.New(&c,
		kong.Name("etcdlbgen"),
		kong.Description("Describe an etcd cluster behind a load balancer once; build every file, and lint the ones you have."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exitCode(code)) }),
	)
	if err != nil {
		return fail(stderr, err)
	}
	answerShell(parser)
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		say(stderr, "etcdlbgen: error: %v\nhint: see etcdlbgen --help\n", err)
		return exitUsage
	}
	s := &streams{in: stdin, out: stdout, err: stderr, color: c.Color}
	return fail(stderr, ctx.Run(s))
}

// fail turns a command's error into its exit code, and says it unless that is done.
func fail(stderr io.Writer, err error) int {
	if err == nil {
		return exitClean
	}
	var code exitCode
	if errors.As(err, &code) {
		return int(code)
	}
	say(stderr, "etcdlbgen: error: %v\n", err)
	var usage *usageError
	var specUsage *schema.UsageError
	if errors.As(err, &usage) || errors.As(err, &specUsage) {
		return exitUsage
	}
	return exitInternal
}

// say writes a message, without what would steer a terminal: names of files may hold anything.
func say(w io.Writer, format string, args ...any) {
	fmt.Fprint(w, strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, fmt.Sprintf(format, args...)))
}

// colored reports whether what is written to w is to be coloured.
func (s *streams) colored(w io.Writer) bool {
	if s.color != "auto" {
		return s.color == "always"
	}
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(f.Fd()))
}

// failOn is the least severe diagnostic that fails a command.
type failOn string

func (f failOn) severity() diag.Severity {
	if f == "warning" {
		return diag.Warning
	}
	return diag.Error
}
