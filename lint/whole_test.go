package lint

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/etcdlbgen/etcdlbgen/lint/rules"
	"github.com/etcdlbgen/etcdlbgen/schema/diag"
)

// machinesOf writes so many haproxy.cfg, which know of the same member, into a new working directory.
func machinesOf(t *testing.T, n int) {
	t.Chdir(t.TempDir())
	for i := range n {
		text := "defaults\n mode tcp\n timeout client 30s\nlisten etcd\n bind :2379\n server etcd-1 10.0.0.1:2379 check\n"
		if err := os.WriteFile(fmt.Sprintf("haproxy-%d.cfg", i), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// gather walks the working directory.
func gather(t *testing.T, c *collector) *collector {
	t.Helper()
	c.seen = map[string]bool{}
	if err := c.walk(".", ""); err != nil {
		t.Fatal(err)
	}
	c.sayUnread()
	return c
}

// judged reads and judges files.
func judged(in *input, files []file) *Result {
	in.texts, in.selected = newTexts(), rules.All
	in.parse(files)
	return in.judge()
}

// TestExhausted: once a call has read enough it says what it leaves out.
func TestExhausted(t *testing.T) {
	machinesOf(t, 3)
	c := gather(t, &collector{cost: maxRead - 1})
	if len(c.files) != 1 || len(c.diags) != 1 || c.diags[0].Span.File != "haproxy-1.cfg" ||
		!strings.Contains(c.diags[0].Message, "from this one on 2 files are not read") {
		t.Errorf("%d files, %+v", len(c.files), c.diags)
	}
	if err := c.named("haproxy-2.cfg"); err != nil || len(c.files) != 1 || len(c.unread) != 3 {
		t.Errorf("named: %v, %v", err, c.unread)
	}
}

// TestForgotten: it does not show in what is found whether facts were kept until the judgement.
func TestForgotten(t *testing.T) {
	machinesOf(t, 3)
	files := gather(t, &collector{}).files
	want, in := judged(&input{}, files), &input{}
	in.kept.Store(maxKept)
	got := judged(in, files)
	if diff := cmp.Diff(want.Diagnostics, got.Diagnostics); diff != "" || len(got.Diagnostics) == 0 {
		t.Errorf("%d findings, %s", len(got.Diagnostics), diff)
	}
	for _, s := range in.others {
		if s.Topology != nil {
			t.Errorf("%s: its facts are kept", s.files[0])
		}
	}
}

// TestLargeGroup: what is too much to be judged together is left out, and named.
func TestLargeGroup(t *testing.T) {
	machinesOf(t, 3)
	files := gather(t, &collector{}).files
	for i := range files {
		files[i].words = maxGroup / 2
	}
	r := judged(&input{}, files)
	at := map[string]string{}
	for _, d := range r.Diagnostics {
		at[d.Span.File] += d.Rule + " "
	}
	if at["haproxy-1.cfg"] == "" || at["haproxy-2.cfg"] != "syntax " {
		t.Errorf("%v", at)
	}
}

// TestManyFindings: once there are enough findings the files behind are not judged.
func TestManyFindings(t *testing.T) {
	full := &verdict{found: make([]finding, maxVerdict+1)}
	in, r := &input{}, &Result{}
	found := in.verdicts([][]source{{{verdict: full}}, {{verdict: full, files: []string{"a"}}}, {{verdict: full, files: []string{"b"}}}}, r)
	want := "from this one on 2 files are not judged"
	if len(found) != maxVerdict+1 || len(in.diags) != 1 || in.diags[0].Span != (diag.Span{File: "a"}) || !strings.Contains(in.diags[0].Message, want) {
		t.Errorf("%d findings, %+v", len(found), in.diags)
	}
}
