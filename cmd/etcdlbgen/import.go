package main

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

	"github.com/etcdlbgen/etcdlbgen/generators/ansible"
	"github.com/etcdlbgen/etcdlbgen/generators/target"
	"github.com/etcdlbgen/etcdlbgen/lint"
	"github.com/etcdlbgen/etcdlbgen/schema"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
	"github.com/etcdlbgen/etcdlbgen/schema/pattern"
	"github.com/etcdlbgen/etcdlbgen/schema/raise"
	"github.com/etcdlbgen/etcdlbgen/schema/topology"
)

type importCmd struct {
	Path     []string `arg:"" help:"An Ansible inventory, haproxy.cfg, nginx.conf, keepalived.conf, etcd's or kubeadm's configuration; files of one cluster, or folders of them."`
	Endpoint []string `placeholder:"URL" help:"What clients dial, where no file says it."`
}

// Run prints the spec on stdout, and on stderr what of the files it does not hold.
func (c *importCmd) Run(s *streams) error {
	endpoints, err := lint.Hosts(c.Endpoint)
	if err != nil {
		return err
	}
	read, err := c.read()
	if err != nil {
		return err
	}
	draft, err := raise.Spec(&topology.Group{Sources: read.Sources, Endpoints: endpoints})
	if err != nil {
		return err
	}
	if draft.Members == 0 {
		return usagef("no member of an etcd cluster in %s", strings.Join(c.Path, ", "))
	}
	if _, err := s.out.Write(draft.Text); err != nil {
		return err
	}
	res, diags, err := schema.Load(schema.Input{Paths: []string{"-"}, Stdin: bytes.NewReader(draft.Text)})
	if err != nil {
		return err
	}
	notCarried(s.err, read.Files, draft, built(res))
	if err := s.report(read.Diagnostics, textOf(read.Files), "error"); err != nil {
		return err
	}
	if diags.Has(diag.Error) {
		fmt.Fprintln(s.err, "The spec is not whole yet (- is what was printed):")
	}
	return s.report(diags, res.Text, "error")
}

// textOf looks up the text of files that were read.
func textOf(files []target.File) diag.Lookup {
	return func(path string) []byte {
		for _, f := range files {
			if f.Path == path {
				return f.Written
			}
		}
		return nil
	}
}

// built are the lines of what the spec compiles to.
func built(res *schema.Result) map[string]bool {
	out := map[string]bool{}
	for _, c := range compileAll(res.Clusters, res.Name, nil) {
		for _, f := range c.files {
			for line := range bytes.Lines(f.Data) {
				out[setting(line)] = true
			}
		}
	}
	return out
}

// setting is a line without blanks around it and a comment behind it.
func setting(line []byte) string {
	text, _, _ := strings.Cut(strings.TrimSpace(string(line)), " #")
	return strings.Join(strings.Fields(text), " ")
}

// structural reports whether a line says nothing by itself: a comment, or what holds others together.
func structural(text string) bool {
	return text == "" || text == "global" || text == "defaults" || strings.ContainsRune("#;", rune(text[0])) || strings.ContainsRune("{}:[]-", rune(text[len(text)-1])) ||
		strings.HasPrefix(text, "apiVersion:") || strings.HasPrefix(text, "kind:")
}

// perServer are parameters of one server, in HAProxy and NGINX, that no spec says: in those that it builds members are alike.
// A weight of 0 drains.
var perServer = pattern.New(`\b(weight[ =][1-9]\S*|slowstart \S+|(max|min)conn \S+|maxqueue \S+|max_conns=\S+|cookie \S+|source \S+|track \S+|agent-\S+( \S+)?|send-proxy\S*|backup)`)

