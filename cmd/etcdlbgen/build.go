package main

import (
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/etcdlbgen/etcdlbgen/generators"
	"github.com/etcdlbgen/etcdlbgen/lint"
	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

type buildCmd struct {
	Spec    []string `arg:"" help:"Spec files (.cue, .yaml, .json), folders of one CUE package, or - for standard input; several unify into one."`
	Output  string   `short:"o" required:"" placeholder:"DIR" help:"Folder to write; - prints a txtar archive."`
	Check   bool     `help:"Write nothing; exit 1 with a diff when DIR is not what would be written."`
	Target  []string `placeholder:"NAME" help:"Only these targets."`
	Cluster []string `placeholder:"NAME" help:"Only these clusters of a fleet."`
	Tag     []string `short:"t" sep:"none" placeholder:"KEY=VALUE" help:"Set a tag that the spec declares with @tag()."`
	FailOn  failOn   `enum:"error,warning" default:"error" help:"Least severity that stops the build: ${enum}."`
	Force   bool     `help:"Overwrite generated files that were edited by hand."`
}

// compiled is one cluster on its way from the spec to files.
type compiled struct {
	topology *topology.Topology
	files    []generators.File
	diags    diag.List
}

// Run compiles the spec; nothing is written unless all of it holds.
func (b *buildCmd) Run(s *streams) error {
	if b.Output == "" {
		return usagef("--output is empty; need a folder, or -")
	}
	collectFor(b.Spec)
	res, diags, err := s.load(b.Spec, b.Tag)
	if err != nil {
		return err
	}
	if diags.Has(diag.Error) {
		return s.report(diags, res.Text, b.FailOn)
	}
	clusters, err := b.chosen(res)
	if err != nil {
		return err
	}
	all := compileAll(clusters, res.Name, b.Target)
	topologies := make([]*topology.Topology, len(all))
	for i, c := range all {
		topologies[i] = c.topology
		diags = append(diags, c.diags...)
	}
	judged := lint.Spec(topologies, diags, res)
	if err := s.report(judged.Diagnostics, res.Text, b.FailOn); err != nil {
		return err
	}
	t := tree{fleet: res.Fleet, narrowed: len(b.Cluster) > 0, targets: b.Target}
	for i, c := range clusters {
		cf := clusterFiles{spec: res.Name, files: outFiles(lint.Carry(all[i].files, judged.Suppressed))}
		if res.Fleet {
			cf.dir = c.Name.V
		}
		t.clusters = append(t.clusters, cf)
	}
	return b.put(s, t)
}

func outFiles(files []generators.File) []outFile {
	out := make([]outFile, len(files))
	for i, f := range files {
		out[i] = outFile{Artifact: f.Artifact, Target: f.Target}
	}
	return out
}

// chosen are the clusters to build; --target and --cluster must name what there is.
func (b *buildCmd) chosen(res *schema.Result) ([]*schema.Cluster, error) {
	var names []string
	for _, t := range generators.Targets {
		if t.Render != nil {
			names = append(names, t.Name)
		}
	}
	for _, name := range b.Target {
		if !slices.Contains(names, name) {
			if near := schema.Nearest(name, names); near != "" {
				return nil, usagef("--target: there is no target %q, did you mean %q?", name, near)
			}
			return nil, usagef("--target: there is no target %q; need one of %s", name, strings.Join(names, ", "))
		}
		if !slices.ContainsFunc(res.Clusters, func(c *schema.Cluster) bool { return c.Targets[name] != nil }) {
			return nil, usagef("--target: the spec does not enable %q", name)
		}
	}
	return choose(res, b.Cluster)
}

// compileAll compiles clusters side by side. Targets that --target leaves out are not rendered.
func compileAll(clusters []*schema.Cluster, spec string, targets []string) []compiled {
	out := make([]compiled, len(clusters))
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(runtime.GOMAXPROCS(0), len(clusters)) {
		wg.Go(func() {
			for i := range next {
				c := &out[i]
				c.topology, c.files, c.diags = generators.Compile(clusters[i], spec, targets)
			}
		})
	}
	for i := range clusters {
		next <- i
	}
	close(next)
	wg.Wait()
	return out
}

// put writes, checks or prints what was computed.
func (b *buildCmd) put(s *streams, t tree) error {
	switch {
	case b.Output == "-" && b.Check:
		return usagef("--check needs a folder to compare with, not -o -")
	case b.Output == "-":
		return printTxtar(s.out, t)
	case b.Check:
		drift, err := checkTree(b.Output, t, s.out)
		switch {
		case err != nil:
			return s.stopped(err)
		case drift:
			say(s.err, "%s is not what the spec compiles to; run etcdlbgen build without --check\n", b.Output)
			return exitCode(exitFindings)
		}
		return nil
	}
	report, err := writeTree(b.Output, t, b.Force)
	if err != nil {
		return s.stopped(err)
	}
	say(s.err, "%s: %d written, %d unchanged, %d removed\n",
		filepath.Clean(b.Output), report.written, report.unchanged, report.removed)
	return nil
}

// stopped prints why a build stopped, where that is for the user to decide.
func (s *streams) stopped(err error) error {
	var stop *stopError
	if !errors.As(err, &stop) {
		return err
	}
	if err := diag.Text(s.err, stop.diags, func(string) []byte { return nil }, s.colored(s.err)); err != nil {
		return err
	}
	if _, err := s.err.Write(stop.diff); err != nil {
		return err
	}
	return exitCode(exitFindings)
}

// report prints diagnostics for people and fails on those at or above a severity.
func (s *streams) report(l diag.List, text diag.Lookup, on failOn) error {
	l = l.Sorted()
	if err := diag.Text(s.err, l, text, s.colored(s.err)); err != nil {
		return err
	}
	if l.Has(on.severity()) {
		return exitCode(exitFindings)
	}
	return nil
}
