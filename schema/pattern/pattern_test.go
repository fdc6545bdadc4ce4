package pattern

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAllCompile: the texts of all patterns of the program are regular expressions, so that none fails at a user's.
func TestAllCompile(t *testing.T) {
	literal, found := regexp.MustCompile("pattern\\.New\\(`([^`]*)`\\)"), 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		data, err := os.ReadFile(path)
		for _, m := range literal.FindAllSubmatch(data, -1) {
			found++
			if _, err := regexp.Compile(string(m[1])); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		return err
	})
	if err != nil || found < 50 {
		t.Fatalf("%d patterns found: %v", found, err)
	}
}

// TestAsRegexp: a pattern answers as the regular expression it stands for, at its first use and later.
func TestAsRegexp(t *testing.T) {
	const text, input = `(\w)(\d+)`, "a12 b3"
	p, re := New(text), regexp.MustCompile(text)
	for range 2 {
		if p.ReplaceAllString(input, "$2$1") != re.ReplaceAllString(input, "$2$1") || p.MatchString("-") || !p.Match([]byte(input)) {
			t.Fatal("a pattern differs from its regular expression")
		}
	}
}

// TestBadText: a text that is no regular expression is a fault of the program.
func TestBadText(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it does not panic at its first use")
		}
	}()
	New(`(`).MatchString("")
}
