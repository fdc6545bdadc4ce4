package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const secret = "secret\n"

// outside is a folder with a file beside the output folder, which no build may change.
func outside(t *testing.T) (dir, victim string) {
	t.Helper()
	top := scratch(t)
	put(t, top, "victim/file", secret)
	return filepath.Join(top, "out"), filepath.Join(top, "victim")
}

// listing is a manifest of an attacker, who knows what is in the file that he wants removed.
func listing(p string) string {
	key, _ := json.Marshal(p)
	return fmt.Sprintf(`{"version": 1, "files": {%s: {"sha256": "%x", "mode": "0644", "target": "haproxy"}}}`, key, sha256.Sum256([]byte(secret)))
}

// mustRefuse expects a build to be stopped, with --force too, with a message that has the words, and nothing to change.
func mustRefuse(t *testing.T, dir, victim string, tr tree, words string) {
	t.Helper()
	before := snapshot(t, victim)
	for _, force := range []bool{false, true} {
		stop := mustStop(t, dir, tr, force)
		if !strings.Contains(stop.Error(), words) {
			t.Errorf("the message does not say %q: %v", words, stop)
		}
	}
	inside := snapshot(t, dir)
	if _, err := checkTree(dir, tr, os.Stderr); err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("check: %v", err)
	}
	if diff := cmp.Diff(inside, snapshot(t, dir)); diff != "" {
		t.Errorf("check changed the folder:\n%s", diff)
	}
	if diff := cmp.Diff(before, snapshot(t, victim)); diff != "" {
		t.Errorf("a file outside changed:\n%s", diff)
	}
}

func TestUntrustedManifestPaths(t *testing.T) {
	_, victim := outside(t)
	for p, words := range map[string]string{
		filepath.Join(victim, "file"): "is absolute",
		"../victim/file":              "climbs out",
		"haproxy/../../victim/file":   "climbs out",
		"haproxy/../haproxy/a":        "shortest form",
		"./haproxy/a":                 "shortest form",
		"haproxy//a":                  "shortest form",
		`haproxy\..\a`:                "shortest form",
		"":                            "names no file",
		manifestName:                  "records",
		"eu/" + manifestName:          "records",
		lockName:                      "records",
	} {
		t.Run(p, func(t *testing.T) {
			dir, victim := outside(t)
			put(t, dir, manifestName, listing(p))
			mustRefuse(t, dir, victim, single("haproxy/a", "a"), words)
			dir, victim = outside(t)
			put(t, dir, "eu/"+manifestName, listing(p))
			mustRefuse(t, dir, victim, fleet(cluster("eu", "haproxy/a", "a")), words)
			dir, victim = outside(t)
			put(t, dir, nextName, `{"version": 1, "manifests": {".": `+listing(p)+`}}`)
			mustRefuse(t, dir, victim, single("haproxy/a", "a"), words)
		})
	}
}

func TestUntrustedClusterFolders(t *testing.T) {
	for folder, words := range map[string]string{"../victim": "climbs out", "/etc": "is absolute", "eu/us": "more than a folder name", ".": "names no file"} {
		dir, victim := outside(t)
		put(t, victim, manifestName, listing("file"))
		put(t, dir, manifestName, fmt.Sprintf(`{"version": 1, "clusters": [%q], "files": {}}`, folder))
		mustRefuse(t, dir, victim, fleet(), words)
		if folder == "." {
			continue // the next manifests name the output folder so
		}
		dir, victim = outside(t)
		put(t, dir, nextName, fmt.Sprintf(`{"version": 1, "manifests": {%q: %s}}`, folder, listing("file")))
		mustRefuse(t, dir, victim, fleet(), words)
	}
}

func TestMalformedManifests(t *testing.T) {
	for name, text := range map[string]string{
		"empty":            "",
		"no JSON":          "version: 1",
		"cut off":          `{"version": 1, "files": {`,
		"two":              `{"version": 1, "files": {}} {}`,
		"a list":           `[]`,
		"later version":    `{"version": 2, "files": {}}`,
		"no version":       `{"files": {}}`,
		"unknown field":    `{"version": 1, "files": {}, "remove": ["a"]}`,
		"short sum":        `{"version": 1, "files": {"a": {"sha256": "00", "mode": "0644", "target": "x"}}}`,
		"sum of no digits": strings.Replace(listing("a"), "b37e", "zzzz", 1),
		"bad mode":         strings.Replace(listing("a"), "0644", "u+x", 1),
		"set-user-id mode": strings.Replace(listing("a"), "0644", "4755", 1),
	} {
		t.Run(name, func(t *testing.T) {
			dir, victim := outside(t)
			put(t, dir, manifestName, text)
			mustRefuse(t, dir, victim, single("haproxy/a", "a"), manifestName)
			dir, victim = outside(t)
			put(t, dir, nextName, text)
			mustRefuse(t, dir, victim, single("haproxy/a", "a"), nextName)
		})
	}
}

