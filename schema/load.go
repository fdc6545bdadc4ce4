// Package schema turns what a user writes into clusters: it reads specs, checks them in three phases and decodes them.
package schema

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/build"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/load"
	"cuelang.org/go/encoding/json"

	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// Input names a spec: files and package folders that unify into one, "-" for standard input.
type Input struct {
	Paths []string
	Tags  []string // key=value
	Stdin io.Reader
	// StdinName is what standard input is called, which tells its language, too; "" is CUE without a name.
	StdinName string
	// GiveUp, where it is not nil, is handed why loading takes too much. A few lines of CUE can ask for any amount of work.
	GiveUp <-chan string
}

// Result is a spec that holds.
type Result struct {
	Name     string     // base name of the first file
	Fleet    bool       // the spec has "clusters", however many
	Clusters []*Cluster // sorted by name
	GivenUp  bool       // it was not loaded to the end: see Input
	src      sources
}

// Text returns a file of the spec by the path that diagnostics show, or nil.
func (r *Result) Text(file string) []byte { return r.src.text(file) }

// Files lists the files of the spec by the paths that diagnostics show.
func (r *Result) Files() []string { return r.src.names() }

// UsageError is a fault of the call, not of the spec: a file that is not there, a tag that nobody declares.
type UsageError struct{ Message string }

func (e *UsageError) Error() string { return e.Message }

var spec = sync.OnceValues(func() (*shapes, error) {
	s, err := newShapes()
	if err != nil {
		return nil, err
	}
	setDefaults(s.def("#Spec"), "")
	return s, nil
})

// Load reads, checks and decodes a spec. Diagnostics at error level mean that the result has no clusters; the result is
// there all the same, for the text of its files. An error is what the program could not do: a UsageError, or I/O.
//
// CUE cannot be interrupted: after a spec is given up its evaluation goes on, so that the program is to end soon.
func Load(in Input) (*Result, diag.List, error) {
	if in.GiveUp == nil {
		return read(in)
	}
	type loaded struct {
		res   *Result
		diags diag.List
		err   error
	}
	done := make(chan loaded, 1)
	go func() {
		res, diags, err := read(in)
		done <- loaded{res, diags, err}
	}()
	select {
	case l := <-done:
		return l.res, l.diags, l.err
	case why := <-in.GiveUp:
		var diags diag.List
		first := in.Paths[0]
		if first == "-" {
			first = cmp.Or(in.StdinName, first)
		}
		diags.Error(diag.Span{File: first}, "spec", why, "")
		return &Result{GivenUp: true}, diags, nil
	}
}

func read(in Input) (*Result, diag.List, error) {
	sh, err := spec()
	if err != nil {
		return nil, nil, err
	}
	ctx := cuecontext.New()
	res := &Result{src: sources{files: map[string]*source{}}}
	l := &loader{in: in, src: &res.src, ctx: ctx}
	value, err := l.load()
	if err != nil {
		return nil, nil, err
	}
	res.Name = l.name
	if len(l.diags) > 0 {
		return res, l.diags.Sorted(), nil
	}
	l.evaluate(value) // phase 1
	if len(l.diags) > 0 {
		return res, l.diags.Sorted(), nil
	}
	w := newWalker(l, sh)
	trees, fleet := w.spec(value) // phase 2
	if len(l.diags) > 0 {
		return res, l.diags.Sorted(), nil
	}
	res.Fleet = fleet
	var clusters []*Cluster
	for _, t := range trees { // phase 3
		clusters = append(clusters, decode(t, &l.diags))
	}
	for _, c := range clusters {
		c.check(&l.diags)
	}
	checkFleet(clusters, &l.diags)
	checkRouters(clusters, &l.diags)
	if l.diags.Has(diag.Error) {
		return res, l.diags.Sorted(), nil
	}
	res.Clusters = clusters
	return res, l.diags.Sorted(), nil
}

// loader reads the files of one spec into one value.
type loader struct {
	in    Input
	src   *sources
	ctx   *cue.Context
	name  string
	value cue.Value // the whole, once it is built
	diags diag.List
	usage error
	stdin []byte

	mu    sync.Mutex
	texts map[string][]byte // of CUE files, as they are parsed
}

// maxInput bounds standard input, in bytes: a fleet of five thousand clusters has 3 MiB.
const maxInput = 64 << 20

func (l *loader) load() (cue.Value, error) {
	var files []string // CUE files are one instance, as with cue itself
	var values []cue.Value
	for _, p := range l.in.Paths {
		if l.name == "" {
			l.name = l.baseName(p)
		}
		if p == "-" && l.stdin != nil {
			continue // it can be read once
		}
		if p == "-" {
			if err := l.readStdin(); err != nil {
				return cue.Value{}, err
			}
			if isData(l.in.StdinName) {
				values = append(values, l.data(l.in.StdinName, l.stdin))
				continue
			}
			l.src.add("-", cmp.Or(l.in.StdinName, "-"), l.stdin)
			files = append(files, p)
			continue
		}
		info, err := os.Stat(p)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return cue.Value{}, &UsageError{p + ": no such file or folder"}
		case err != nil:
			return cue.Value{}, fmt.Errorf("read spec: %w", err)
		case info.IsDir():
			values = append(values, l.instance(p, "."))
		case filepath.Ext(p) == ".cue":
			files = append(files, p)
		case isData(p):
			data, err := os.ReadFile(p)
			if err != nil {
				return cue.Value{}, fmt.Errorf("read spec: %w", err)
			}
			values = append(values, l.data(p, data))
		default:
			return cue.Value{}, &UsageError{p + ": not a spec by its name; need one that ends in .cue, .yaml, .yml or .json"}
		}
	}
	if len(files) > 0 {
		values = append([]cue.Value{l.instance("", files...)}, values...)
	}
	if l.usage != nil {
		return cue.Value{}, l.usage
	}
	v := values[0]
	for _, other := range values[1:] {
		v = v.Unify(other)
	}
	return v, nil
}

