package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/generators/target"
)

func TestWriteMakesTheFolder(t *testing.T) {
	dir := filepath.Join(scratch(t), "a", "out")
	report := mustWrite(t, dir, single("haproxy/haproxy.cfg", "global\n", "iptables/apply.sh", "#!/bin/sh\n"))
	if want := (writeReport{written: 2}); report != want {
		t.Errorf("report %+v, want %+v", report, want)
	}
	got := snapshot(t, dir)
	delete(got, manifestName)
	want := map[string]string{
		".": "/", "haproxy": "/", "iptables": "/",
		"haproxy/haproxy.cfg": "-rw-r--r-- global\n",
		"iptables/apply.sh":   "-rwxr-xr-x #!/bin/sh\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestManifestText(t *testing.T) {
	dir := scratch(t)
	mustWrite(t, dir, fleet(cluster("eu", "haproxy/a", "a\n", "iptables/b.sh", "b\n"), cluster("us", "haproxy/a", "a\n")))
	for p, want := range map[string]string{
		manifestName: `{
  "version": 1,
  "clusters": [
    "eu",
    "us"
  ],
  "files": {}
}
`,
		"eu/" + manifestName: `{
  "version": 1,
  "files": {
    "haproxy/a": {"sha256":"87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7","mode":"0644","target":"haproxy"},
    "iptables/b.sh": {"sha256":"0263829989b6fd954f72baaf2fc64bc2e2f01d692d4de72986ea808f6e99813f","mode":"0755","target":"iptables"}
  }
}
`,
	} {
		got, err := os.ReadFile(filepath.Join(dir, p))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s:\n%s", p, diff)
		}
	}
}

func TestSecondBuildWritesNothing(t *testing.T) {
	dir := scratch(t)
	tr := fleet(cluster("eu", "haproxy/a", "a\n"), cluster("us", "haproxy/a", "b\n", "nginx/b", "b\n"))
	mustWrite(t, dir, tr)
	before := stamps(t, dir)
	if got, want := mustWrite(t, dir, tr), (writeReport{unchanged: 3}); got != want {
		t.Errorf("report %+v, want %+v", got, want)
	}
	if diff := cmp.Diff(before, stamps(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestUnchangedFilesKeepTheirTime(t *testing.T) {
	dir := scratch(t)
	mustWrite(t, dir, single("haproxy/a", "a\n", "haproxy/b", "b\n"))
	before := stamps(t, dir)[filepath.Join(dir, "haproxy/a")]
	mustWrite(t, dir, single("haproxy/a", "a\n", "haproxy/b", "changed\n"))
	if after := stamps(t, dir)[filepath.Join(dir, "haproxy/a")]; after != before {
		t.Errorf("unchanged file was written again: %s, then %s", before, after)
	}
	sameAsFresh(t, dir, single("haproxy/a", "a\n", "haproxy/b", "changed\n"))
}

func TestBuildsFollowEachOther(t *testing.T) {
	for name, steps := range map[string][]tree{
		"stale file":            {single("a/x", "1", "a/y", "2", "b/deep/z", "3"), single("a/x", "1")},
		"file becomes folder":   {single("a", "1"), single("a/x/y", "2")},
		"folder becomes file":   {single("a/x/y", "1", "a/z", "2"), single("a", "3")},
		"cluster leaves":        {fleet(cluster("eu", "a/x", "1"), cluster("us", "a/x", "2")), fleet(cluster("us", "a/x", "2"))},
		"cluster joins":         {fleet(cluster("us", "a/x", "2")), fleet(cluster("eu", "a/x", "1"), cluster("us", "a/x", "2"))},
		"single becomes fleet":  {single("a/x", "1", "y", "2"), fleet(cluster("a", "a/x", "1"), cluster("b", "y", "1"))},
		"fleet becomes single":  {fleet(cluster("a", "a/x", "1"), cluster("b", "y", "1")), single("a/x", "1", "y", "2")},
		"becomes executable":    {single("a/x", "1"), {clusters: []clusterFiles{{files: []outFile{{Artifact: target.Artifact{Path: "a/x", Data: []byte("1"), Exec: true}}}}}}},
		"all files go":          {single("a/x", "1"), single()},
		"empty fleet cluster":   {fleet(cluster("eu")), fleet(cluster("eu", "a", "1")), fleet(cluster("eu"))},
		"nested former outputs": {single("eu/a", "1"), fleet(cluster("eu", "a", "1"))},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(scratch(t), "out")
			for _, tr := range steps {
				mustWrite(t, dir, tr)
				sameAsFresh(t, dir, tr)
			}
		})
	}
}

func TestHandEdit(t *testing.T) {
	dir := scratch(t)
	mustWrite(t, dir, single("haproxy/a", "one\ntwo\n", "haproxy/b", "b\n"))
	put(t, dir, "haproxy/a", "one\n2\n")
	for name, tr := range map[string]tree{
		"same spec":    single("haproxy/a", "one\ntwo\n", "haproxy/b", "b\n"),
		"changed spec": single("haproxy/a", "one\ntwo\nthree\n", "haproxy/b", "c\n"),
	} {
		stop := mustStop(t, dir, tr, false)
		if d := stop.diags[0]; len(stop.diags) != 1 || d.Span.File != filepath.Join(dir, "haproxy/a") ||
			!strings.Contains(d.Message, "edited by hand") || !strings.Contains(d.Hint, "spec.cue") || !strings.Contains(d.Hint, "--force") {
			t.Errorf("%s: unhelpful: %+v", name, stop.diags)
		}
		if !strings.Contains(string(stop.diff), "-2\n+two\n") {
			t.Errorf("%s: the diff does not show the edit:\n%s", name, stop.diff)
		}
	}
	if _, err := writeTree(dir, single("haproxy/a", "one\ntwo\n", "haproxy/b", "b\n"), true); err != nil {
		t.Fatal(err)
	}
	sameAsFresh(t, dir, single("haproxy/a", "one\ntwo\n", "haproxy/b", "b\n"))
}

func TestHandEditThatSaysTheSame(t *testing.T) {
	dir := scratch(t)
	mustWrite(t, dir, single("haproxy/a", "1"))
	put(t, dir, "haproxy/a", "2")
	mustWrite(t, dir, single("haproxy/a", "2"))
	sameAsFresh(t, dir, single("haproxy/a", "2"))
}

func TestEditedStaleFile(t *testing.T) {
	dir := scratch(t)
	mustWrite(t, dir, single("haproxy/a", "a\n", "haproxy/b", "b\n"))
	put(t, dir, "haproxy/b", "mine\n")
	stop := mustStop(t, dir, single("haproxy/a", "a\n"), false)
	if !strings.Contains(string(stop.diff), "-mine\n") {
		t.Errorf("the diff does not show what would go:\n%s", stop.diff)
	}
	if _, err := writeTree(dir, single("haproxy/a", "a\n"), true); err != nil {
		t.Fatal(err)
	}
	sameAsFresh(t, dir, single("haproxy/a", "a\n"))
}

func TestDeletedFileComesBack(t *testing.T) {
	dir := scratch(t)
	mustWrite(t, dir, single("haproxy/a", "a\n"))
	if err := os.RemoveAll(filepath.Join(dir, "haproxy")); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, dir, single("haproxy/a", "a\n"))
	sameAsFresh(t, dir, single("haproxy/a", "a\n"))
}

