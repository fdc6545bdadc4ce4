package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"
)

// version is one side of a difference.
type version struct {
	data []byte
	mode os.FileMode // 0: there is no file
}

// diff prints what the build would do to one path.
func (d *disk) diff(w io.Writer, s *subject) error {
	var old, new version
	if s.seen.kind == regular {
		data, err := d.root.ReadFile(s.path)
		if err != nil {
			return err
		}
		old = version{data, s.seen.mode}
	}
	if s.want != nil {
		new = version{s.data, os.FileMode(s.want.Mode)}
	}
	return printDiff(w, s.path, old, new)
}

// printDiff prints a unified diff with git's header lines, which "git apply" and "patch -p1" understand: they also tell of
// files that come and go, and of changed modes.
func printDiff(w io.Writer, path string, old, new version) error {
	var b bytes.Buffer
	from, to := "a/"+path, "b/"+path
	fmt.Fprintf(&b, "diff --git %s %s\n", from, to)
	switch {
	case old.mode == 0:
		fmt.Fprintf(&b, "new file mode 100%03o\n", new.mode)
		from = "/dev/null"
	case new.mode == 0:
		fmt.Fprintf(&b, "deleted file mode 100%03o\n", old.mode)
		to = "/dev/null"
	case !perm(new.mode).matches(old.mode):
		fmt.Fprintf(&b, "old mode 100%03o\nnew mode 100%03o\n", old.mode, new.mode)
	}
	if isText(old.data) && isText(new.data) {
		b.WriteString(udiff.Unified(from, to, string(old.data), string(new.data)))
	} else {
		fmt.Fprintf(&b, "Binary files %s and %s differ\n", from, to)
	}
	_, err := b.WriteTo(w)
	return err
}

func isText(data []byte) bool {
	return utf8.Valid(data) && !bytes.ContainsRune(data, 0)
}