// readStdin reads standard input.
func (l *loader) readStdin() error {
	data, err := io.ReadAll(io.LimitReader(l.in.Stdin, maxInput+1))
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	if len(data) > maxInput {
		return &UsageError{"standard input does not end within 64 MiB, which no spec needs"}
	}
	l.stdin = data // not nil: io.ReadAll says so of an empty one, too
	return nil
}

// isData reports whether a file is YAML or JSON by its name.
func isData(p string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(p))
}

func (l *loader) baseName(p string) string {
	if p == "-" {
		p = cmp.Or(l.in.StdinName, "standard input")
	}
	if abs, err := filepath.Abs(p); err == nil {
		return filepath.Base(abs)
	}
	return filepath.Base(p)
}

// instance loads CUE files, or the package in dir, without network, environment or registry.
func (l *loader) instance(dir string, args ...string) cue.Value {
	cfg := &load.Config{
		Dir:      dir,
		Tags:     l.in.Tags,
		Stdin:    bytes.NewReader(l.stdin),
		Registry: noRegistry{},
		Env:      []string{},

		ParseFile: l.parse,
	}
	l.texts = map[string][]byte{}
	if dir == "" && args[0] != "-" {
		// Imports are looked up from the module of the first file, wherever the program runs.
		cfg.Dir = filepath.Dir(args[0])
		for i, a := range args {
			if abs, err := filepath.Abs(a); err == nil && a != "-" {
				args[i] = abs
			}
		}
	}
	if abs, err := filepath.Abs(cfg.Dir); err == nil && filepath.Separator == '/' {
		cfg.Dir, cfg.FS = abs, disk{}
	}
	inst := load.Instances(args, cfg)[0]
	l.remember(inst, map[string]bool{})
	if inst.Err != nil {
		if fault := l.misused(inst.Err.Error(), dir); fault != "" {
			l.usage = &UsageError{fault}
			return cue.Value{}
		}
		l.report(inst.Err, "")
		return cue.Value{}
	}
	return l.ctx.BuildInstance(inst)
}

// misused is the fault of the call that CUE's message tells of, or "".
func (l *loader) misused(msg, dir string) string {
	switch {
	case strings.HasPrefix(msg, "no tag for"), strings.HasPrefix(msg, "tag "), strings.Contains(msg, "injection tag"):
		return "-t: " + msg
	case strings.Contains(msg, "matched no packages"), strings.HasPrefix(msg, "no CUE files in"):
		return dir + ": the folder holds no CUE file"
	case dir != "" && strings.Contains(msg, "no package name"):
		return dir + ": the folder holds no CUE package, since no file has a package clause; name the file itself"
	}
	return ""
}

// data is YAML or JSON as a value.
func (l *loader) data(path string, data []byte) cue.Value {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // a byte order mark
	l.src.add(path, path, data)
	if filepath.Ext(path) == ".json" {
		if !l.readable(path, data, "") {
			return cue.Value{}
		}
		e, err := json.Extract(path, data)
		if err != nil {
			l.report(err, "syntax")
			return cue.Value{}
		}
		return l.ctx.BuildExpr(e)
	}
	if !l.readable(path, data, yamlBreaks) {
		return cue.Value{}
	}
	f := l.yaml(path, data)
	if f == nil {
		return cue.Value{}
	}
	return l.ctx.BuildFile(f)
}

// remember keeps the text of all files of an instance for positions and snippets.
func (l *loader) remember(inst *build.Instance, seen map[string]bool) {
	files := inst.Files
	for _, f := range append(inst.BuildFiles, inst.InvalidFiles...) {
		if f.Filename != "" {
			files = append(files, &ast.File{Filename: f.Filename})
		}
	}
	for _, f := range files {
		if f.Filename == "-" || seen[f.Filename] {
			continue
		}
		seen[f.Filename] = true
		l.learn(f.Filename)
	}
	for _, imp := range inst.Imports {
		l.remember(imp, seen)
	}
}

// shown is a file's path as the user would write it: what they gave, or below the folder they gave.
func (l *loader) shown(file string) string {
	for _, p := range l.in.Paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			continue
		}
		if rel, err := filepath.Rel(abs, file); err == nil && filepath.IsLocal(rel) {
			return filepath.Join(p, rel)
		}
	}
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, file); err == nil && !strings.HasPrefix(rel, "../..") {
			return rel
		}
	}
	return file
}
