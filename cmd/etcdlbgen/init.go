package main

import (
	"bytes"
	_ "embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/etcdlbgen/etcdlbgen/schema"
)

var (
	//go:embed starter/spec.cue
	starterSpec []byte
	//go:embed starter/pre-commit.yaml
	starterHooks []byte
	//go:embed starter/workflow.yml
	starterWorkflow []byte
)

type initCmd struct {
	Dir string `arg:"" optional:"" default:"." help:"Where to start. Default: the working directory."`
}

// Run writes a starter spec and what goes beside it. It overwrites nothing.
func (c *initCmd) Run(s *streams) error {
	editors, err := schema.JSONSchema()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(c.Dir, "spec.cue")); err == nil {
		return usagef("%s is there already; need a folder without one", filepath.Join(c.Dir, "spec.cue"))
	}
	rev := []byte(revision(buildVersion()))
	for _, f := range []struct {
		path   string
		text   []byte
		stanza bool // something to put into a file that is there
	}{
		{"spec.cue", starterSpec, false},
		{"spec.schema.json", editors, false},
		{".pre-commit-config.yaml", bytes.ReplaceAll(starterHooks, []byte("REV"), rev), true},
		{".github/workflows/etcdlbgen.yml", bytes.ReplaceAll(starterWorkflow, []byte("REV"), rev), true},
	} {
		path := filepath.Join(c.Dir, filepath.FromSlash(f.path))
		switch err := create(path, f.text); {
		case errors.Is(err, fs.ErrExist) && f.stanza:
			say(s.err, "%s is there already; add to it:\n%s", path, f.text)
		case errors.Is(err, fs.ErrExist):
			say(s.err, "%s is there already and stays as it is\n", path)
		case err != nil:
			return err
		default:
			say(s.err, "%s written\n", path)
		}
	}
	say(s.err, "next: put your names and addresses into %s, then etcdlbgen build spec.cue -o out\n", filepath.Join(c.Dir, "spec.cue"))
	return nil
}

// create writes a file that is not there yet, and the folders it lies in.
func create(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// revision is what pre-commit and CI fetch: the release this program is of, or the newest there is.
func revision(version string) string {
	if strings.HasPrefix(version, "v") && !strings.ContainsAny(version, "-+") {
		return version
	}
	return "main"
}
