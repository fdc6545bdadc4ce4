package golden

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// filed is a file of the output tree, as the runbook names it in commands and prose.
	filed = regexp.MustCompile("(?m)[ `](?:haproxy|nginx|keepalived|nftables|prometheus|terraform|cloudcli|iptables|endpoints|etcd|certificates|ansible|kubernetes)/[\\w./<>-]+")
	// installed is the folder of a firewall on a machine.
	installed = regexp.MustCompile(`/etc/etcd-lb/[\w-]+/(?:members|nodes)`)
	linked    = regexp.MustCompile(`runbook_url: RUNBOOK\.md#(\S+)`)
)

// TestRunbook holds the runbook against the other files of each case: what it names is there, what links to it arrives.
func TestRunbook(t *testing.T) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			if r := etcdlbgen(t, dir, "build", specOf(t, dir), "-o", out); r.code != 0 {
				t.Fatalf("exit code %d:\n%s", r.code, r.stderr)
			}
			files := tree(t, out)
			runbooks := 0
			for name, text := range files {
				if path.Base(name) == "RUNBOOK.md" {
					runbooks++
					judgeRunbook(t, files, path.Dir(name), text)
				}
			}
			if runbooks == 0 {
				t.Error("no runbook")
			}
		})
	}
}

// judgeRunbook judges the runbook of the cluster whose files are below folder.
func judgeRunbook(t *testing.T, files map[string]string, folder, text string) {
	t.Helper()
	own := func(name string) (string, bool) {
		rel, err := filepath.Rel(folder, name)
		return filepath.ToSlash(rel), err == nil && !strings.HasPrefix(rel, "..")
	}
	var paths, all strings.Builder
	headings := map[string]bool{}
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			headings[strings.ToLower(strings.TrimSpace(title))] = true
		}
	}
	for name, data := range files {
		if rel, ok := own(name); ok && rel != "RUNBOOK.md" {
			paths.WriteString("\n" + rel)
			all.WriteString(data)
		}
	}
	for _, mention := range filed.FindAllString(text, -1) {
		want := strings.TrimRight(mention[1:], ".")
		want, _, _ = strings.Cut(want, "<")
		if !strings.Contains(paths.String(), "\n"+want) {
			t.Errorf("%s: names %s, which is not built", folder, want)
		}
	}
	for _, mention := range installed.FindAllString(text, -1) {
		if !strings.Contains(all.String(), mention) {
			t.Errorf("%s: names the folder %s, which nothing expects", folder, mention)
		}
	}
	for _, link := range linked.FindAllStringSubmatch(all.String(), -1) {
		if !headings[link[1]] {
			t.Errorf("%s: an alert links to %s, where nothing is", folder, link[1])
		}
	}
}
