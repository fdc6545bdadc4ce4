package main

import (
	"fmt"
	"io"
	"path"

	"github.com/rogpeppe/go-internal/txtar"
)

// printTxtar prints all files as one archive, by path. It has no modes. Its format cannot hold a file with a line that looks
// like the head of a file.
func printTxtar(w io.Writer, t tree) error {
	if err := t.validate(); err != nil {
		return err
	}
	var archive txtar.Archive
	for _, c := range t.clusters {
		for _, f := range c.files {
			name := path.Join(c.dir, f.Path)
			if txtar.NeedsQuote(f.Data) {
				return fmt.Errorf("%s has a line that a txtar archive takes for the next file; build into a folder instead", name)
			}
			archive.Files = append(archive.Files, txtar.File{Name: name, Data: f.Data})
		}
	}
	_, err := w.Write(txtar.Format(&archive))
	return err
}