func link(t *testing.T, target, at string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, at); err != nil {
		t.Fatal(err)
	}
}

func TestSymbolicLinks(t *testing.T) {
	for name, test := range map[string]struct {
		manifest string // listing what lies behind the link
		at       string
		target   string // of the link
		tree     tree
	}{
		"stale file behind a folder":     {listing("haproxy/file"), "haproxy", "../victim", single()},
		"stale file is a link":           {listing("haproxy"), "haproxy", "../victim/file", single()},
		"listed file behind a folder":    {listing("haproxy/file"), "haproxy", "../victim", single("haproxy/file", "new")},
		"listed file is a link":          {listing("haproxy/file"), "haproxy/file", "../../victim/file", single("haproxy/file", "new")},
		"new file behind a folder":       {"", "haproxy", "../victim", single("haproxy/file", "new")},
		"new file is a link":             {"", "haproxy/file", "../../victim/new", single("haproxy/file", "new")},
		"link within the folder":         {listing("haproxy/file"), "haproxy", "nginx", single("haproxy/file", "new")},
		"dangling link":                  {listing("haproxy/file"), "haproxy", "nowhere", single("haproxy/file", "new")},
		"cluster folder":                 {`{"version": 1, "clusters": ["eu"], "files": {}}`, "eu", "../victim", fleet(cluster("eu", "file", "new"))},
		"folder of a cluster that left":  {`{"version": 1, "clusters": ["eu"], "files": {}}`, "eu", "../victim", fleet()},
		"folder of a cluster that joins": {"", "eu", "../victim", fleet(cluster("eu", "file", "new"))},
		"manifest":                       {"", manifestName, "../victim/file", single("haproxy/file", "new")},
		"next manifests":                 {"", nextName, "../victim/file", single("haproxy/file", "new")},
		"lock":                           {"", lockName, "../victim/file", single("haproxy/file", "new")},
	} {
		t.Run(name, func(t *testing.T) {
			dir, victim := outside(t)
			put(t, dir, "nginx/file", secret)
			if test.manifest != "" {
				put(t, dir, manifestName, test.manifest)
			}
			link(t, test.target, filepath.Join(dir, test.at))
			mustRefuse(t, dir, victim, test.tree, test.at)
		})
	}
}

// TestStageOfAnAttacker: what lies in a stage is only used where it is what the next manifests say.
func TestStageOfAnAttacker(t *testing.T) {
	next := `{"version": 1, "manifests": {".": ` + listing("haproxy/file") + `}}`
	for name, prepare := range map[string]func(dir string){
		"staged link": func(dir string) {
			link(t, "../../../../victim/file", filepath.Join(dir, stageName, "files/haproxy/file"))
		},
		"staged folder link":  func(dir string) { link(t, "../../../victim", filepath.Join(dir, stageName, "files/haproxy")) },
		"stage is a link":     func(dir string) { link(t, "../victim", filepath.Join(dir, stageName)) },
		"other content":       func(dir string) { put(t, dir, stageName+"/files/haproxy/file", "other") },
		"extra file":          func(dir string) { put(t, dir, stageName+"/files/haproxy/extra", secret) },
		"no stage":            func(string) {},
		"records are a link":  func(dir string) { link(t, "../../victim", filepath.Join(dir, stageName, "manifests")) },
		"sound, file foreign": func(dir string) { put(t, dir, stageName+"/files/haproxy/file", secret) },
	} {
		t.Run(name, func(t *testing.T) {
			dir, victim := outside(t)
			put(t, dir, "haproxy/mine", "mine")
			if strings.HasSuffix(name, "foreign") {
				put(t, dir, "haproxy/file", "mine")
			}
			put(t, dir, nextName, next)
			prepare(dir)
			before := snapshot(t, victim)
			mustWrite(t, dir, single("nginx/a", "a"))
			if diff := cmp.Diff(before, snapshot(t, victim)); diff != "" {
				t.Errorf("a file outside changed:\n%s", diff)
			}
			want := map[string]string{"haproxy/mine": "mine", "nginx/a": "a"}
			if strings.HasSuffix(name, "foreign") {
				want["haproxy/file"] = "mine"
			}
			if diff := cmp.Diff(want, contents(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(listing("haproxy/a")))
	f.Add([]byte(`{"version": 1, "clusters": ["eu"], "files": {}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseManifest(data)
		if err != nil {
			return
		}
		for p := range m.Files {
			if !filepath.IsLocal(p) {
				t.Errorf("accepted %q", p)
			}
		}
		again, err := parseManifest(m.print())
		if err != nil {
			t.Fatalf("its own text is refused: %v", err)
		}
		if diff := cmp.Diff(string(m.print()), string(again.print())); diff != "" {
			t.Error(diff)
		}
	})
}