// unsaid are the parameters of a server's line that no spec says, with what begins the line.
func unsaid(text string) string {
	words := strings.Fields(text)
	if words[0] != "server" || len(words) < 3 {
		return ""
	}
	params := perServer.FindAllStringSubmatch(strings.TrimSuffix(strings.Join(words[2:], " "), ";"), -1)
	if len(params) == 0 {
		return ""
	}
	out := words[:2:2]
	for _, p := range params {
		out = append(out, p[0])
	}
	return strings.Join(out, " ")
}

// notCarried lists the lines that say something of which nothing is in the spec, nor in what is built from it, passwords
// hidden; of a file that gave nothing, its name alone.
func notCarried(w io.Writer, files []target.File, draft *raise.Draft, built map[string]bool) {
	said := false
	tell := func(format string, args ...any) {
		if !said {
			fmt.Fprintln(w, "Not carried over:")
			said = true
		}
		say(w, format, args...)
	}
	for _, f := range files {
		if !draft.Draws(f.Path) {
			tell("%s: nothing of it\n", f.Path)
			continue
		}
		number := 0
		for line := range bytes.Lines(f.Written) {
			number++
			text := setting(line)
			if structural(text) || built[text] {
				continue
			}
			if draft.Uses(f.Path, number) {
				if text = unsaid(text); text == "" {
					continue
				}
			}
			tell("%s:%d: %s\n", f.Path, number, diag.MaskSecrets(text))
		}
	}
}

// read reads inventories, and everything else as lint does.
func (c *importCmd) read() (*lint.Reading, error) {
	var inventory []target.File
	var others []string
	for _, p := range c.Path {
		files, err := inventoryAt(filepath.Clean(p))
		if err != nil {
			return nil, err
		}
		inventory = append(inventory, files...)
		if info, err := os.Stat(p); len(files) == 0 || err == nil && info.IsDir() {
			others = append(others, p)
		}
	}
	read := &lint.Reading{}
	if len(others) > 0 {
		r, err := lint.Read(others)
		var nothing *schema.UsageError
		switch {
		case errors.As(err, &nothing) && len(inventory) > 0: // the folder holds nothing else
		case err != nil:
			return nil, err
		default:
			read = r
		}
	}
	if len(inventory) > 0 {
		t, diags := ansible.Read(inventory)
		read.Sources = append(read.Sources, t)
		read.Files = append(read.Files, inventory...)
		read.Diagnostics = append(read.Diagnostics, diags...)
	}
	return read, nil
}

// inventoryAt is the inventory that a path names with the variables beside it, the one of a folder where it names that;
// none where it is something else.
func inventoryAt(p string) ([]target.File, error) {
	info, err := os.Stat(p)
	if err != nil {
		return nil, usagef("%s: no such file or folder", p)
	}
	if info.IsDir() {
		for _, name := range []string{"hosts", "hosts.ini", "hosts.yml", "hosts.yaml", "inventory", "inventory.ini", "inventory.yml", "inventory.yaml"} {
			if inside := filepath.Join(p, name); isFile(inside) {
				return inventoryAt(inside)
			}
		}
		return nil, nil
	}
	data, err := readBounded(p)
	if err != nil || !info.Mode().IsRegular() || !ansible.IsInventory(filepath.ToSlash(p), data) {
		return nil, nil // lint says what is wrong with it
	}
	files := []target.File{{Path: p, Data: data, Written: data}}
	for _, folder := range []string{"group_vars", "host_vars"} {
		err := filepath.WalkDir(filepath.Join(filepath.Dir(p), folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || !slices.Contains([]string{".yml", ".yaml", ""}, filepath.Ext(path)) {
				return nil // what is not there says nothing
			}
			data, err := readBounded(path)
			if err != nil {
				return fmt.Errorf("read variables: %w", err)
			}
			files = append(files, target.File{Path: path, Data: data, Written: data})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// readBounded reads a file that is no larger than lint takes.
func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > lint.MaxFile {
		return nil, fmt.Errorf("%s: not a file of at most %d MiB", path, lint.MaxFile>>20)
	}
	return os.ReadFile(path)
}
