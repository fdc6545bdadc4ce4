package lint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/generators"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
)

// headSize is what formats are detected by.
const headSize = 8 << 10

// manifestName is what build lists its files in.
const manifestName = ".etcdlbgen.json"

// file is one file that is linted.
type file struct {
	path   string         // as shown
	host   string         // the machine it is from, where the command line says so
	walked bool           // met in a folder that is linted whole
	data   []byte         // nil: what is on disk
	size   int64          // of all of it
	format *target.Target // nil: none but perhaps a spec's
	// includes are the patterns of the files that it includes.
	includes []string
	root     string // of an included file: what begins the chain of includes
	overfull bool   // more is included than is looked for
	words    int    // and brackets, of all of it
	doc      *inner // the part that is meant; nil: all of it
	stdin    bool   // it is standard input
}

// collector gathers the files that a call names.
type collector struct {
	files     []file
	specs     specFiles
	manifests []file
	diags     diag.List
	seen      map[string]bool
	read      int
	cost      int // of all that was read
	unread    []string
}

// collect reads what the paths name: files, folders that are walked, "-" for standard input. "host=PATH" says which
// machine a file is from.
func collect(o Options) (*collector, error) {
	c := &collector{seen: map[string]bool{}}
	paths := o.Paths
	if len(paths) == 0 {
		paths = []string{"."}
	}
	for _, p := range paths {
		if machine, ok := Stdin(p); ok { // first: it may stand for a file that is met in a folder
			if err := c.stdin(o, machine); err != nil {
				return nil, err
			}
		}
	}
	for _, p := range paths {
		if _, ok := Stdin(p); ok {
			continue
		}
		if err := c.named(p); err != nil {
			return nil, err
		}
	}
	c.include()
	c.sayUnread()
	c.read += c.specs.drop()
	if c.read == 0 && len(c.diags) == 0 {
		return nil, &schema.UsageError{Message: fmt.Sprintf(
			"nothing to lint in %s: no spec, no certificate and no configuration of a format that is known", strings.Join(paths, ", "))}
	}
	return c, nil
}

// host matches the part before PATH in host=PATH.
var host = pattern.New(`^[A-Za-z0-9][A-Za-z0-9.:_-]*$`)

func (c *collector) named(p string) error {
	machine := ""
	info, err := os.Stat(p)
	if err != nil {
		if h, rest, ok := strings.Cut(p, "="); ok && host.MatchString(h) {
			machine, p = h, rest
			info, err = os.Stat(p)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &schema.UsageError{Message: p + ": no such file or folder"}
	case err != nil:
		return &schema.UsageError{Message: fmt.Sprintf("%s: %v", p, reason(err))}
	case info.IsDir():
		return c.walk(filepath.Clean(p), machine)
	case !info.Mode().IsRegular(): // opening a pipe would wait for a writer
		return &schema.UsageError{Message: p + ": not a regular file; need one, or its text on standard input (-, --stdin-filename)"}
	}
	known, err := c.file(filepath.Clean(p), machine, false)
	if err != nil {
		return &schema.UsageError{Message: fmt.Sprintf("%s: %v", p, reason(err))}
	}
	if !known {
		return &schema.UsageError{Message: p + ": not a format that lint knows: neither a spec nor " + formats()}
	}
	return nil
}

// ByteOrderMark is what some editors begin UTF-8 with.
var ByteOrderMark = []byte("\xef\xbb\xbf")

// errNotText is why a file is not read that has the name of a configuration.
var errNotText = errors.New("it holds NUL bytes, as binary files and UTF-16 do")

// reason is an error of the file system without the path, which the message has already.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// formats lists what can be linted.
func formats() string {
	var names []string
	for _, t := range generators.Targets {
		if t.Parse != nil {
			names = append(names, t.Name)
		}
	}
	return strings.Join(names, ", ")
}

// skipped are folders that hold other people's files.
var skipped = []string{".git", ".terraform", "vendor", "cue.mod"}

// walk reads what is of use below a folder, without what git ignores. Links to folders are not followed.
func (c *collector) walk(root, machine string) error {
	abs, err := filepath.Abs(root)
	if err != nil {
		return fmt.Errorf("walk: %w", err)
	}
	ignored := newGitIgnore(abs)
	var entries []entry
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			c.unreadable(p, err)
			return nil
		}
		real, isDir := filepath.Join(abs, strings.TrimPrefix(p, root)), d.IsDir()
		if root == "." {
			real = filepath.Join(abs, p)
		}
		if p != root && (isDir && slices.Contains(skipped, d.Name()) || ignored.ignores(real, isDir)) {
			if isDir {
				return fs.SkipDir
			}
			return nil
		}
		if isDir {
			ignored.enter(real, p)
			return nil
		}
		if link := d.Type()&fs.ModeSymlink != 0; (link || d.Type().IsRegular()) && !c.seen[p] {
			entries = append(entries, entry{path: p, link: link})
		}
		return nil
	})
	for _, d := range ignored.faults {
		if !c.seen[d.Span.File] { // it may hold for another folder that is named, too
			c.seen[d.Span.File] = true
			c.diags = append(c.diags, d)
		}
	}
	for some := range slices.Chunk(entries, together) {
		if !c.exhausted() {
			inParallel(len(some), func(i int) { some[i].found = some[i].look(machine) })
		}
		for _, e := range some {
			c.take(e.path, e.found)
		}
	}
	return err
}