func TestFileInPlaceOfAStaleFolder(t *testing.T) {
	dir := scratch(t)
	mustWrite(t, dir, single("haproxy/a", "a\n", "nginx/a", "a\n"))
	if err := os.RemoveAll(filepath.Join(dir, "haproxy")); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "haproxy", "mine\n")
	mustWrite(t, dir, single("nginx/a", "a\n"))
	if diff := cmp.Diff(map[string]string{"haproxy": "mine\n", "nginx/a": "a\n"}, contents(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestMode(t *testing.T) {
	dir := scratch(t)
	tr := single("iptables/apply.sh", "x")
	mustWrite(t, dir, tr)
	script := filepath.Join(dir, "iptables/apply.sh")
	for mode, want := range map[os.FileMode]os.FileMode{
		0o644: 0o755, 0o700: 0o755, 0o777: 0o755,
		0o775: 0o775, // what a checkout under umask 002 makes of it
	} {
		if err := os.Chmod(script, mode); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, dir, tr)
		if info, err := os.Stat(script); err != nil || info.Mode() != want {
			t.Errorf("mode %o became %o, want %o (%v)", mode, info.Mode(), want, err)
		}
	}
}

func TestForeignFiles(t *testing.T) {
	dir := scratch(t)
	put(t, dir, "haproxy/a", "a\n")
	put(t, dir, "haproxy/own", "mine\n")
	put(t, dir, "notes", "mine\n")
	mustWrite(t, dir, single("haproxy/a", "a\n", "haproxy/b", "b\n")) // a is adopted
	mustWrite(t, dir, single("haproxy/c", "c\n"))
	want := map[string]string{"haproxy/c": "c\n", "haproxy/own": "mine\n", "notes": "mine\n"}
	if diff := cmp.Diff(want, contents(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestForeignFileInTheWay(t *testing.T) {
	for name, test := range map[string]struct {
		foreign string
		tree    tree
	}{
		"other content":       {"haproxy/a", single("haproxy/a", "a\n", "haproxy/b", "b\n")},
		"file for folder":     {"haproxy", single("haproxy/a", "a\n")},
		"folder for file":     {"haproxy/a/b", single("haproxy/a", "a\n")},
		"cluster folder":      {"eu", fleet(cluster("eu", "haproxy/a", "a\n"))},
		"in a cluster folder": {"eu/haproxy/a", fleet(cluster("eu", "haproxy/a", "a\n"))},
	} {
		t.Run(name, func(t *testing.T) {
			dir := scratch(t)
			put(t, dir, test.foreign, "mine\n")
			for _, force := range []bool{false, true} {
				stop := mustStop(t, dir, test.tree, force)
				if d := stop.diags[0]; !strings.HasPrefix(filepath.Join(dir, test.foreign), d.Span.File) || !strings.Contains(d.Hint, "--force") {
					t.Errorf("unhelpful: %+v", d)
				}
			}
		})
	}
}

func TestAllStopsAreReported(t *testing.T) {
	dir := scratch(t)
	mustWrite(t, dir, single("haproxy/a", "a", "haproxy/b", "b"))
	put(t, dir, "haproxy/a", "edit")
	put(t, dir, "haproxy/b", "edit")
	put(t, dir, "haproxy/c", "foreign")
	stop := mustStop(t, dir, single("haproxy/a", "a", "haproxy/c", "c"), false)
	var got []string
	for _, d := range stop.diags {
		got = append(got, filepath.Base(d.Span.File))
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestBadOutputPaths(t *testing.T) {
	for _, p := range []string{"", "/etc/passwd", "../a", "a/../../b", "a//b", "./a", manifestName, "a/" + manifestName, lockName, stageName + "/a"} {
		dir := filepath.Join(scratch(t), "out")
		if _, err := writeTree(dir, single(p, "x"), false); err == nil {
			t.Errorf("%q was written", p)
		}
		if got := snapshot(t, dir); got != nil {
			t.Errorf("%q: the folder was made: %v", p, got)
		}
	}
	if _, err := writeTree(scratch(t), single("a/b", "x", "a/b", "y"), false); err == nil {
		t.Error("two files at one path were written")
	}
}

func TestSystemErrorsNameTheFolder(t *testing.T) {
	dir := scratch(t)
	put(t, dir, "out", "a file")
	for _, out := range []string{filepath.Join(dir, "out"), filepath.Join(dir, "out", "below")} {
		_, err := writeTree(out, single("a", "x"), false)
		var stop *stopError
		if err == nil || errors.As(err, &stop) || !strings.Contains(err.Error(), filepath.Join(dir, "out")) {
			t.Errorf("%s: %v", out, err)
		}
	}
	_, err := writeTree(dir, single(strings.Repeat("x", 300), "x"), false)
	if err == nil || !strings.Contains(err.Error(), "in "+dir+": ") {
		t.Errorf("does not name the folder: %v", err)
	}
}

func TestFailedBuildRemovesTheFolderItMade(t *testing.T) {
	top := scratch(t)
	dir := filepath.Join(top, "x", "out")
	// A file and a folder at one path can only be found to clash on disk.
	if _, err := writeTree(dir, single("a", "x", "a/b", "y"), false); err == nil {
		t.Fatal("clashing files were written")
	}
	if got := snapshot(t, top); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
	put(t, dir, "mine", "x")
	before := snapshot(t, top)
	if _, err := writeTree(dir, single("a", "x", "a/b", "y"), false); err == nil {
		t.Fatal("clashing files were written")
	}
	if diff := cmp.Diff(before, snapshot(t, top)); diff != "" {
		t.Errorf("a failed build changed the folder:\n%s", diff)
	}
}

// TestReadOnlyFolder: what cannot be replaced is found before anything is.
func TestReadOnlyFolder(t *testing.T) {
	dir := t.TempDir() // chattr knows few file systems
	mustWrite(t, dir, single("haproxy/a", "a", "nginx/a", "a", "nginx/b", "b"))
	lock, unlock := []string{"chmod", "a-w"}, []string{"chmod", "u+w"}
	if os.Geteuid() == 0 {
		lock, unlock = []string{"chattr", "+i"}, []string{"chattr", "-i"}
	}
	folder := filepath.Join(dir, "nginx")
	if out, err := exec.Command(lock[0], lock[1], folder).CombinedOutput(); err != nil {
		t.Skipf("no folder here can be made read-only: %v\n%s", err, out)
	}
	defer exec.Command(unlock[0], unlock[1], folder).Run()
	before := snapshot(t, dir)
	for name, tr := range map[string]tree{
		"replaced": single("haproxy/a", "new", "nginx/a", "new", "nginx/b", "b"),
		"removed":  single("haproxy/a", "new", "nginx/a", "a"),
		"added":    single("haproxy/a", "new", "nginx/a", "a", "nginx/b", "b", "nginx/c", "c"),
	} {
		_, err := writeTree(dir, tr, false)
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), folder) {
			t.Errorf("%s: want an error about %s, got %v", name, folder, err)
		}
		if diff := cmp.Diff(before, snapshot(t, dir)); diff != "" {
			t.Errorf("%s: a failed build changed the folder:\n%s", name, diff)
		}
	}
}