// together is how many files are looked at before what they cost is summed up: what is read is then the same in each call.
const together = 64

// entry is a file that is met in a folder, with what it turned out to be; nil: nothing of interest.
type entry struct {
	path  string
	link  bool
	found *collector
}

func (e entry) look(machine string) *collector {
	if e.link {
		info, err := os.Stat(e.path)
		if err != nil && detect(e.path, nil) != nil {
			return &collector{diags: unreadable(e.path, err)}
		}
		if err != nil || !info.Mode().IsRegular() {
			return nil
		}
	}
	found, err := look(e.path, machine, true)
	if err != nil {
		return &collector{diags: unreadable(e.path, err)}
	}
	return found
}

// known reports whether a file turned out to be of a known format.
func (c *collector) known() bool {
	return c != nil && len(c.files)+len(c.manifests)+len(c.specs)+len(c.diags) > 0
}

// take adds what a file turned out to be.
func (c *collector) take(p string, found *collector) {
	if c.exhausted() {
		c.unread = append(c.unread, p)
		return
	}
	if found == nil {
		return
	}
	if !found.known() {
		c.cost += found.cost / 8 // at most its outline was read
		return
	}
	c.cost += found.cost
	c.seen[p] = true
	c.files = append(c.files, found.files...)
	c.manifests = append(c.manifests, found.manifests...)
	c.diags = append(c.diags, found.diags...)
	c.read += found.read
	for _, s := range found.specs {
		for _, f := range s.files {
			c.specs.add(f, s.shape)
		}
	}
}

func (c *collector) unreadable(p string, err error) { c.diags = append(c.diags, unreadable(p, err)...) }

func unreadable(p string, err error) (diags diag.List) {
	diags.Error(diag.Span{File: p}, "syntax", fmt.Sprintf(
		"cannot be read (%v), so nothing in it is judged; need a file that can be read", reason(err)), "")
	return diags
}

// file reads a file if it is of a known format, and reports whether it is.
func (c *collector) file(p, machine string, walked bool) (known bool, err error) {
	if c.seen[p] {
		return true, nil
	}
	if c.exhausted() {
		c.unread = append(c.unread, p)
		return true, nil
	}
	found, err := look(p, machine, walked)
	c.take(p, found)
	return found.known(), err
}

// look reads a file by itself: found is not known where it is of no known format.
func look(p, machine string, walked bool) (found *collector, err error) {
	f, err := os.Open(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	var text io.Reader = f
	if info.Size() == 0 { // of the kernel's files that say so some are never read to an end
		text = bytes.NewReader(nil)
	}
	head := make([]byte, min(info.Size()+1, headSize)) // a byte more, to meet the end
	n, err := io.ReadFull(text, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	head = bytes.TrimPrefix(head[:n], ByteOrderMark)
	format := detect(p, head)
	if format == nil && !maybeSpec(p) && filepath.Base(p) != manifestName && !embeds(p, head) {
		if bytes.IndexByte(head, 0) < 0 || detect(p, nil) == nil {
			return nil, nil
		}
		return nil, errNotText
	}
	guarded(info.Size(), func() {
		var data []byte
		if data, err = io.ReadAll(io.LimitReader(text, MaxFile+1-int64(n))); err != nil {
			return
		}
		whole := file{path: p, host: machine, walked: walked, data: append(head, data...), size: info.Size(), format: format}
		whole.words = words(whole.data)
		found = &collector{cost: whole.cost()}
		found.addEmbedded(whole, found.add(whole))
	})
	if err != nil {
		return nil, err
	}
	for i := range found.files {
		found.files[i].data = nil // it can be read again
	}
	for _, s := range found.specs {
		for i := range s.files {
			s.files[i].data = nil
		}
	}
	return found, nil
}

// add takes a file in if it is of a known format or a spec, and reports whether it is. Of its data no more than MaxFile
// bytes need to be at hand.
func (c *collector) add(f file) bool {
	if filepath.Base(f.path) == manifestName {
		if fault := refusal(f); fault != "" {
			c.refuse(f, fault)
			return true
		}
		c.manifests = append(c.manifests, f)
		return true
	}
	switch fault := refusal(f); {
	case fault == "":
	case f.format != nil || !f.walked && maybeSpec(f.path) || looksLikeSpec(f.path, f.data):
		c.read++
		c.refuse(f, fault)
		return true
	default:
		return false
	}
	s, ok := shapeOf(f.path, f.data)
	if s.broken && !f.walked && filepath.Ext(f.path) == ".cue" {
		s.cluster, s.lb = true, true // whoever names it takes it for a spec
	}
	if ok && (s.pkg != "" || s.isSpec()) {
		c.specs.add(f, s)
		return true
	}
	if f.format == nil {
		return false
	}
	if f.format.Includes != nil {
		f.includes = f.format.Includes(f.data)
	}
	c.files = append(c.files, f)
	c.read++
	return true
}

// refuse says why a file is not parsed.
func (c *collector) refuse(f file, why string) {
	c.diags.Error(diag.Span{File: f.path}, "syntax", why, "")
}

// detect returns the format of a file, or nil.
func detect(p string, head []byte) *target.Target {
	if bytes.IndexByte(head, 0) >= 0 {
		return nil
	}
	for i := range generators.Targets {
		t := &generators.Targets[i]
		if t.Detect != nil && t.Parse != nil && t.Detect(filepath.ToSlash(p), head) {
			return t
		}
	}
	return nil
}
